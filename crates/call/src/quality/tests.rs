//! The policy on virtual time.

use proptest::prelude::*;

use super::*;

const HD: VideoFormat = VideoFormat {
    width: 1280,
    height: 720,
    frame_rate: 30,
};

const MAX_BITRATE: u32 = 4_000_000;

/// Twice a second, as the engine asks.
const TICK: Duration = Duration::from_millis(500);

/// A policy, its own time and what it is told.
struct Line {
    policy: QualityPolicy,
    now: Instant,
    ticks: u32,
    conditions: Conditions,
    quality: Quality,
}

impl Line {
    #[allow(
        clippy::disallowed_methods,
        reason = "virtual time has to begin somewhere"
    )]
    fn new(format: VideoFormat) -> Self {
        let now = Instant::now();
        let conditions = Conditions {
            camera: true,
            path: Path {
                for_pictures: 4_000_000,
                loss: 0.0,
                lost_by_chance: 0.0,
                round_trip: Some(Duration::from_millis(40)),
                reported: true,
            },
            copies: false,
            encoder: EncoderState {
                load: Some(0.2),
                left_out: None,
            },
            shown: None,
        };
        let mut policy = QualityPolicy::new(format, MAX_BITRATE);
        let quality = policy.update(&conditions, now);
        Self {
            policy,
            now,
            ticks: 0,
            conditions,
            quality,
        }
    }

    fn tick(&mut self) -> Quality {
        self.now += TICK;
        self.ticks += 1;
        self.conditions.path.reported = self.ticks.is_multiple_of(2);
        self.quality = self.policy.update(&self.conditions, self.now);
        self.quality
    }

    fn wait(&mut self, seconds: f64) -> &mut Self {
        for _ in 0..(seconds / TICK.as_secs_f64()) as u32 {
            self.tick();
        }
        self
    }

    fn estimate(&mut self, for_pictures: u32) -> &mut Self {
        self.conditions.path.for_pictures = for_pictures;
        self
    }

    fn looks(&self) -> String {
        let video = self.quality.video.map_or("off".to_owned(), |video| {
            format!("{}p{}", video.format.height, video.format.frame_rate)
        });
        let connection = match self.quality.connection {
            ConnectionQuality::Good => "good",
            ConnectionQuality::Unstable => "unstable",
            ConnectionQuality::Poor => "poor",
        };
        format!("{video} {connection} {}", self.quality.limitation.as_str())
    }
}

#[test]
fn estimates_over_time_lead_to_sizes() {
    // The seconds that an estimate lasts, the estimate, and what there is at the end of it.
    let table = [
        (1.0, 4_000_000, "1080p30 good none"),
        // A step less after a second, ...
        (0.5, 1_000_000, "1080p30 good none"),
        (1.0, 1_000_000, "720p30 good bandwidth"),
        (1.5, 500_000, "540p30 good bandwidth"),
        (1.0, 200_000, "540p30 good bandwidth"),
        (0.5, 600_000, "540p30 good bandwidth"),
        (1.5, 200_000, "360p30 good bandwidth"),
        (1.5, 100_000, "270p30 good bandwidth"),
        (2.5, 70_000, "180p15 unstable bandwidth"),
        (3.5, 50_000, "180p15 unstable bandwidth"),
        (2.0, 50_000, "off poor bandwidth"),
        (6.0, 50_000, "off poor bandwidth"),
        // Room is believed when it lasts, and then pictures grow.
        (0.5, 110_000, "off poor bandwidth"),
        (2.0, 110_000, "270p30 unstable bandwidth"),
        (3.0, 110_000, "270p30 unstable bandwidth"),
        (8.0, 110_000, "270p30 good bandwidth"),
        (0.5, 4_000_000, "270p30 good bandwidth"),
        (1.0, 4_000_000, "1080p30 good none"),
        // ... several at once, and to where it is sure to fit.
        (0.5, 500_000, "360p30 good bandwidth"),
        (5.0, 500_000, "540p30 good bandwidth"),
    ];
    let mut line = Line::new(VideoFormat {
        width: 1920,
        height: 1080,
        frame_rate: 30,
    });
    for (number, (seconds, bits, expected)) in table.into_iter().enumerate() {
        line.estimate(bits).wait(seconds);
        assert_eq!(line.looks(), expected, "row {number}");
    }
}

