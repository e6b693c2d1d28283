//! Whether the devices and files that the command line names are there, found out before anybody's device rings.
//!
//! Nothing is switched on for this: devices are looked up in the system's list, files are opened and closed again.

use vireo_media::audio::{Recording, WavSource, microphones, speakers};
use vireo_media::video::{PatternContent, Y4mSource};
use vireo_media::{DeviceInfo, MediaError, VideoFormat, VideoSource};

use crate::devices::{CameraChoice, MicrophoneChoice, SpeakerChoice};
use crate::failure::{Failure, Status};
use crate::hardware;
use crate::output;

/// The camera to use; the system's own, if there is one, where none was named.
///
/// # Errors
/// Bad device or file.
pub fn camera(choice: Option<CameraChoice>) -> Result<CameraChoice, Failure> {
    match choice {
        None if hardware::cameras().is_empty() => {
            output::say("There is no camera; nobody will see you.");
            Ok(CameraChoice::None)
        }
        None => Ok(CameraChoice::Device(None)),
        Some(CameraChoice::Device(name)) => {
            known("camera", name.as_deref(), &hardware::cameras())?;
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
            known("microphone", name.as_deref(), &microphones())?;
            Ok(MicrophoneChoice::Device(name))
        }
        Some(MicrophoneChoice::File(path)) => {
            tried(WavSource::open(&path))?;
            Ok(MicrophoneChoice::File(path))
        }
        Some(choice @ (MicrophoneChoice::None | MicrophoneChoice::Tone(_))) => Ok(choice),
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
            known("speaker", name.as_deref(), &speakers())?;
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

/// Whether the device is among those that are there.
fn known(kind: &str, name: Option<&str>, there: &[DeviceInfo]) -> Result<(), Failure> {
    let problem = match name {
        None if there.is_empty() => format!("There is no {kind}."),
        Some(name) if !there.iter().any(|device| is_called(device, name)) => {
            format!("There is no {kind} called “{name}”. `vireo-cli devices` lists what there is.")
        }
        _ => return Ok(()),
    };
    Err(Failure::new(Status::BadDevice, problem))
}

/// The same question that opening the device asks: its id, its name or a part of it, in whatever case.
fn is_called(device: &DeviceInfo, name: &str) -> bool {
    let name = name.to_lowercase();
    device.id.to_lowercase() == name || device.name.to_lowercase().contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_must_be_in_the_list() {
        let there = [DeviceInfo {
            id: "hw:0".to_owned(),
            name: "Built-in Audio".to_owned(),
        }];
        assert_eq!(known("camera", None, &there), Ok(()));
        for name in ["Built-in Audio", "built-in", "hw:0"] {
            assert_eq!(known("camera", Some(name), &there), Ok(()), "{name}");
        }
        let missing = known("camera", Some("Other"), &there).expect_err("not there");
        assert_eq!(missing.status, Status::BadDevice);
        assert!(missing.sentence.contains("vireo-cli devices"));
        assert!(known("camera", None, &[]).is_err());
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
