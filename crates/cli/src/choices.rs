//! What a call uses at the moment: as the command line said at first, and as it was told later.

use std::sync::{Arc, Mutex};

use vireo_media::{DeviceKind, DeviceNews, Following, Selection};

use crate::control::Order;
use crate::devices::{CameraChoice, MicrophoneChoice, SpeakerChoice};
use crate::output::{self, DeviceChange, Event};
use crate::playback::lock;

/// The choice for each purpose.
#[derive(Debug, Clone)]
pub struct Choice {
    pub camera: CameraChoice,
    pub microphone: MicrophoneChoice,
    pub speaker: SpeakerChoice,
}

impl Choice {
    /// The device that was named, or the system's default one; None where what was chosen is no device.
    fn device(&self, kind: DeviceKind) -> Option<Option<&str>> {
        match kind {
            DeviceKind::Camera => match &self.camera {
                CameraChoice::Device(name) => Some(name.as_deref()),
                _ => None,
            },
            DeviceKind::Microphone => match &self.microphone {
                MicrophoneChoice::Device(name) => Some(name.as_deref()),
                _ => None,
            },
            DeviceKind::Speaker => match &self.speaker {
                SpeakerChoice::Device(name) => Some(name.as_deref()),
                _ => None,
            },
        }
    }
}

type Changed = Box<dyn FnMut(DeviceKind) + Send>;

/// The choices, and who is told of another one.
#[derive(Clone)]
pub struct Choices {
    choice: Arc<Mutex<Choice>>,
    call: Arc<Mutex<Option<Changed>>>,
    /// Which devices those are.
    pub selection: Selection,
}

impl Choices {
    pub fn new(choice: Choice) -> Self {
        let selection = Selection::new();
        for kind in DeviceKind::ALL {
            selection.choose(kind, choice.device(kind).flatten());
        }
        Self {
            choice: Arc::new(Mutex::new(choice)),
            call: Arc::default(),
            selection,
        }
    }

    /// The choices of this moment.
    pub fn now(&self) -> Choice {
        lock(&self.choice).clone()
    }

    /// Chooses something else.
    pub fn take(&self, order: Order) {
        let mut choice = lock(&self.choice);
        let before = choice.clone();
        let kind = match order {
            Order::Camera(camera) => {
                choice.camera = camera;
                DeviceKind::Camera
            }
            Order::Microphone(microphone) => {
                choice.microphone = microphone;
                DeviceKind::Microphone
            }
            Order::Speaker(speaker) => {
                choice.speaker = speaker;
                DeviceKind::Speaker
            }
        };
        let now = choice.clone();
        drop(choice);
        match (before.device(kind), now.device(kind)) {
            (Some(_), Some(name)) => self.selection.choose(kind, name),
            (_, name) => {
                self.selection.choose(kind, name.flatten());
                change(&self.call, kind);
            }
        }
    }

    /// Tells people and scripts what becomes of the devices, and `changed` whenever another one is to be used.
    pub fn follow(&self, changed: Changed) -> Following {
        *lock(&self.call) = Some(changed);
        let (choice, call) = (Arc::clone(&self.choice), Arc::clone(&self.call));
        self.selection.follow(move |news| {
            let kind = match news {
                DeviceNews::Listed(_) => return,
                DeviceNews::Appeared { kind, .. }
                | DeviceNews::Changed { kind, .. }
                | DeviceNews::Refused { kind, .. } => *kind,
            };
            if lock(&choice).device(kind).is_none() {
                return;
            }
            tell(news);
            if matches!(news, DeviceNews::Changed { using: Some(_), .. }) {
                change(&call, kind);
            }
        })
    }
}

fn change(call: &Mutex<Option<Changed>>, kind: DeviceKind) {
    if let Some(changed) = &mut *lock(call) {
        changed(kind);
    }
}

fn tell(news: &DeviceNews) {
    match news {
        DeviceNews::Listed(_) => {}
        DeviceNews::Appeared { kind, device } => output::line(&Event::Device {
            kind: noun(*kind),
            change: DeviceChange::Appeared,
            name: Some(&device.name),
            gone: None,
        }),
        DeviceNews::Changed { kind, gone, using } => {
            let name = using.as_ref().map(|device| device.name.as_str());
            output::line(&Event::Device {
                kind: noun(*kind),
                change: DeviceChange::Used,
                name,
                gone: gone.as_deref(),
            });
            match (gone, name) {
                (Some(gone), Some(name)) => {
                    output::say(format!("{gone} disconnected – using {name}."))
                }
                (Some(gone), None) => output::say(format!("{gone} disconnected.")),
                (None, _) => {}
            }
        }
        DeviceNews::Refused { message, .. } => output::say(message),
    }
}

const fn noun(kind: DeviceKind) -> &'static str {
    match kind {
        DeviceKind::Camera => "camera",
        DeviceKind::Microphone => "microphone",
        DeviceKind::Speaker => "speaker",
    }
}
