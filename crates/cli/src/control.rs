//! Commands from standard input while the program runs (`--control`), one a line: another camera, microphone or speaker.

use std::{io::BufRead, sync::Arc, thread};

use crate::devices::{CameraChoice, MicrophoneChoice, SpeakerChoice};
use crate::media::CliMedia;
use crate::output;

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// `camera CHOICE`.
    Camera(CameraChoice),
    /// `microphone CHOICE`.
    Microphone(MicrophoneChoice),
    /// `speaker CHOICE`.
    Speaker(SpeakerChoice),
}

impl std::str::FromStr for Order {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let (what, choice) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        match what {
            "camera" => choice.parse().map(Self::Camera),
            "microphone" => choice.parse().map(Self::Microphone),
            "speaker" => choice.parse().map(Self::Speaker),
            other => Err(format!(
                "“{other}” is no command. There are camera, microphone and speaker, each followed by a choice as on the command line."
            )),
        }
    }
}

/// Carries out what standard input says, as long as it says something.
pub fn follow_standard_input(media: Arc<CliMedia>) {
    thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            match line.parse::<Order>() {
                Ok(order) => media.take(order),
                Err(problem) => output::say(problem),
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_device_and_a_choice() {
        let named = MicrophoneChoice::Device(Some("USB: Headset".into()));
        assert_eq!(
            "microphone device:USB: Headset".parse(),
            Ok(Order::Microphone(named))
        );
        assert_eq!(
            "speaker device".parse(),
            Ok(Order::Speaker(SpeakerChoice::Device(None)))
        );
        assert!("camera".parse::<Order>().is_err());
        let problem = "screen x".parse::<Order>().expect_err("unknown");
        assert!(problem.contains("microphone"), "{problem}");
    }
}
