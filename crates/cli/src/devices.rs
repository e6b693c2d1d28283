//! Which camera, microphone and speaker a call uses, as the command line names them.

use std::path::PathBuf;
use std::str::FromStr;

/// `--camera`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CameraChoice {
    /// No picture.
    None,
    /// The test pattern with its time code.
    Pattern,
    /// A Y4M file, looping.
    File(PathBuf),
    /// A camera, by name or the system's own choice.
    Device(Option<String>),
}

/// `--microphone`.
#[derive(Debug, Clone, PartialEq)]
pub enum MicrophoneChoice {
    /// No sound.
    None,
    /// Beeps that tell the time.
    Pattern,
    /// A sine of so many hertz.
    Tone(f64),
    /// A WAV file, looping.
    File(PathBuf),
    /// A microphone, by name or the system's own choice.
    Device(Option<String>),
}

/// `--speaker`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpeakerChoice {
    /// Nowhere.
    None,
    /// Into a WAV file.
    File(PathBuf),
    /// A speaker, by name or the system's own choice.
    Device(Option<String>),
}

/// The tone's frequency where none is given, in hertz.
const DEFAULT_TONE: f64 = 440.0;

/// `kind` or `kind:value`; a value that is there is not empty.
fn split(text: &str) -> Result<(&str, Option<&str>), String> {
    match text.split_once(':') {
        None => Ok((text, None)),
        Some((_, "")) => Err(format!("something has to follow “{text}”")),
        Some((kind, value)) => Ok((kind, Some(value))),
    }
}

impl FromStr for CameraChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match split(text)? {
            ("none", None) => Ok(Self::None),
            ("pattern", None) => Ok(Self::Pattern),
            ("file", Some(path)) => Ok(Self::File(path.into())),
            ("device", name) => Ok(Self::Device(name.map(str::to_owned))),
            _ => Err("a camera is none, pattern, file:PATH.y4m, device or device:NAME".to_owned()),
        }
    }
}

impl FromStr for MicrophoneChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match split(text)? {
            ("none", None) => Ok(Self::None),
            ("pattern", None) => Ok(Self::Pattern),
            ("tone", None) => Ok(Self::Tone(DEFAULT_TONE)),
            ("tone", Some(hertz)) => match hertz.parse::<f64>() {
                Ok(hertz) if (20.0..=20_000.0).contains(&hertz) => Ok(Self::Tone(hertz)),
                _ => Err("a tone has 20 to 20000 hertz".to_owned()),
            },
            ("file", Some(path)) => Ok(Self::File(path.into())),
            ("device", name) => Ok(Self::Device(name.map(str::to_owned))),
            _ => Err(
                "a microphone is none, pattern, tone[:HZ], file:PATH.wav, device or device:NAME"
                    .to_owned(),
            ),
        }
    }
}

impl FromStr for SpeakerChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match split(text)? {
            ("none", None) => Ok(Self::None),
            ("file", Some(path)) => Ok(Self::File(path.into())),
            ("device", name) => Ok(Self::Device(name.map(str::to_owned))),
            _ => Err("a speaker is none, file:PATH.wav, device or device:NAME".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_may_hold_colons() {
        assert_eq!(
            "device:USB: HD".parse(),
            Ok(CameraChoice::Device(Some("USB: HD".to_owned())))
        );
        assert_eq!(
            "file:C:/a.wav".parse(),
            Ok(SpeakerChoice::File("C:/a.wav".into()))
        );
    }

    #[test]
    fn a_tone_has_a_frequency_of_its_own() {
        assert_eq!("tone".parse(), Ok(MicrophoneChoice::Tone(440.0)));
        assert_eq!("tone:1000".parse(), Ok(MicrophoneChoice::Tone(1000.0)));
        assert!("tone:".parse::<MicrophoneChoice>().is_err());
        assert!("tone:NaN".parse::<MicrophoneChoice>().is_err());
    }

    #[test]
    fn unknown_kinds_are_told_what_there_is() {
        let problem = "screen".parse::<CameraChoice>().expect_err("unknown");
        assert!(problem.contains("pattern"), "{problem}");
        assert!("none:x".parse::<SpeakerChoice>().is_err());
    }
}