#[test]
fn what_is_aimed_at_follows_the_estimate_as_far_as_it_can_be_used() {
    let mut line = Line::new(HD);
    for (bits, aimed) in [(2_000_000, 2_000_000), (777_000, 777_000), (60_000, 60_000)] {
        line.estimate(bits).wait(0.5);
        let video = line.quality.video.expect("pictures");
        assert_eq!(video.bits_per_second, aimed);
    }
    line.estimate(4_000_000).wait(0.5);
    let video = line.quality.video.expect("pictures");
    assert_eq!(video.format.height, 180, "it has not lasted yet");
    assert!(video.bits_per_second < 300_000, "{video:?}");
}

/// Goes up as soon as it can and down again at once, over and over; what it waited each time, in seconds.
fn waits_before_attempts(line: &mut Line, low: (u32, &str), high: (u32, &str)) -> Vec<f64> {
    line.estimate(low.0).wait(3.0);
    let mut waits = Vec::new();
    for _ in 0..7 {
        let mut waited = 0.0;
        line.estimate(high.0);
        while !line.looks().starts_with(high.1) {
            line.tick();
            waited += TICK.as_secs_f64();
        }
        waits.push(waited);
        line.estimate(low.0).wait(2.0);
        assert!(line.looks().starts_with(low.1), "{}", line.looks());
    }
    waits
}

#[test]
fn going_up_takes_longer_after_each_attempt_that_failed() {
    let mut line = Line::new(HD);
    let waits = waits_before_attempts(&mut line, (400_000, "540p"), (1_000_000, "720p"));
    assert_eq!(waits, [2.5, 4.5, 8.5, 16.5, 16.5, 16.5, 16.5]);
    // A long time without trouble, and it is as it was.
    line.estimate(1_000_000).wait(130.0);
    line.estimate(400_000).wait(2.0);
    line.estimate(1_000_000).wait(2.5);
    assert_eq!(line.looks(), "720p30 good none");
}

#[test]
fn several_steps_up_are_sooner_but_wait_longer_for_each_time_that_they_failed() {
    let mut line = Line::new(HD);
    let waits = waits_before_attempts(&mut line, (400_000, "540p"), (1_000_000, "720p"));
    assert_eq!(waits.last(), Some(&16.5));
    // That one step failed says nothing about several.
    let waits = waits_before_attempts(&mut line, (160_000, "270p"), (4_000_000, "720p"));
    assert_eq!(waits, [1.5, 2.5, 4.5, 8.5, 8.5, 8.5, 8.5]);
}

#[test]
fn an_encoder_that_is_too_slow_gets_less_to_do_until_it_is_not() {
    let mut line = Line::new(HD);
    // What a 720p picture takes, as a share of the time there is for it.
    let load = |line: &mut Line, full: f64, seconds: f64| {
        for _ in 0..(seconds / TICK.as_secs_f64()) as u32 {
            let format = line.quality.video.expect("pictures").format;
            let pixels = f64::from(format.width * format.height * format.frame_rate);
            line.conditions.encoder.load = Some(full * pixels / (1280.0 * 720.0 * 30.0));
            line.tick();
        }
    };
    load(&mut line, 1.5, 1.0);
    assert_eq!(line.looks(), "720p30 good none", "a moment is nothing");
    load(&mut line, 1.5, 2.0);
    assert_eq!(line.looks(), "540p30 good cpu");
    load(&mut line, 1.5, 30.0);
    assert_eq!(line.looks(), "540p30 good cpu", "that it manages");
    load(&mut line, 8.0, 20.0);
    assert_eq!(line.looks(), "180p15 good cpu");
    load(&mut line, 0.5, 9.0);
    assert_eq!(line.looks(), "180p15 good cpu");
    load(&mut line, 0.5, 2.0);
    assert_eq!(line.looks(), "720p30 good none");
    // Where both are short, the path is named as long as it is what decides.
    line.estimate(100_000);
    load(&mut line, 2.0, 5.0);
    assert_eq!(line.looks(), "180p15 good bandwidth");
}

