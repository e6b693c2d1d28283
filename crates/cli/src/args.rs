//! The command line. Its form is an interface: scripts and measurements depend on it.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use vireo_call::{NoiseSuppression, VoiceSettings};
use vireo_media::{VideoCodec, VideoFormat, video::Rotation};
use vireo_protocol::{InviteLink, MAX_INVITE_USES};

use crate::devices::{CameraChoice, MicrophoneChoice, SpeakerChoice};

/// Vireo in a terminal: calls for scripts, monitoring and tests.
///
/// Standard output is one JSON object a line. Exit status: 0 the call took place and ended as planned; 1 an error of another
/// kind; 2 usage; 3 offline; 4 busy; 5 no answer; 6 declined; 7 access denied or unknown person; 8 connection failed; 9 server
/// unreachable; 10 bad device or file; 11 wrong password; 12 no application to give orders to; 13 no call that they fit.
#[derive(Debug, Parser)]
#[command(name = "vireo-cli", version)]
pub struct Arguments {
    /// The server's address, such as http://127.0.0.1:8080; without it, the server inside your running Vireo.
    #[arg(long, global = true, value_name = "URL")]
    pub server: Option<String>,
    /// Your name on the server; without it, the account of your Vireo on this computer.
    #[arg(long, visible_alias = "name", global = true, value_name = "NAME")]
    pub user: Option<String>,
    /// A file whose first line is your password.
    #[arg(long, global = true, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Makes an account on a server where anyone may have one.
    Register,
    /// Shows whose server an invitation is for and who invites, asks, and joins: makes the account, or, where it is there
    /// already, makes the inviter a contact.
    Join(JoinArguments),
    /// Your invitations to the server: whoever uses one becomes a contact of yours.
    #[command(subcommand)]
    Invites(InvitesCommand),
    /// Your contacts.
    #[command(subcommand)]
    Contacts(ContactsCommand),
    /// Your calls that are over, the newest first.
    History {
        /// Only those older than the entry with this id.
        #[arg(long, value_name = "ID")]
        before: Option<String>,
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
    },
    /// Shows you to your contacts as online, away or not to be disturbed, until it is stopped.
    Status(StatusArguments),
    /// What your contacts see of you: a name and a picture.
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// The devices that you are signed in on, the one that was used last first; this one says so (`current`).
    Sessions {
        /// What to do instead of listing them.
        #[command(subcommand)]
        command: Option<SessionsCommand>,
    },
    /// Changes your password, and signs all your other devices out.
    Password(PasswordArguments),
    /// Deletes your account and everything that belongs to it.
    DeleteAccount(DeleteArguments),
    /// Calls a contact.
    Call(CallArguments),
    /// Waits for calls and answers them.
    Answer(AnswerArguments),
    /// Lists cameras, microphones and speakers.
    Devices,
    /// Tells the Vireo that is open on this computer what to do with its call: for macro keys and scripts.
    Ctl(CtlArguments),
}

/// Arguments of `ctl`.
#[derive(Debug, Args)]
pub struct CtlArguments {
    /// What to do. `answer` leaves the camera off.
    pub order: OrderChoice,
    /// The profile that Vireo was opened with, where it was told one.
    #[arg(long, value_name = "DIR")]
    pub profile: Option<PathBuf>,
}

/// What can be done with the call of the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OrderChoice {
    /// Mute the microphone.
    Mute,
    /// Let the microphone be heard.
    Unmute,
    /// Mute it or let it be heard, whichever it is not.
    ToggleMute,
    /// Hang up, cancel or decline.
    HangUp,
    /// Accept the call that rings.
    Answer,
}

/// What can be done with invitations.
#[derive(Debug, Subcommand)]
pub enum InvitesCommand {
    /// Lists those that can still be used, the newest first; everybody's for an administrator.
    List,
    /// Makes one, and prints the link to give to people.
    Create {
        /// How many people may use it.
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_INVITE_USES)))]
        uses: u32,
        /// For how many days.
        #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=30))]
        days: u32,
    },
    /// Makes one worthless.
    Revoke {
        /// Its id in the list.
        id: String,
    },
}

