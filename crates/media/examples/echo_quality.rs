//! `cargo xtask bench echo`: somebody speaks in a room whose loudspeaker is heard by the microphone, through the voice
//! processor, on virtual time. FOLDER holds the voices as WAV files; what the far side hears of each scene is written
//! there, and a line of JSON for each is printed.
#![allow(clippy::print_stdout, reason = "the output is what it is for")]

mod wav;

use std::{collections::VecDeque, error::Error, fs, path::Path};

use vireo_media::audio::{
    AudioFrame, FRAME_SAMPLES, NoiseSuppression, VoiceProcessor, VoiceSettings,
};
use vireo_testing::room::{Acoustics, Room};
use wav::{read, write};

/// Frames in a second.
const SECOND: usize = 100;

/// How long the far side speaks alone.
const FAR_ALONE: usize = 15 * SECOND;

/// How long who is in the room speaks, alone and then while the far side does: three pieces for PESQ.
const NEAR: usize = 25 * SECOND;

/// What happens where.
struct Scene {
    name: &'static str,
    /// The far side's voice, and that of who is in the room.
    voices: [&'static str; 2],
    /// None where nothing of the speaker comes back: a headset.
    room: Option<Acoustics>,
    /// How loud the person in the room is: 1 is what the far side plays at.
    near: f32,
    /// What the devices take, in frames.
    delay: usize,
    settings: VoiceSettings,
}

/// Everything that a call has.
const ALL: VoiceSettings = VoiceSettings {
    echo_cancellation: true,
    noise_suppression: NoiseSuppression::Standard,
    automatic_gain: true,
};

const CANCELLER_ALONE: VoiceSettings = VoiceSettings {
    noise_suppression: NoiseSuppression::Off,
    automatic_gain: false,
    ..ALL
};

const HOME: Scene = Scene {
    name: "living room",
    voices: ["ann", "bob"],
    room: Some(Acoustics::LIVING_ROOM),
    near: 1.0,
    delay: 6,
    settings: ALL,
};

const SCENES: [Scene; 8] = [
    HOME,
    Scene {
        name: "living room, canceller alone",
        settings: CANCELLER_ALONE,
        ..HOME
    },
    Scene {
        name: "living room, other voices",
        voices: ["carl", "dora"],
        ..HOME
    },
    Scene {
        name: "living room, soft voice",
        near: 0.5,
        ..HOME
    },
    Scene {
        name: "study",
        voices: ["carl", "dora"],
        room: Some(Acoustics::STUDY),
        delay: 3,
        ..HOME
    },
    Scene {
        name: "study, other voices",
        room: Some(Acoustics::STUDY),
        delay: 12,
        ..HOME
    },
    Scene {
        name: "late devices",
        delay: 25,
        ..HOME
    },
    Scene {
        name: "headset",
        room: None,
        ..HOME
    },
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("name a folder")?;
    let folder = Path::new(&folder);
    for (index, scene) in SCENES.iter().enumerate() {
        measure(folder, index, scene)?;
    }
    Ok(())
}

/// A room with a microphone, a speaker and the devices' delay.
struct Desk<'a> {
    scene: &'a Scene,
    room: Option<Room>,
    under_way: VecDeque<AudioFrame>,
    processor: VoiceProcessor,
}

/// What the microphone hears of the speaker in 10 ms, what it hears in all, and what is sent of that.
struct Moment {
    echo: AudioFrame,
    sent: AudioFrame,
}

impl<'a> Desk<'a> {
    fn new(scene: &'a Scene) -> Self {
        let processor = VoiceProcessor::new();
        processor.set(scene.settings);
        Self {
            scene,
            room: scene.room.map(Room::new),
            under_way: vec![AudioFrame::SILENCE; scene.delay].into(),
            processor,
        }
    }