#[test]
fn a_small_window_wants_small_pictures_and_that_is_no_limitation() {
    let mut line = Line::new(HD);
    let place = |width, height| Some(PictureSize { width, height });
    line.conditions.shown = place(640, 360);
    line.wait(0.5);
    assert_eq!(line.looks(), "720p30 good none", "it may still be dragged");
    line.wait(1.5);
    assert_eq!(line.looks(), "360p30 good none");
    line.conditions.shown = place(1920, 1080);
    line.wait(2.0);
    assert_eq!(line.looks(), "720p30 good none");
    line.estimate(400_000).wait(0.5);
    line.conditions.shown = place(960, 540);
    line.wait(2.0);
    assert_eq!(line.looks(), "540p30 good none");
}

#[test]
fn a_path_that_stays_narrow_is_tested_ever_more_rarely() {
    let mut line = Line::new(HD);
    line.estimate(50_000).wait(6.0);
    let mut sent = Vec::new();
    for second in 0..240 {
        line.wait(1.0);
        assert_eq!(line.quality.connection, ConnectionQuality::Poor);
        if line.quality.video.is_some() {
            assert!(line.looks().starts_with("180p15"));
            sent.push(second);
        }
    }
    let begins: Vec<i32> = sent
        .iter()
        .copied()
        .filter(|second| !sent.contains(&(second - 1)))
        .collect();
    assert!((3..=5).contains(&begins.len()), "{begins:?}");
    let pauses: Vec<i32> = begins.windows(2).map(|two| two[1] - two[0]).collect();
    assert!(pauses.is_sorted(), "{begins:?}");
}

#[test]
fn a_test_that_costs_the_sound_something_ends_at_once_and_one_that_finds_room_brings_pictures_back()
{
    let mut line = Line::new(HD);
    line.estimate(50_000).wait(6.0);
    let test = |line: &mut Line| {
        while line.tick().video.is_none() {}
    };
    test(&mut line);
    line.conditions.path.loss = 0.3;
    assert_eq!(line.tick().video, None);
    line.conditions.path.loss = 0.0;
    test(&mut line);
    line.conditions.path.round_trip = Some(Duration::from_millis(900));
    assert_eq!(line.tick().video, None);
    line.conditions.path.round_trip = Some(Duration::from_millis(40));
    test(&mut line);
    line.estimate(100_000).wait(3.0);
    assert_ne!(line.quality.connection, ConnectionQuality::Poor);
    assert!(line.quality.video.is_some());
}

#[test]
fn the_user_can_keep_pictures_for_a_while() {
    let mut line = Line::new(HD);
    line.estimate(50_000).wait(6.0);
    assert_eq!(line.looks(), "off poor bandwidth");
    assert_eq!(line.quality.audio.bits_per_second, sound::LEAST_BITS);
    let now = line.now;
    for _ in 0..2 {
        line.policy.keep_video(true, now);
        line.wait(0.5);
        assert_eq!(line.looks(), "180p15 unstable bandwidth");
    }
    line.wait(55.0);
    assert_eq!(line.looks(), "180p15 unstable bandwidth");
    line.wait(11.0);
    assert_eq!(line.quality.connection, ConnectionQuality::Poor);
    let now = line.now;
    line.policy.keep_video(true, now);
    line.wait(0.5);
    line.policy.keep_video(false, now);
    line.wait(6.0);
    assert_eq!(line.quality.connection, ConnectionQuality::Poor);
}

#[test]
fn a_limit_of_the_users_own_is_no_poor_connection_and_can_be_reached() {
    let mut line = Line::new(HD);
    line.policy = QualityPolicy::new(HD, 50_000);
    line.estimate(50_000).wait(10.0);
    assert!(line.looks().starts_with("180p15 unstable"));
    line.policy = QualityPolicy::new(HD, 600_000);
    line.estimate(400_000).wait(2.0);
    assert_eq!(line.looks().split(' ').next(), Some("540p30"));
    line.estimate(600_000).wait(3.0);
    assert_eq!(line.looks().split(' ').next(), Some("720p30"));
}

