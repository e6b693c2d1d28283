//! `call` and `answer`: one call from its first ring to its end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};
use vireo_call::{CallStats, CallView, Direction, EndedReason, MicrophoneHint, Phase, Speaking};
use vireo_client::{Client, ClientError, ClientView};
use vireo_media::video::unix_ms_now;

use crate::failure::{Failure, Status};
use crate::media::{CallMedia, CliMedia};
use crate::output::{self, Event};
use crate::playback::lock;
use crate::signals::Signals;
use crate::statistics::StatisticsFile;

/// What stays the same from call to call.
pub struct Caller {
    /// The signed-in client.
    pub client: Client,
    /// Its devices.
    pub media: Arc<CliMedia>,
    /// `--for`.
    pub duration: Option<Duration>,
    /// `--stats`.
    pub statistics: Option<StatisticsFile>,
    /// Ctrl-C and SIGTERM.
    pub signals: Signals,
}

/// What is done with a call that comes in.
#[derive(Debug, Clone, Copy)]
pub struct Incoming {
    /// Declined rather than accepted.
    pub decline: bool,
    /// After so long.
    pub after: Duration,
}

/// Why a call is over.
pub struct Outcome {
    /// As this side sees it.
    pub reason: EndedReason,
    /// The other person's name.
    pub peer: String,
}

impl Caller {
    /// Sees the current call through to its end: tells what happens, writes the statistics, hangs up when it is time.
    /// `incoming` says what to do if it is one that rings here.
    ///
    /// # Errors
    /// When the client stops.
    pub async fn see_through(
        &mut self,
        call_media: CallMedia,
        incoming: Option<Incoming>,
    ) -> Result<Outcome, Failure> {
        let mut view = self.client.view();
        let mut progress = Progress::default();
        let ended = loop {
            let call = view.borrow_and_update().call.clone();
            if let Some(call) = call {
                self.advance(&call, &mut progress, &call_media, incoming);
                if let Phase::Ended { reason } = call.phase {
                    break (reason, call);
                }
            }
            self.wait(&mut view, &mut progress).await?;
        };
        let (reason, call) = ended;
        self.conclude(&call, reason, call_media).await;
        Ok(Outcome {
            reason,
            peer: call.peer.name,
        })
    }

    /// Does what the call's new view asks for.
    fn advance(
        &self,
        call: &CallView,
        progress: &mut Progress,
        call_media: &CallMedia,
        incoming: Option<Incoming>,
    ) {
        let (call_id, peer) = (call.call_id.0.as_str(), call.peer.name.as_str());
        match call.phase {
            Phase::Ringing | Phase::Incoming if !progress.rang => {
                progress.rang = true;
                output::line(&Event::Ringing { call_id, peer });
                if call.direction == Direction::Incoming {
                    progress.answer = incoming.map(|how| (Instant::now() + how.after, how));
                }
            }
            Phase::Connected if progress.tick.is_none() => {
                output::line(&Event::Connected { call_id, peer });
                progress.tick = Some(every_second());
                progress.hang_up_at = self.duration.map(|time| Instant::now() + time);
            }
            _ => {}
        }
        if progress.remote_camera && !call.remote.camera {
            lock(&call_media.playback).pause();
        }
        progress.remote_camera = call.remote.camera;
        let Speaking { local, remote } = call.speaking;
        if progress.speaking != call.speaking {
            progress.speaking = call.speaking;
            output::line(&Event::Speaking {
                call_id,
                peer,
                local,
                remote,
            });
        }
        if let Some(hint) = call.microphone_hint.filter(|_| progress.hint.is_none()) {
            output::say(hint.sentence());
        }
        progress.hint = call.microphone_hint;
        for notice in call.notices.iter().skip(progress.notices) {
            output::say(&notice.message);
        }
        progress.notices = progress.notices.max(call.notices.len());
    }

