//! A computer's sound without a sound card: a private PulseAudio with a virtual speaker and a virtual microphone.
//!
//! ```text
//! played by the test → feed (null sink) → its monitor → “Test microphone” → Vireo
//! Vireo → “Test speaker” (null sink) → its monitor → recorded by the test
//! ```

mod passing;
mod recording;

use std::{
    ffi::OsString,
    io::Write,
    os::unix::net::UnixStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;

pub use passing::Passing;
pub use recording::Recording;

/// Samples a second of everything that is played and recorded here; mono.
pub const RATE: u32 = 48_000;

/// A virtual speaker, a virtual microphone, and what feeds it.
const SCRIPT: &str = "
load-module module-native-protocol-unix auth-anonymous=1
load-module module-null-sink sink_name=speaker rate=48000 channels=2 sink_properties=device.description=Test_speaker
load-module module-null-sink sink_name=feed rate=48000 channels=1 channel_map=mono sink_properties=device.description=Feed
load-module module-remap-source master=feed.monitor source_name=microphone source_properties=device.description=Test_microphone
set-default-sink speaker
set-default-source microphone
";

/// What the virtual devices are called.
pub const MICROPHONE: &str = "Test_microphone";

/// What the virtual devices are called.
pub const SPEAKER: &str = "Test_speaker";

/// A running PulseAudio of its own. Ended when dropped.
pub struct Pulse {
    server: Child,
    folder: TempDir,
}

impl Pulse {
    /// Starts one and waits until it answers.
    ///
    /// # Errors
    /// When PulseAudio is not installed or does not start.
    pub fn start() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("pulse").tempdir()?;
        let server = launch(folder.path())?;
        let mut this = Self { server, folder };
        this.wait_until_it_answers()?;
        Ok(this)
    }

    /// Kills it, as when the sound system crashes.
    pub fn kill(&mut self) {
        end(&mut self.server);
    }

    /// Starts it again where it was.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.kill();
        self.server = launch(self.folder.path())?;
        self.wait_until_it_answers()
    }

    fn wait_until_it_answers(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + Duration::from_secs(20);
        let log = |this: &Self| {
            std::fs::read_to_string(this.folder.path().join("log")).unwrap_or_default()
        };
        loop {
            if let Some(status) = self.server.try_wait()? {
                bail!("pulseaudio ended ({status}): {}", log(self));
            }
            // The defaults are set by the script's last lines.
            if UnixStream::connect(self.folder.path().join("pulse/native")).is_ok()
                && self
                    .pactl(&["get-default-source"])
                    .is_ok_and(|source| source.trim() == "microphone")
            {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "pulseaudio does not answer: {}",
                log(self)
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The environment of a program that is to hear and play here.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        variables(self.folder.path())
    }

    /// The same for a window, which has its folders from its display.
    #[must_use]
    pub fn environment_of_window(&self) -> Vec<(&'static str, String)> {
        self.environment()
            .into_iter()
            .filter(|(name, _)| name.starts_with("PULSE") || *name == "XDG_CONFIG_HOME")
            .map(|(name, value)| (name, value.to_string_lossy().into_owned()))
            .collect()
    }

    /// Runs `pactl`; gives what it printed.
    ///
    /// # Errors
    /// When it fails.
    pub fn pactl(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = Command::new("pactl")
            .args(arguments)
            .envs(self.environment())
            .output()?;
        ensure!(
            output.status.success(),
            "pactl {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Lets the microphone hear the speaker, after this delay and changed by so many decibels, as in a room.
    ///
    /// # Errors
    /// When PulseAudio refuses.
    pub fn let_microphone_hear_speaker(
        &self,
        delay: Duration,
        decibels: f64,
    ) -> anyhow::Result<()> {
        let latency = format!("latency_msec={}", delay.as_millis());
        let module = self.pactl(&[
            "load-module",
            "module-loopback",
            "source=speaker.monitor",
            "sink=feed",
            &latency,
        ])?;
        let inputs = self.pactl(&["list", "short", "sink-inputs"])?;
        let input = inputs
            .lines()
            .find_map(|line| line.split('\t').next())
            .context("the loop has no stream")?;
        ensure!(
            inputs.lines().count() == 1,
            "only the loop {module} may play now: {inputs}"
        );
        self.pactl(&["set-sink-input-volume", input, &format!("{decibels:+.1}dB")])?;
        Ok(())
    }

    /// Plugs in a device of this name, of so many samples a second and channels: a microphone, which hears what is played
    /// into [`Plugged::feed`], or a speaker, whose sound is recorded by [`Self::record`].
    ///
    /// # Errors
    /// When PulseAudio refuses.
    pub fn plug_in(&self, what: Plug, name: &str) -> anyhow::Result<Plugged> {
        let Plug {
            speaker,
            rate,
            channels,
        } = what;
        let lower = name.to_lowercase();
        let sink = if speaker {
            lower.clone()
        } else {
            format!("{lower}_feed")
        };
        let sink_arguments = [
            "load-module",
            "module-null-sink",
            &format!("sink_name={sink}"),
            &format!("rate={rate}"),
            &format!("channels={channels}"),
            &format!("sink_properties=device.description={name}"),
        ];
        let mut modules = vec![self.pactl(&sink_arguments)?.trim().to_owned()];
        if !speaker {
            let source_arguments = [
                "load-module",
                "module-remap-source",
                &format!("master={sink}.monitor"),
                &format!("source_name={lower}"),
                &format!("source_properties=device.description={name}"),
            ];
            modules.push(self.pactl(&source_arguments)?.trim().to_owned());
        }
        Ok(Plugged {
            id: lower,
            feed: sink,
            modules,
        })
    }

    /// A speaker of this name whose sound comes out of the test's own one as well, so that one recording holds both.
    ///
    /// # Errors
    /// When PulseAudio refuses.
    pub fn plug_in_beside_speaker(&self, name: &str) -> anyhow::Result<Plugged> {
        let lower = name.to_lowercase();
        let arguments = [
            "load-module",
            "module-remap-sink",
            "master=speaker",
            &format!("sink_name={lower}"),
            &format!("sink_properties=device.description={name}"),
        ];
        let module = self.pactl(&arguments)?.trim().to_owned();
        Ok(Plugged {
            id: lower,
            feed: String::new(),
            modules: vec![module],
        })
    }

    /// Pulls it out, while it is used.
    ///
    /// # Errors
    /// When PulseAudio refuses.
    pub fn pull_out(&self, plugged: Plugged) -> anyhow::Result<()> {
        for module in plugged.modules.iter().rev() {
            self.pactl(&["unload-module", module])?;
        }
        Ok(())
    }

    /// Lets the speaker play what the microphone hears as soon as PulseAudio can.
    ///
    /// # Errors
    /// When PulseAudio refuses.
    pub fn let_speaker_play_microphone(&self) -> anyhow::Result<()> {
        self.pactl(&[
            "load-module",
            "module-loopback",
            "source=microphone",
            "sink=speaker",
            "latency_msec=1",
        ])?;
        Ok(())
    }

    /// Makes sure that this process plays and records here in PulseAudio's own language, as it does through cpal's
    /// PulseAudio host. ALSA's plugin would get it here as well, under another name.
    ///
    /// # Errors
    /// When it does not.
    pub fn ensure_used_directly(&self, process: u32) -> anyhow::Result<()> {
        let name = format!("application.name = \"cpal-pulseaudio-{process}\"");
        for streams in ["sink-inputs", "source-outputs"] {
            let list = self.pactl(&["list", streams])?;
            ensure!(
                list.contains(&name),
                "process {process} has none of the {streams}: {list}"
            );
        }
        Ok(())
    }

    /// Plays these samples into the microphone, again and again.
    ///
    /// # Errors
    /// When `pacat` cannot be started.
    pub fn play_into_microphone(&self, samples: Vec<f32>) -> anyhow::Result<Playing> {
        self.play_into("feed", samples)
    }

    /// Plays these samples to this sink, again and again.
    ///
    /// # Errors
    /// When `pacat` cannot be started.
    pub fn play_into(&self, sink: &str, samples: Vec<f32>) -> anyhow::Result<Playing> {
        let mut child = self
            .pacat("--playback", sink)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        let mut input = child.stdin.take().context("the pipe was asked for")?;
        let bytes: Vec<u8> = samples
            .iter()
            .flat_map(|sample| sample.to_le_bytes())
            .collect();
        let writer = thread::spawn(move || while input.write_all(&bytes).is_ok() {});
        Ok(Playing {
            child,
            writer: Some(writer),
        })
    }

    /// Records what comes out of the speaker.
    ///
    /// # Errors
    /// When `pacat` cannot be started.
    pub fn record_speaker(&self) -> anyhow::Result<Recording> {
        self.record("speaker")
    }

    /// Records what comes out of this sink.
    ///
    /// # Errors
    /// When `pacat` cannot be started.
    pub fn record(&self, sink: &str) -> anyhow::Result<Recording> {
        let child = self
            .pacat("--record", &format!("{sink}.monitor"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        Recording::of(child)
    }

    fn pacat(&self, mode: &str, device: &str) -> Command {
        let mut command = Command::new("pacat");
        command.args([
            mode,
            "--raw",
            "--format=float32le",
            "--channels=1",
            "--latency-msec=20",
        ]);
        command
            .arg(format!("--rate={RATE}"))
            .arg(format!("--device={device}"));
        command.envs(self.environment()).stderr(Stdio::null());
        command
    }
}

fn launch(folder: &Path) -> anyhow::Result<Child> {
    let script = folder.join("script.pa");
    std::fs::write(&script, SCRIPT)?;
    let log = std::fs::File::create(folder.join("log"))?;
    let mut command = Command::new("pulseaudio");
    command.args([
        "-n",
        "--daemonize=no",
        "--exit-idle-time=-1",
        "--disable-shm=yes",
        "--use-pid-file=no",
    ]);
    // As on a desktop. Where the system does not grant it, it goes on without, and runs dry while the computer is busy.
    command
        .args(["--high-priority=yes", "--realtime=yes", "--file"])
        .arg(&script);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    command
        .envs(variables(folder))
        .env_remove("PULSE_SERVER")
        .env_remove("DBUS_SESSION_BUS_ADDRESS");
    command
        .spawn()
        .context("pulseaudio cannot be started; is it installed?")
}

impl Drop for Pulse {
    fn drop(&mut self) {
        end(&mut self.server);
    }
}

/// Nothing of the user's own sound is touched or asked.
fn variables(folder: &Path) -> Vec<(&'static str, OsString)> {
    let server = format!("unix:{}", folder.join("pulse/native").display());
    vec![
        ("HOME", folder.into()),
        ("XDG_RUNTIME_DIR", folder.into()),
        // Its cookie lies in there, which is not where cpal's client would look by itself.
        ("XDG_CONFIG_HOME", folder.join("config").into()),
        ("PULSE_RUNTIME_PATH", folder.join("pulse").into()),
        ("PULSE_SERVER", server.into()),
    ]
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Sound that is being played. Ended when dropped.
pub struct Playing {
    child: Child,
    writer: Option<JoinHandle<()>>,
}

impl Drop for Playing {
    fn drop(&mut self) {
        end(&mut self.child);
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

/// A device to plug in.
#[derive(Debug, Clone, Copy)]
pub struct Plug {
    /// Whether it plays; else it hears.
    pub speaker: bool,
    /// Samples a second.
    pub rate: u32,
    /// How many.
    pub channels: u32,
}

/// A device that was plugged in.
#[derive(Debug)]
pub struct Plugged {
    /// Its name to the system.
    pub id: String,
    /// What a microphone hears is played here.
    pub feed: String,
    modules: Vec<String>,
}

/// A sine for [`Pulse::play_into_microphone`]: one second, so that whole hertz repeat without a seam.
#[must_use]
pub fn tone(hertz: u32) -> Vec<f32> {
    (0..RATE)
        .map(|i| 0.3 * (std::f32::consts::TAU * hertz as f32 * i as f32 / RATE as f32).sin())
        .collect()
}
