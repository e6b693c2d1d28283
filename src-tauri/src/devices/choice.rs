//! What was asked for, by environment, settings and command line, and what there is.

use std::collections::BTreeMap;

use vireo_call::NoticeKind;
use vireo_client::paths::Settings;
use vireo_media::{DeviceCause, MediaError, video::Rotation};

use crate::view::StandIn;

/// Where pictures come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CameraChoice {
    /// A camera, by name, or the system's default.
    Device(Option<String>),
    /// The test picture.
    Pattern,
    /// One that cannot be used, for tests.
    Unusable(DeviceCause),
    /// None at all.
    None,
}

/// Where sound comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum MicrophoneChoice {
    /// A microphone, by name, or the system's default.
    Device(Option<String>),
    /// A tone of so many hertz.
    Tone(f64),
    /// One that cannot be used, for tests.
    Unusable(DeviceCause),
    /// None at all.
    None,
}

/// Where sound goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpeakerChoice {
    /// A speaker, by name, or the system's default.
    Device(Option<String>),
    /// Nowhere.
    None,
}

/// What was chosen, device by device.
#[derive(Debug, Clone, PartialEq)]
pub struct Choices {
    /// Pictures.
    pub camera: CameraChoice,
    /// Sound out.
    pub microphone: MicrophoneChoice,
    /// Sound in.
    pub speaker: SpeakerChoice,
    /// How far the pictures of cameras are turned, by the cameras' ids.
    pub rotations: BTreeMap<String, Rotation>,
    /// Whether pictures may have 1080 rows.
    pub full_hd: bool,
    /// Whether something artificial stands in for a device that is not there.
    pub stand_ins: bool,
}

/// The tone that stands in for a microphone, in hertz.
const TONE: f64 = 440.0;

impl Choices {
    /// Reads `VIREO_CAMERA`, `VIREO_MICROPHONE` and `VIREO_SPEAKER`; what they leave open is the settings'.
    #[must_use]
    pub fn new(
        settings: &Settings,
        environment: impl Fn(&str) -> Option<String>,
        stand_ins: bool,
    ) -> Self {
        let camera = environment("VIREO_CAMERA");
        let microphone = environment("VIREO_MICROPHONE");
        let speaker = environment("VIREO_SPEAKER");
        Self {
            camera: match camera.as_deref() {
                Some("pattern") => CameraChoice::Pattern,
                Some("none") => CameraChoice::None,
                Some("taken") => CameraChoice::Unusable(DeviceCause::Taken),
                Some("denied") => CameraChoice::Unusable(DeviceCause::Denied),
                other => CameraChoice::Device(device(other).or(settings.camera.clone())),
            },
            microphone: match microphone.as_deref() {
                Some("none") => MicrophoneChoice::None,
                Some("taken") => MicrophoneChoice::Unusable(DeviceCause::Taken),
                Some("denied") => MicrophoneChoice::Unusable(DeviceCause::Denied),
                Some(text) if text == "tone" || text.starts_with("tone:") => {
                    let hz = text.strip_prefix("tone:").and_then(|hz| hz.parse().ok());
                    MicrophoneChoice::Tone(hz.unwrap_or(TONE))
                }
                other => MicrophoneChoice::Device(device(other).or(settings.microphone.clone())),
            },
            speaker: match speaker.as_deref() {
                Some("none") => SpeakerChoice::None,
                other => SpeakerChoice::Device(device(other).or(settings.speaker.clone())),
            },
            rotations: settings.rotations.clone(),
            full_hd: settings.full_hd,
            stand_ins,
        }
    }

    /// Lets something artificial stand in for what is not there, where that was asked for.
    #[must_use]
    pub fn with_stand_ins(mut self, camera: bool, microphone: bool, speaker: bool) -> Self {
        if !self.stand_ins {
            return self;
        }
        if !camera && matches!(self.camera, CameraChoice::Device(_)) {
            self.camera = CameraChoice::Pattern;
        }
        if !microphone && matches!(self.microphone, MicrophoneChoice::Device(_)) {
            self.microphone = MicrophoneChoice::Tone(TONE);
        }
        if !speaker && matches!(self.speaker, SpeakerChoice::Device(_)) {
            self.speaker = SpeakerChoice::None;
        }
        self
    }

