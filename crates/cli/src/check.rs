//! Whether the devices and files that the command line names are there, found out before anybody's device rings.
//!
//! Nothing is switched on for this: devices are looked up in the system's list, files are opened and closed again.

use vireo_media::audio::{
    Recording, WavSource, has_microphone, has_speaker, microphones, speakers,
};
use vireo_media::video::{PatternContent, Y4mSource, cameras, has_camera};
use vireo_media::{MediaError, VideoFormat, VideoSource};

use crate::devices::{CameraChoice, MicrophoneChoice, SpeakerChoice};
use crate::failure::{Failure, Status};
use crate::output;

/// The camera to use; the system's own, if there is one, where none was named.
///
/// # Errors
/// Bad device or file.
pub fn camera(choice: Option<CameraChoice>) -> Result<CameraChoice, Failure> {
    match choice {
        None if cameras().is_empty() => {
            output::say("There is no camera; nobody will see you.");
            Ok(CameraChoice::None)
        }
        None => Ok(CameraChoice::Device(None)),
        Some(CameraChoice::Device(name)) => {
            known("camera", name.as_deref(), has_camera)?;
            Ok(CameraChoice::Device(name))
        }
        Some(CameraChoice::File(path)) => {
            tried(Y4mSource::open(&path, None))?;
            Ok(CameraChoice::File(path))
        }
        Some(CameraChoice::Pattern) => {
            tried(PatternContent::from_environment())?;
            Ok(CameraChoice::Pattern)
        }
        Some(CameraChoice::None) => Ok(CameraChoice::None),
    }
}

/// The size and rate that a camera's file has by itself.
///
/// # Errors
/// Bad file.
pub fn own_format(camera: &CameraChoice) -> Result<Option<VideoFormat>, Failure> {
    match camera {
        CameraChoice::File(path) => Ok(Some(tried(Y4mSource::open(path, None))?.format())),
        CameraChoice::None | CameraChoice::Pattern | CameraChoice::Device(_) => Ok(None),
    }
}

/// The microphone to use; the system's own, if there is one, where none was named.
///
/// # Errors
/// Bad device or file.
pub fn microphone(choice: Option<MicrophoneChoice>) -> Result<MicrophoneChoice, Failure> {
    match choice {
        None if microphones().is_empty() => {
            output::say("There is no microphone; nobody will hear you.");
            Ok(MicrophoneChoice::None)
        }
        None => Ok(MicrophoneChoice::Device(None)),
        Some(MicrophoneChoice::Device(name)) => {
            known("microphone", name.as_deref(), has_microphone)?;
            Ok(MicrophoneChoice::Device(name))
        }
        Some(MicrophoneChoice::File(path)) => {
            tried(WavSource::open(&path))?;
            Ok(MicrophoneChoice::File(path))
        }
        Some(
            choice @ (MicrophoneChoice::None
            | MicrophoneChoice::Pattern
            | MicrophoneChoice::Tone(_)),
        ) => Ok(choice),
    }
}

/// The speaker to use; the system's own, if there is one, where none was named.
///
/// # Errors
/// Bad device or file.
pub fn speaker(choice: Option<SpeakerChoice>) -> Result<SpeakerChoice, Failure> {
    match choice {
        None if speakers().is_empty() => {
            output::say("There is no speaker; you will hear nobody.");
            Ok(SpeakerChoice::None)
        }
        None => Ok(SpeakerChoice::Device(None)),
        Some(SpeakerChoice::Device(name)) => {
            known("speaker", name.as_deref(), has_speaker)?;
            Ok(SpeakerChoice::Device(name))
        }
        Some(SpeakerChoice::File(path)) => {
            tried(Recording::create(&path))?;
            Ok(SpeakerChoice::File(path))
        }
        Some(SpeakerChoice::None) => Ok(SpeakerChoice::None),
    }
}

fn tried<T>(opened: Result<T, MediaError>) -> Result<T, Failure> {
    opened.map_err(|problem| Failure::media(&problem))
}

/// Whether the device would be found when the call opens it.
fn known(
    kind: &str,
    name: Option<&str>,
    would_be_found: impl Fn(Option<&str>) -> bool,
) -> Result<(), Failure> {
    let problem = match name {
        _ if would_be_found(name) => return Ok(()),
        None => format!("There is no {kind}."),
        Some(name) => format!(
            "There is no {kind} called “{name}”, or several are. `vireo-cli devices` lists what there is."
        ),
    };
    Err(Failure::new(Status::BadDevice, problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_would_not_be_found_is_said_at_once() {
        let built_in = |name: Option<&str>| name.is_none_or(|name| name == "built-in");
        assert_eq!(known("camera", None, built_in), Ok(()));
        assert_eq!(known("camera", Some("built-in"), built_in), Ok(()));
        let missing = known("camera", Some("USB"), built_in).expect_err("not there");
        assert_eq!(missing.status, Status::BadDevice);
        assert!(missing.sentence.contains("vireo-cli devices"));
        assert!(known("camera", None, |_| false).is_err());
    }

    #[test]
    fn files_are_tried_at_once() {
        let missing = std::path::PathBuf::from("/no/such/folder/x");
        for failure in [
            camera(Some(CameraChoice::File(missing.clone()))).err(),
            microphone(Some(MicrophoneChoice::File(missing.clone()))).err(),
            speaker(Some(SpeakerChoice::File(missing.clone()))).err(),
        ] {
            let failure = failure.expect("there is no such file");
            assert_eq!(failure.status, Status::BadDevice);
            assert!(failure.sentence.contains("/no/such/folder"), "{failure}");
        }
    }
}