/// What can be done with contacts.
#[derive(Debug, Subcommand)]
pub enum ContactsCommand {
    /// Lists your contacts.
    List,
    /// Adds a person; once both have added each other, you are contacts.
    Add {
        /// The person's name on the server.
        name: String,
    },
    /// Accepts somebody who has added you.
    Accept {
        /// The person's name.
        name: String,
    },
    /// Turns somebody down who has added you. They may ask again.
    Decline {
        /// The person's name.
        name: String,
    },
    /// Removes a contact, or takes a request back.
    Remove {
        /// The person's name.
        name: String,
    },
    /// Keeps somebody away: they see you offline and cannot reach you, and are not told.
    Block {
        /// The person's name.
        name: String,
    },
    /// Ends a block.
    Unblock {
        /// The person's name.
        name: String,
    },
}

/// What can be done with what contacts see.
#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// Shows it.
    Show,
    /// Shows another name to your contacts; an empty one shows the name that you sign in with.
    SetName {
        /// The name.
        name: String,
    },
    /// Shows a picture to your contacts, cut to a square.
    SetAvatar {
        /// A PNG, JPEG or WebP file of at most 256 KB.
        file: PathBuf,
    },
    /// Shows no picture any more.
    RemoveAvatar,
}

/// What can be done with sessions.
#[derive(Debug, Subcommand)]
pub enum SessionsCommand {
    /// Signs a device out, at once.
    Revoke {
        /// Its id in the list.
        id: String,
    },
}

/// Arguments of `password`.
#[derive(Debug, Args)]
pub struct PasswordArguments {
    /// A file whose first line is the new password; without it, the first line of standard input is.
    #[arg(long, value_name = "FILE")]
    pub new_password_file: Option<PathBuf>,
}

/// Arguments of `delete-account`.
#[derive(Debug, Args)]
pub struct DeleteArguments {
    /// Does not ask.
    #[arg(long)]
    pub yes: bool,
}

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArguments {
    /// What your contacts see of you.
    pub status: StatusChoice,
    /// Ends after so long.
    #[arg(long = "for", value_name = "SECONDS", value_parser = parse_seconds)]
    pub duration: Option<Duration>,
}

/// How one can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StatusChoice {
    /// There.
    Online,
    /// Not at the computer.
    Away,
    /// Not to be called.
    DoNotDisturb,
}

/// Arguments of `call`.
#[derive(Debug, Args)]
pub struct CallArguments {
    /// Whom to call.
    pub name: String,
    /// What to send and where to put what comes.
    #[command(flatten)]
    pub media: MediaArguments,
}

/// Arguments of `answer`.
#[derive(Debug, Args)]
pub struct AnswerArguments {
    /// Ends after the first call; being stopped before it is a failure.
    #[arg(long)]
    pub once: bool,
    /// Declines instead of accepting.
    #[arg(long)]
    pub decline: bool,
    /// Lets it ring so long before accepting or declining.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub after: u64,
    /// What to send and where to put what comes.
    #[command(flatten)]
    pub media: MediaArguments,
}