    fn pass(&mut self, far: AudioFrame, near: &AudioFrame) -> Moment {
        self.processor.render(&far);
        self.under_way.push_back(far);
        let mut echo = self.under_way.pop_front().unwrap_or(AudioFrame::SILENCE);
        match &mut self.room {
            Some(room) => room.pass(&mut echo.0),
            None => echo = AudioFrame::SILENCE,
        }
        let mut sent = echo.clone();
        for (sample, said) in sent.0.iter_mut().zip(&near.0) {
            *sample = (*sample + self.scene.near * said).clamp(-1.0, 1.0);
        }
        self.processor.capture(&mut sent);
        Moment { echo, sent }
    }
}

fn measure(folder: &Path, index: usize, scene: &Scene) -> Result<(), Box<dyn Error>> {
    let [mut far, near] = [
        frames(&read(&folder.join(format!("{}.wav", scene.voices[0])))?),
        frames(&read(&folder.join(format!("{}.wav", scene.voices[1])))?),
    ]
    .map(|frames| frames.into_iter().cycle());
    let near: Vec<AudioFrame> = near.take(NEAR).collect();
    let mut desk = Desk::new(scene);
    let before = busy_micros();
    let (mut echo, mut left) = (Vec::new(), Vec::new());
    for _ in 0..FAR_ALONE {
        let said = far.next().unwrap_or(AudioFrame::SILENCE);
        let moment = desk.pass(said, &AudioFrame::SILENCE);
        echo.extend(moment.echo.0);
        left.extend(moment.sent.0);
    }
    let mut alone = Vec::new();
    for said in &near {
        alone.extend(desk.pass(AudioFrame::SILENCE, said).sent.0);
    }
    let (mut both, mut beside) = (Vec::new(), Vec::new());
    for said in &near {
        let played = far.next().unwrap_or(AudioFrame::SILENCE);
        let moment = desk.pass(played, said);
        beside.extend(moment.echo.0);
        both.extend(moment.sent.0);
    }
    let micros = (busy_micros() - before) / (FAR_ALONE + 2 * NEAR) as f64;
    let said: Vec<f32> = near
        .iter()
        .flat_map(|frame| frame.0)
        .map(|s| s * scene.near)
        .collect();
    for (what, sound) in [
        ("said", &said),
        ("alone", &alone),
        ("both", &both),
        ("left", &left),
    ] {
        write(&folder.join(format!("{index}-{what}.wav")), sound)?;
    }
    println!(
        r#"{{"index":{index},"name":"{}","afterTwo":{:.1},"afterFive":{:.1},"worstSecond":{:.1},"overEcho":{:.1},"micros":{micros:.0}}}"#,
        scene.name,
        enhancement(&echo, &left, 2, 5),
        enhancement(&echo, &left, 5, 15),
        (5..15)
            .map(|s| enhancement(&echo, &left, s, s + 1))
            .fold(f64::INFINITY, f64::min),
        decibels(&said) - decibels(&beside),
    );
    Ok(())
}

/// How long this thread has had a processor (Linux alone says so): others may be busy here too.
fn busy_micros() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text
        .split(' ')
        .next()
        .and_then(|nanos| nanos.parse::<f64>().ok());
    nanos.unwrap_or(0.0) / 1_000.0
}

/// By how much the echo became quieter within these seconds.
fn enhancement(echo: &[f32], left: &[f32], from: usize, to: usize) -> f64 {
    let within = from * SECOND * FRAME_SAMPLES..to * SECOND * FRAME_SAMPLES;
    decibels(&echo[within.clone()]) - decibels(&left[within])
}

fn decibels(sound: &[f32]) -> f64 {
    let energy: f64 = sound.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    10.0 * (energy / sound.len() as f64 + 1e-10).log10()
}

fn frames(sound: &[f32]) -> Vec<AudioFrame> {
    let (frames, _) = sound.as_chunks::<FRAME_SAMPLES>();
    frames.iter().map(|frame| AudioFrame(*frame)).collect()
}
