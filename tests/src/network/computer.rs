//! A computer of its own: a network namespace, with nothing in it but what it is linked to.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use anyhow::{Context, ensure};

use super::SERVER;

/// Says when it is there, and lasts until its standard input is closed, however whoever holds the other end comes to its end.
const HOLD: [&str; 3] = ["sh", "-c", "echo there; exec cat"];

const NO_NAMESPACE: &str = "the system gives no network namespace; on Ubuntu, \
    `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0` allows it";

/// A computer of a [`Network`](super::Network). Copies are the same computer, which lasts as long as one of them.
#[derive(Clone)]
pub struct Computer(Arc<Holder>);

/// A process whose namespace it is.
struct Holder(Child);

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

impl Computer {
    /// The first one, with rights over those that are to come.
    pub(super) fn first() -> anyhow::Result<Self> {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--net"]);
        let first = Self::hold(command)?;
        first.run("ip link set lo up")?;
        first.run(ROUTE_LOOPBACK)?;
        Ok(first)
    }

    /// Another one under the same rights, on which [`SERVER`] is not itself.
    pub(super) fn beside(first: &Self) -> anyhow::Result<Self> {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--target={}", first.id()))
            .args(["--user", "--preserve-credentials"])
            .args(["unshare", "--net"]);
        let computer = Self::hold(command)?;
        computer.run(
            "ip link set lo up
             ip route delete local 127.0.0.0/8 dev lo table local",
        )?;
        computer.run(ROUTE_LOOPBACK)?;
        Ok(computer)
    }

    fn hold(mut command: Command) -> anyhow::Result<Self> {
        let mut holder = command
            .args(HOLD)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context(NO_NAMESPACE)?;
        let stdout = holder.stdout.take().context("the pipe was asked for")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        ensure!(line == "there\n", NO_NAMESPACE);
        Ok(Self(Arc::new(Holder(holder))))
    }

    /// The process whose namespaces are this computer's.
    pub(crate) fn id(&self) -> u32 {
        self.0.0.id()
    }

    /// A command that will run on this computer.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--target={}", self.id()))
            .args(["--user", "--net", "--preserve-credentials"])
            .arg(program);
        command
    }

    /// Runs lines of shell on this computer, each of which must do well.
    ///
    /// # Errors
    /// When one of them does not.
    pub fn run(&self, lines: &str) -> anyhow::Result<()> {
        // Where the tools for networks lie is not on everybody's path.
        let script = format!("PATH=$PATH:/usr/sbin:/sbin\n{lines}");
        let ended = self.command("sh").args(["-ec", &script]).output()?;
        let complaint = String::from_utf8_lossy(&ended.stderr);
        ensure!(ended.status.success(), "{lines}: {complaint}");
        Ok(())
    }

    /// Links the two. `here` is this side's address, `there` the other's, whose way to everywhere this becomes.
    pub(super) fn link(
        &self,
        other: &Self,
        name: &str,
        here: &str,
        there: &str,
    ) -> anyhow::Result<()> {
        let id = other.id();
        self.run(&format!(
            "ip link add {name} type veth peer name wan netns {id}
             ip address add {here}/24 dev {name}
             ip link set {name} up"
        ))?;
        other.run(&format!(
            "ip address add {there}/24 dev wan
             ip link set wan up
             ip route add default via {here}
             ip route add {SERVER} via {here}"
        ))
    }
}

/// Lets packets from and to addresses of the loopback's range cross a link.
const ROUTE_LOOPBACK: &str = "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet";
