use vireo_protocol::{CallDirection, CallId, CallOutcome, ChatId, HistoryId, UserId};

use super::on_each;
use crate::calls::CallRecord;

/// A call that has just begun.
fn begun(number: i64, caller: &str, callee: &str) -> CallRecord {
    CallRecord {
        id: uuid::Uuid::now_v7().to_string(),
        call_id: CallId(format!("call-{number}")),
        chat_id: ChatId("chat".to_owned()),
        caller: UserId(caller.to_owned()),
        callee: UserId(callee.to_owned()),
        started_at: number,
        answered_at: None,
        ended_at: None,
        outcome: None,
    }
}

fn ended(record: &CallRecord, answered: Option<i64>, outcome: CallOutcome) -> CallRecord {
    CallRecord {
        answered_at: answered,
        ended_at: Some(record.started_at + 10_999),
        outcome: Some(outcome),
        ..record.clone()
    }
}

#[tokio::test]
async fn each_side_sees_its_calls_the_newest_first() {
    on_each(async |store| {
        let ann = store.add_user("Ann", "hash").await.expect("added").id;
        let bob = store.add_user("Bob", "hash").await.expect("added").id;
        let talk = begun(1_000, &ann.0, &bob.0);
        let missed = begun(2_000, &bob.0, &ann.0);
        let gone = begun(3_000, &ann.0, "somebody who has left");
        let others = begun(4_000, &bob.0, "x");
        let records = [
            ended(&talk, Some(1_500), CallOutcome::Completed),
            ended(&missed, None, CallOutcome::NoAnswer),
            ended(&gone, None, CallOutcome::Offline),
            ended(&others, None, CallOutcome::Busy),
            begun(5_000, &ann.0, &bob.0),
        ];
        store.record_calls(&records).await.expect("written");
        let history = store.call_history(&ann, None, 10).await.expect("read");
        let entries: Vec<_> = history
            .iter()
            .map(|call| {
                let with = call.name.as_deref();
                let seconds = call.duration_seconds;
                (with, call.direction, call.outcome, seconds)
            })
            .collect();
        use CallDirection::{Incoming, Outgoing};
        let expected = [
            (None, Outgoing, CallOutcome::Offline, 0),
            (Some("Bob"), Incoming, CallOutcome::NoAnswer, 0),
            (Some("Bob"), Outgoing, CallOutcome::Completed, 10),
        ];
        assert_eq!(entries, expected);
        assert_eq!(
            (history[2].started_at, history[2].ended_at),
            (1_000, 11_999)
        );
        assert_eq!(history[2].answered_at, Some(1_500));
        assert_eq!(history[0].user_id.0, "somebody who has left");
    })
    .await;
}

#[tokio::test]
async fn the_history_is_read_in_pages() {
    on_each(async |store| {
        let ann = UserId::random();
        let records: Vec<_> = (0..25)
            .map(|number| match number % 2 {
                0 => begun(number, &ann.0, "bob"),
                _ => begun(number, "bob", &ann.0),
            })
            .map(|record| ended(&record, None, CallOutcome::Declined))
            .collect();
        store.record_calls(&records).await.expect("written");
        let mut seen = Vec::new();
        let mut before: Option<HistoryId> = None;
        loop {
            let page = store.call_history(&ann, before.as_ref(), 10).await;
            let page = page.expect("read");
            let Some(last) = page.last() else { break };
            before = Some(last.id.clone());
            seen.extend(page.into_iter().map(|call| call.started_at));
        }
        assert_eq!(seen, (0..25).rev().collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn what_is_known_of_a_call_stays_known() {
    on_each(async |store| {
        let ann = UserId("ann".to_owned());
        // More than one statement's worth, each in every state, out of order and twice.
        let calls: Vec<_> = (0..150).map(|number| begun(number, "ann", "bob")).collect();
        let over = |call| ended(call, Some(200), CallOutcome::Completed);
        let mixed: Vec<_> = calls
            .iter()
            .flat_map(|call| [over(call), call.clone(), over(call)])
            .collect();
        store.record_calls(&calls).await.expect("written");
        assert_eq!(store.unfinished_calls().await.expect("read"), calls);
        store.record_calls(&mixed).await.expect("written");
        store.record_calls(&calls).await.expect("written");
        assert_eq!(store.unfinished_calls().await.expect("read"), []);
        let history = store.call_history(&ann, None, 1_000).await.expect("read");
        assert_eq!(history.len(), 150);
        let complete = |call: &vireo_protocol::PastCall| {
            call.answered_at == Some(200) && call.outcome == CallOutcome::Completed
        };
        assert!(history.iter().all(complete));
        store.record_calls(&[]).await.expect("nothing to write");
    })
    .await;
}

#[tokio::test]
async fn it_remembers_when_it_was_last_alive() {
    on_each(async |store| {
        assert_eq!(store.alive_at().await.expect("read"), None);
        for now in [1_764_000_000_000, 1_764_000_005_000] {
            store.set_alive(now).await.expect("written");
            assert_eq!(store.alive_at().await.expect("read"), Some(now));
        }
    })
    .await;
}
