//! A Redis server of a test's own.

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

const START: Duration = Duration::from_secs(20);

/// Starts Redis and says its process number; ends it when standard input does, which is when the test's process is gone.
const SUPERVISOR: &str = r#"
"$@" > /dev/null 2>&1 < /dev/null &
echo $!
read -r word
kill -CONT $! 2> /dev/null; kill -KILL $! 2> /dev/null; wait $!
"#;

/// A Redis server on a port of loopback that keeps nothing on disk. Ends when dropped.
#[derive(Debug)]
pub struct Redis {
    port: u16,
    running: Option<(Child, String)>,
}

impl Redis {
    /// Starts one and waits until it answers.
    ///
    /// # Errors
    /// When Redis is not installed or does not start.
    pub fn start() -> anyhow::Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut server = Self {
            port,
            running: None,
        };
        server.start_again()?;
        Ok(server)
    }

    /// Where it is reached.
    #[must_use]
    pub fn address(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills it at once, as a crash would. All that it held is gone.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let (supervisor, _) = self.running.take().context("Redis does not run")?;
        end(supervisor)
    }

    /// Lets it stand still, or go on: `STOP`, `CONT`.
    ///
    /// # Errors
    /// When it does not run.
    pub fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let (_, process) = self.running.as_ref().context("Redis does not run")?;
        Command::new("kill")
            .arg(format!("-{signal}"))
            .arg(process)
            .status()?;
        Ok(())
    }

    /// Starts it at the same address, after [`Redis::kill`].
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        let port = self.port.to_string();
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", SUPERVISOR, "sh", "redis-server", "--port", &port])
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            // So that whoever ends the test's group does not end the one who ends Redis.
            .process_group(0)
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut supervisor = command.spawn()?;
        let stdout = supervisor.stdout.take().context("the pipe was asked for")?;
        let mut process = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut process)?;
        self.running = Some((supervisor, process.trim().to_owned()));
        let start = Instant::now();
        while !self.answers() {
            if start.elapsed() > START {
                bail!("Redis does not answer. Is the package redis-server installed?");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn answers(&self) -> bool {
        use std::io::Read;
        let ask = || -> std::io::Result<bool> {
            let mut connection = std::net::TcpStream::connect(("127.0.0.1", self.port))?;
            connection.set_read_timeout(Some(Duration::from_secs(1)))?;
            connection.write_all(b"PING\r\n")?;
            let mut answer = [0; 5];
            connection.read_exact(&mut answer)?;
            Ok(&answer == b"+PONG")
        };
        ask().unwrap_or(false)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if let Some((supervisor, _)) = self.running.take() {
            let _ = end(supervisor);
        }
    }
}

fn end(mut supervisor: Child) -> anyhow::Result<()> {
    drop(supervisor.stdin.take());
    supervisor.wait()?;
    Ok(())
}