    /// Waits until something happens, and does what its time has come for.
    async fn wait(
        &mut self,
        view: &mut watch::Receiver<ClientView>,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        tokio::select! {
            changed = view.changed() => changed.map_err(|_| ClientError::Closed)?,
            () = self.signals.next() => self.client.end(),
            () = reached(progress.hang_up_at) => {
                progress.hang_up_at = None;
                self.client.end();
            }
            () = reached(progress.answer.map(|(at, _)| at)) => {
                if let Some((_, how)) = progress.answer.take() {
                    self.answer(how);
                }
            }
            () = ticked(&mut progress.tick) => self.write_second().await,
        }
        Ok(())
    }

    fn answer(&self, how: Incoming) {
        if how.decline {
            self.client.decline();
        } else {
            self.client.accept(self.media.has_camera());
        }
    }

    async fn write_second(&mut self) {
        if let Some(file) = &mut self.statistics
            && let Some(stats) = self.client.call_stats().await
        {
            file.second(&stats);
        }
    }

    /// Says that it is over, waits for the files and writes the summary.
    async fn conclude(&mut self, call: &CallView, reason: EndedReason, call_media: CallMedia) {
        let stats = self.client.call_stats().await;
        let playback = Arc::clone(&call_media.playback);
        self.client.dismiss();
        self.media.end_call();
        let _ = tokio::task::spawn_blocking(move || call_media.finish()).await;
        if let Some(file) = &mut self.statistics {
            let mut stats = stats.unwrap_or_else(|| CallStats {
                t: unix_ms_now() as u64,
                ..CallStats::default()
            });
            stats.state = call.phase.name().to_owned();
            file.summary(stats, &lock(&playback));
        }
        let connected_for = call
            .connected_at_ms
            .zip(call.ended_at_ms)
            .map(|(from, to)| to.saturating_sub(from) as f64 / 1000.0);
        output::line(&Event::Ended {
            call_id: &call.call_id.0,
            peer: &call.peer.name,
            reason,
            duration: connected_for,
        });
    }
}

impl Outcome {
    /// What the outcome means for the exit status of `call`, or of `answer --once`; `declining` when that was the plan.
    pub fn result(&self, declining: bool) -> Result<(), Failure> {
        let status = match self.reason {
            EndedReason::HungUp | EndedReason::RemoteHungUp => return Ok(()),
            EndedReason::DeclinedHere if declining => return Ok(()),
            EndedReason::Declined | EndedReason::DeclinedHere | EndedReason::DeclinedElsewhere => {
                Status::Declined
            }
            EndedReason::Offline => Status::Offline,
            EndedReason::Busy => Status::Busy,
            EndedReason::NoAnswer
            | EndedReason::Missed
            | EndedReason::Cancelled
            | EndedReason::CallerCancelled
            | EndedReason::AnsweredElsewhere => Status::NoAnswer,
            EndedReason::AccessDenied => Status::AccessDenied,
            EndedReason::ConnectionFailed
            | EndedReason::NoRelay
            | EndedReason::ConnectionLost
            | EndedReason::RemoteGone
            | EndedReason::Refused => Status::ConnectionFailed,
            EndedReason::ServerUnreachable => Status::ServerUnreachable,
        };
        let sentence = format!("{}: {}", self.peer, self.reason.sentence());
        Err(Failure::new(status, sentence))
    }
}

/// What has been seen and is due of one call.
#[derive(Default)]
struct Progress {
    rang: bool,
    remote_camera: bool,
    speaking: Speaking,
    hint: Option<MicrophoneHint>,
    notices: usize,
    answer: Option<(Instant, Incoming)>,
    hang_up_at: Option<Instant>,
    tick: Option<Interval>,
}

fn every_second() -> Interval {
    const SECOND: Duration = Duration::from_secs(1);
    let mut interval = interval_at(Instant::now() + SECOND, SECOND);
    interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
    interval
}

/// Waits until then; for ever when there is no such time.
async fn reached(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

async fn ticked(interval: &mut Option<Interval>) {
    match interval {
        Some(interval) => drop(interval.tick().await),
        None => std::future::pending().await,
    }
}