/// What a call sends and what is done with what it receives.
#[derive(Debug, Clone, Args)]
pub struct MediaArguments {
    /// none, pattern, file:PATH.y4m (loops), device or device:NAME; without it the system's camera, if there is one.
    #[arg(long, value_name = "CAMERA")]
    pub camera: Option<CameraChoice>,
    /// none, pattern (beeps that tell the time), tone[:HZ], file:PATH.wav, device or device:NAME; without it the system's
    /// microphone, if there is one.
    #[arg(long, value_name = "MICROPHONE")]
    pub microphone: Option<MicrophoneChoice>,
    /// none, file:PATH.wav, device or device:NAME; without it the system's speaker, if there is one.
    #[arg(long, value_name = "SPEAKER")]
    pub speaker: Option<SpeakerChoice>,
    /// The picture's size; without it 1280x720, or a file's own.
    #[arg(long, value_name = "WxH", value_parser = parse_size)]
    pub size: Option<Size>,
    /// Frames a second; without it 30, or a file's own.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=120))]
    pub fps: Option<u32>,
    /// Turns the camera's pictures by so many degrees clockwise: 90, 180 or 270.
    #[arg(long, value_name = "DEGREES", value_parser = parse_rotation, default_value = "0")]
    pub rotate: Rotation,
    /// The only video codec to speak; without it H.264, or else VP8.
    #[arg(long, value_name = "CODEC")]
    pub codec: Option<CodecChoice>,
    /// The most bits a second to send as video. Below 50000 nothing could be seen: that much is sent all the same.
    #[arg(long, value_name = "BPS", value_parser = clap::value_parser!(u32).range(30_000..=100_000_000))]
    pub max_bitrate: Option<u32>,
    /// How much of a microphone's sound that is no voice is taken away.
    #[arg(long, value_name = "HOW", default_value = "standard")]
    pub noise_suppression: NoiseChoice,
    /// Leaves what the speaker plays in what the microphone hears.
    #[arg(long)]
    pub no_echo_cancellation: bool,
    /// Leaves a microphone as loud or quiet as it is.
    #[arg(long)]
    pub no_automatic_gain: bool,
    /// Sends everything through the relay (TURN), so that the other side does not learn where this computer is.
    #[arg(long)]
    pub relay_only: bool,
    /// Takes commands from standard input, one a line: camera, microphone or speaker, and another choice for it.
    #[arg(long)]
    pub control: bool,
    /// Hangs up so long after the call is connected.
    #[arg(long = "for", value_name = "SECONDS", value_parser = parse_seconds)]
    pub duration: Option<Duration>,
    /// Writes what is received: remote.y4m, remote.wav and remote.csv.
    #[arg(long, value_name = "DIR")]
    pub record: Option<PathBuf>,
    /// Writes the call's statistics once a second, and a summary at its end, into a new file.
    #[arg(long, value_name = "FILE.jsonl")]
    pub stats: Option<PathBuf>,
    /// Writes a line for each picture received, with its age and size, into a new file.
    #[arg(long, value_name = "FILE.csv")]
    pub frames: Option<PathBuf>,
    /// Writes the pictures as they are received, still coded, into a new file.
    #[arg(long, value_name = "FILE.ivf")]
    pub coded: Option<PathBuf>,
    /// Writes a line for each beep of the other side's pattern that is heard, with its age, into a new file.
    #[arg(long, value_name = "FILE.csv")]
    pub sounds: Option<PathBuf>,
}

/// What a camera sends when nobody says otherwise.
pub const DEFAULT_FORMAT: VideoFormat = VideoFormat {
    width: 1280,
    height: 720,
    frame_rate: 30,
};

impl MediaArguments {
    /// The size and rate to send, where the source's own are `own`.
    pub fn format(&self, own: VideoFormat) -> VideoFormat {
        let Size(width, height) = self.size.unwrap_or(Size(own.width, own.height));
        VideoFormat {
            width,
            height,
            frame_rate: self.fps.unwrap_or(own.frame_rate),
        }
    }

    /// What is done to a microphone's sound.
    pub fn voice(&self) -> VoiceSettings {
        VoiceSettings {
            echo_cancellation: !self.no_echo_cancellation,
            noise_suppression: match self.noise_suppression {
                NoiseChoice::Off => NoiseSuppression::Off,
                NoiseChoice::Standard => NoiseSuppression::Standard,
                NoiseChoice::Strong => NoiseSuppression::Strong,
            },
            automatic_gain: !self.no_automatic_gain,
        }
    }

    /// The codecs to negotiate, the most wanted first.
    pub fn codecs(&self) -> Vec<VideoCodec> {
        match self.codec {
            None => vec![VideoCodec::H264, VideoCodec::Vp8],
            Some(CodecChoice::H264) => vec![VideoCodec::H264],
            Some(CodecChoice::Vp8) => vec![VideoCodec::Vp8],
        }
    }
}

/// How much noise is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NoiseChoice {
    /// None.
    Off,
    /// Some 12 dB.
    Standard,
    /// Some 21 dB.
    Strong,
}

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u32, pub u32);

/// A video codec by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CodecChoice {
    /// RFC 6184.
    H264,
    /// RFC 7741.
    Vp8,
}

fn parse_size(text: &str) -> Result<Size, String> {
    let (width, height) = text
        .split_once(['x', 'X'])
        .ok_or("write it as WIDTHxHEIGHT, such as 1280x720")?;
    let side = |text: &str| match text.parse::<u32>() {
        Ok(pixels) if (16..=4096).contains(&pixels) && pixels % 2 == 0 => Ok(pixels),
        _ => Err("width and height are even numbers from 16 to 4096"),
    };
    Ok(Size(side(width)?, side(height)?))
}