#[test]
fn without_a_camera_there_is_nothing_to_pause() {
    let mut line = Line::new(HD);
    line.conditions.camera = false;
    line.estimate(50_000).wait(30.0);
    assert_eq!(line.quality.connection, ConnectionQuality::Good);
    assert_eq!(line.quality.video, None);
    line.conditions.path.loss = 0.2;
    line.wait(3.0);
    assert_eq!(line.quality.connection, ConnectionQuality::Unstable);
    assert_eq!(line.quality.audio.expected_loss, 20);
    // Sound alone never shows how much fits; what it is that gets lost does.
    line.conditions.copies = true;
    line.wait(1.0);
    assert_eq!(line.quality.audio.copies, 0, "a queue may be full");
    line.conditions.path.lost_by_chance = 0.15;
    line.wait(1.0);
    assert_eq!(line.quality.audio.copies, 3);
    line.conditions.path.loss = 0.0;
    line.wait(7.0);
    assert_eq!(line.quality.connection, ConnectionQuality::Good);
}

#[test]
fn a_path_that_is_gone_for_a_while_is_not_called_narrow() {
    let mut line = Line::new(HD);
    line.estimate(50_000);
    for _ in 0..40 {
        line.now += TICK;
        line.conditions.path.reported = false;
        let quality = line.policy.update(&line.conditions, line.now);
        assert!(quality.video.is_some());
    }
    line.wait(3.0);
    assert!(line.quality.video.is_some(), "nor as soon as it is back");
    line.wait(5.0);
    assert_eq!(line.quality.connection, ConnectionQuality::Poor);
}

/// What changes in a minute.
#[derive(Default)]
struct Flaps {
    /// Larger pictures that did not stay.
    sizes: u32,
    /// Pictures that were paused.
    pauses: u32,
    connections: u32,
}

fn flaps(estimates: &[u32]) -> Flaps {
    let mut line = Line::new(HD);
    let (mut flaps, mut grew) = (Flaps::default(), false);
    for bits in estimates {
        let before = line.quality;
        let after = line.estimate(*bits).tick();
        let rows = |quality: &Quality| quality.video.map_or(0, |video| video.format.height);
        if rows(&after) > rows(&before) {
            grew = true;
        } else if rows(&after) < rows(&before) && std::mem::take(&mut grew) {
            flaps.sizes += 1;
        }
        flaps.connections += u32::from(after.connection != before.connection);
        let paused = |quality: &Quality| quality.connection == ConnectionQuality::Poor;
        flaps.pauses += u32::from(paused(&after) && !paused(&before));
    }
    flaps
}

proptest! {
    #[test]
    fn noise_does_not_make_pictures_flap(
        minute in prop::collection::vec(prop_oneof![
            Just(30_000_u32), 40_000..70_000_u32, 50_000..200_000_u32, 50_000..3_000_000_u32,
        ], 120)
    ) {
        let flaps = flaps(&minute);
        prop_assert!(flaps.sizes <= 6, "{} times larger for a moment", flaps.sizes);
        prop_assert!(flaps.pauses <= 4, "paused {} times", flaps.pauses);
        prop_assert!(flaps.connections <= 24, "told {} times", flaps.connections);
    }

    #[test]
    fn noise_around_a_threshold_does_not_make_pictures_flap(
        threshold in prop::sample::select(vec![55_000_u32, 78_000, 138_000, 311_000, 553_000]),
        minute in prop::collection::vec(0.6..1.8_f64, 120)
    ) {
        let estimates: Vec<u32> = minute.iter().map(|noise| (f64::from(threshold) * noise) as u32).collect();
        let flaps = flaps(&estimates);
        prop_assert!(flaps.sizes <= 6, "{} times larger for a moment", flaps.sizes);
        prop_assert!(flaps.pauses <= 4, "paused {} times", flaps.pauses);
    }

    #[test]
    fn whatever_it_is_told_it_asks_for_what_can_be_coded(
        inputs in prop::collection::vec(
            (any::<u32>(), 0.0..1.0_f64, 0_u64..100_000, prop::option::of(0.0..50.0_f64), any::<bool>(), any::<(u32, u32)>()),
            1..200
        ),
        (width, height, frame_rate) in (16_u32..8_000, 16_u32..8_000, 1_u32..240),
    ) {
        let mut line = Line::new(VideoFormat { width, height, frame_rate });
        for (bits, loss, wait_ms, load, camera, (wide, high)) in inputs {
            line.now += Duration::from_millis(wait_ms);
            line.conditions.path.loss = loss;
            line.conditions.encoder.load = load;
            line.conditions.camera = camera;
            line.conditions.shown = Some(PictureSize { width: wide, height: high });
            let quality = line.estimate(bits).tick();
            prop_assert!((3..=100).contains(&quality.audio.expected_loss));
            prop_assert!(camera || quality.video.is_none());
            if let Some(video) = quality.video {
                let format = video.format;
                prop_assert!(format.width >= 2 && format.height >= 2);
                prop_assert!(format.width <= width + 1 && format.height <= height + 1);
                prop_assert!(format.frame_rate >= 1 && format.frame_rate <= frame_rate);
                prop_assert!(video.bits_per_second <= bits);
            }
        }
    }
}

