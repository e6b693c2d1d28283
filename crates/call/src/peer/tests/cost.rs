//! What a connection costs. A measurement, not a check: `cargo nextest run -p vireo-call cost --run-ignored all --no-capture`.

use std::time::{Duration, Instant};

use bytes::Bytes;
use vireo_media::VideoCodec::H264;

use super::support::{Side, config, connect, frame, show};

/// User and system time of this process so far.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux has it");
    let after_name = stat.rsplit(')').next().expect("a name in parentheses");
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |index: usize| fields[index].parse::<u64>().expect("a number");
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn cost_of_two_peers_at_2_mbit_s_each_way() {
    let mut caller = Side::new(config()).await;
    let mut callee = Side::new(config()).await;
    connect(&mut caller, &mut callee).await;
    let seconds = 10;
    let senders: Vec<_> = [&caller, &callee]
        .into_iter()
        .map(|side| {
            let media = side.peer.media();
            std::thread::spawn(move || {
                for tick in 0..seconds * 300 {
                    if tick % 10 == 0 {
                        media.send_video(frame(H264, tick, tick == 0, 8_300));
                    }
                    if tick % 6 == 0 {
                        media.send_audio(Bytes::from(vec![7; 80]), tick / 6 * 960);
                    }
                    std::thread::sleep(Duration::from_micros(3_270));
                }
            })
        })
        .collect();
    let (began, before) = (Instant::now(), cpu());
    let joined = tokio::task::spawn_blocking(move || {
        for sender in senders {
            sender.join().expect("no panic");
        }
    });
    joined.await.expect("no panic");
    let (taken, used) = (began.elapsed(), cpu() - before);
    let latencies: Vec<_> = {
        let frames = callee.received.video.lock().expect("no panic");
        let mut spread: Vec<_> = frames
            .iter()
            .map(|(handed, frame)| handed.duration_since(frame.captured_at))
            .collect();
        spread.sort();
        spread
    };
    show(&format!(
        "{:.1} % of a core for both peers; {} frames; last packet → handed on: p50 {:?}, p99 {:?}; {:?}",
        used.as_secs_f64() / taken.as_secs_f64() * 100.0,
        latencies.len(),
        latencies[latencies.len() / 2],
        latencies[latencies.len() * 99 / 100],
        caller.peer.stats()
    ));
}