fn parse_rotation(text: &str) -> Result<Rotation, String> {
    let rotation = text.parse().ok().and_then(Rotation::of_degrees);
    rotation.ok_or_else(|| "pictures are turned by 0, 90, 180 or 270 degrees".to_owned())
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    text.parse::<f64>()
        .ok()
        .filter(|seconds| *seconds >= 0.0)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "write a number of seconds, such as 10 or 2.5".to_owned())
}

/// What to join.
#[derive(Debug, Args)]
pub struct JoinArguments {
    /// The invitation, which also says which server.
    #[arg(value_name = "LINK", value_parser = invite)]
    pub link: InviteLink,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
}

fn invite(text: &str) -> Result<InviteLink, String> {
    let problem = "an invitation looks like https://192.0.2.1:7450/i?fp=…#…; copy the whole of it";
    text.parse().map_err(|_| problem.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(arguments: &[&str]) -> Result<MediaArguments, clap::Error> {
        let line = ["vireo-cli", "call", "Bob"].iter().chain(arguments);
        Arguments::try_parse_from(line).map(|parsed| match parsed.command {
            Command::Call(call) => call.media,
            other => panic!("not a call: {other:?}"),
        })
    }

    #[test]
    fn a_bare_call_is_720p30_with_h264_first() {
        let media = call(&[]).expect("valid");
        assert_eq!(media.format(DEFAULT_FORMAT), DEFAULT_FORMAT);
        assert_eq!(media.codecs(), [VideoCodec::H264, VideoCodec::Vp8]);
        assert_eq!(media.duration, None);
        assert!(media.camera.is_none());
        assert_eq!(media.voice(), VoiceSettings::default());
    }

    #[test]
    fn everything_can_be_chosen() {
        let media = call(&[
            "--size=640x360",
            "--fps=15",
            "--rotate=270",
            "--codec=vp8",
            "--max-bitrate=500000",
            "--for=2.5",
            "--camera=pattern",
            "--microphone=tone:440",
            "--speaker=none",
            "--noise-suppression=strong",
            "--no-echo-cancellation",
            "--no-automatic-gain",
            "--record=out",
            "--stats=s.jsonl",
            "--frames=f.csv",
            "--coded=c.ivf",
        ])
        .expect("valid");
        let format = media.format(DEFAULT_FORMAT);
        assert_eq!(
            (format.width, format.height, format.frame_rate),
            (640, 360, 15)
        );
        assert_eq!(media.rotate, Rotation::ThreeQuarters);
        assert_eq!(media.codecs(), [VideoCodec::Vp8]);
        assert_eq!(media.duration, Some(Duration::from_millis(2500)));
        assert_eq!(media.camera, Some(CameraChoice::Pattern));
        assert_eq!(media.microphone, Some(MicrophoneChoice::Tone(440.0)));
        assert_eq!(media.speaker, Some(SpeakerChoice::None));
        let voice = VoiceSettings {
            echo_cancellation: false,
            noise_suppression: NoiseSuppression::Strong,
            automatic_gain: false,
        };
        assert_eq!(media.voice(), voice);
    }

    #[test]
    fn what_makes_no_sense_is_a_usage_error() {
        for wrong in [
            "--size=1280",
            "--size=1281x720",
            "--size=0x0",
            "--size=99999x2",
            "--fps=0",
            "--fps=x",
            "--rotate=45",
            "--rotate=right",
            "--codec=av1",
            "--max-bitrate=1",
            "--for=-1",
            "--for=NaN",
            "--for=1e300",
            "--camera=webcam",
            "--camera=file:",
            "--microphone=tone:loud",
            "--microphone=tone:-5",
            "--speaker=tone",
            "--no-such-thing",
        ] {
            let error = call(&[wrong]).expect_err(wrong);
            assert_eq!(error.exit_code(), 2, "{wrong}");
        }
    }

    #[test]
    fn global_arguments_go_before_or_after_the_command() {
        for line in [
            "vireo-cli --server http://x --user A --password-file f contacts list",
            "vireo-cli contacts list --server http://x --user A --password-file f",
        ] {
            let parsed = Arguments::try_parse_from(line.split(' ')).expect(line);
            assert_eq!(parsed.server.as_deref(), Some("http://x"));
            assert_eq!(parsed.user.as_deref(), Some("A"));
        }
    }
}