    /// Uses the device of this id from now on; None: the system's default one.
    pub fn set(&mut self, kind: NoticeKind, id: Option<String>) {
        match kind {
            NoticeKind::Camera => self.camera = CameraChoice::Device(id),
            NoticeKind::Microphone => self.microphone = MicrophoneChoice::Device(id),
            NoticeKind::Speaker => self.speaker = SpeakerChoice::Device(id),
        }
    }

    /// The device that was named, or the system's default one; None where what was chosen is no device.
    #[must_use]
    pub fn device(&self, kind: NoticeKind) -> Option<Option<&str>> {
        match kind {
            NoticeKind::Camera => match &self.camera {
                CameraChoice::Device(id) => Some(id.as_deref()),
                CameraChoice::Pattern | CameraChoice::Unusable(_) | CameraChoice::None => None,
            },
            NoticeKind::Microphone => match &self.microphone {
                MicrophoneChoice::Device(id) => Some(id.as_deref()),
                MicrophoneChoice::Tone(_)
                | MicrophoneChoice::Unusable(_)
                | MicrophoneChoice::None => None,
            },
            NoticeKind::Speaker => match &self.speaker {
                SpeakerChoice::Device(id) => Some(id.as_deref()),
                SpeakerChoice::None => None,
            },
        }
    }

    /// What the window says about it.
    #[must_use]
    pub fn visible(&self) -> Vec<StandIn> {
        let camera = (self.camera == CameraChoice::Pattern).then_some(StandIn::Camera);
        let tone = matches!(self.microphone, MicrophoneChoice::Tone(_));
        let microphone = tone.then_some(StandIn::Microphone);
        let silent = self.speaker == SpeakerChoice::None;
        let speaker = silent.then_some(StandIn::Speaker);
        [camera, microphone, speaker]
            .into_iter()
            .flatten()
            .collect()
    }
}

/// What the system would say of a device that cannot be used for this reason.
pub fn refusal(cause: DeviceCause) -> MediaError {
    let sentence = || "This device cannot be used, as was asked for.".to_owned();
    match cause {
        DeviceCause::Missing => MediaError::NoDevice(sentence()),
        DeviceCause::Taken => MediaError::Busy(sentence()),
        DeviceCause::Denied => MediaError::Forbidden(sentence()),
        DeviceCause::Other => MediaError::Device(sentence()),
    }
}

/// The name in `device:NAME`.
fn device(text: Option<&str>) -> Option<String> {
    Some(text?.strip_prefix("device:")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices(pairs: &[(&str, &str)], stand_ins: bool) -> Choices {
        let settings = Settings {
            camera: Some("Built-in".into()),
            ..Settings::default()
        };
        let find = |name: &str| {
            let pair = pairs.iter().find(|(key, _)| *key == name);
            pair.map(|(_, value)| (*value).to_owned())
        };
        Choices::new(&settings, find, stand_ins)
    }

    #[test]
    fn the_environment_goes_before_the_settings() {
        let plain = choices(&[], false);
        assert_eq!(plain.camera, CameraChoice::Device(Some("Built-in".into())));
        assert_eq!(plain.microphone, MicrophoneChoice::Device(None));
        assert_eq!(plain.visible(), []);
        let test = choices(
            &[
                ("VIREO_CAMERA", "pattern"),
                ("VIREO_MICROPHONE", "tone:880"),
                ("VIREO_SPEAKER", "device:USB"),
            ],
            false,
        );
        assert_eq!(test.camera, CameraChoice::Pattern);
        assert_eq!(test.microphone, MicrophoneChoice::Tone(880.0));
        assert_eq!(test.speaker, SpeakerChoice::Device(Some("USB".into())));
        assert_eq!(test.visible(), [StandIn::Camera, StandIn::Microphone]);
    }

    #[test]
    fn something_stands_in_only_where_asked_and_only_for_what_is_missing() {
        let without = choices(&[], false).with_stand_ins(false, false, false);
        assert_eq!(without.visible(), []);
        let with = choices(&[], true).with_stand_ins(false, true, false);
        assert_eq!(with.visible(), [StandIn::Camera, StandIn::Speaker]);
        assert_eq!(with.microphone, MicrophoneChoice::Device(None));
    }
}