/// Pictures of leaves in the wind at this size, where less than so many times the usual bits are too few.
fn leaves(line: &mut Line, needs: f64) {
    let video = line.quality.video.expect("pictures are sent");
    let pixels = f64::from(video.format.width * video.format.height * video.format.frame_rate);
    let usual = 0.02 * pixels;
    let too_few = f64::from(line.conditions.path.for_pictures) < needs * usual;
    line.conditions.encoder.left_out = Some(LeftOut {
        share: if too_few { 0.08 } else { 0.0 },
        bits_per_second: line.conditions.path.for_pictures,
    });
}

#[test]
fn pictures_that_need_more_bits_are_smaller() {
    let mut line = Line::new(HD);
    line.estimate(900_000).wait(2.0);
    assert_eq!(line.looks(), "720p30 good none");
    leaves(&mut line, 2.0);
    line.wait(1.5);
    assert_eq!(line.looks(), "540p30 good bandwidth");
    // It is tried again more and more seldom, and does not stay.
    let mut tries = |minutes: u32| {
        let mut large = 0;
        for _ in 0..minutes * 120 {
            leaves(&mut line, 2.0);
            let before = line.quality.video;
            line.tick();
            large += u32::from(line.quality.video != before && line.looks().starts_with("720"));
        }
        large
    };
    assert_eq!([tries(10), tries(10), tries(40)], [2, 1, 2]);
    // More bits are there, or the wind has gone down.
    let mut rich = Line::new(HD);
    rich.estimate(900_000).wait(2.0);
    leaves(&mut rich, 2.0);
    rich.wait(1.5).estimate(2_000_000);
    leaves(&mut rich, 2.0);
    assert_eq!(rich.wait(5.0).looks(), "720p30 good none");
    leaves(&mut line, 1.0);
    assert_eq!(line.wait(1_200.0).looks(), "720p30 good none");
}

#[test]
fn what_was_learnt_on_a_narrow_path_is_not_held_against_a_wide_one() {
    let mut line = Line::new(HD);
    line.estimate(200_000).wait(10.0);
    assert_eq!(line.looks(), "360p30 good bandwidth");
    // The smallest sizes have little to leave out: more bits a pixel are too few for them.
    line.conditions.encoder.left_out = Some(LeftOut {
        share: 0.1,
        bits_per_second: 200_000,
    });
    assert_eq!(line.wait(1.5).looks(), "270p30 good bandwidth");
    line.conditions.encoder.left_out = Some(LeftOut {
        share: 0.0,
        bits_per_second: 200_000,
    });
    assert_eq!(line.wait(10.0).looks(), "270p30 good bandwidth");
    line.estimate(800_000);
    assert_eq!(line.wait(2.5).looks(), "720p30 good none");
}

#[test]
fn a_face_before_a_wall_is_as_large_as_ever() {
    let mut line = Line::new(HD);
    line.estimate(600_000);
    line.conditions.encoder.left_out = Some(LeftOut {
        share: 0.03,
        bits_per_second: 500_000,
    });
    assert_eq!(line.wait(60.0).looks(), "720p30 good none");
}
