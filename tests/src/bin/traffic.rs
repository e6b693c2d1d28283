//! Makes and measures the traffic of `vireo_tests::traffic`: `traffic TASK`, the task as JSON.
#![allow(clippy::print_stdout, reason = "what it saw goes there")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use socket2::SockRef;
use vireo_tests::traffic::{CongestionControl, Seen, Stream, Task};

/// Of IP and UDP.
const HEADERS: usize = 28;

/// After so long without a packet no more will come.
const SILENCE: Duration = Duration::from_secs(1);

fn main() -> Result<()> {
    let task = std::env::args().nth(1).context("usage: traffic TASK")?;
    let seen = match serde_json::from_str(&task)? {
        Task::Echo(at) => echo(at)?,
        Task::Ping(to, stream) => ping(to, stream)?,
        Task::Count(at) => count(at)?,
        Task::Send(to, stream) => send(to, stream)?,
        Task::Download(at) => download(at)?,
        Task::Upload {
            to,
            control,
            after,
            lasts,
        } => upload(to, control, after, lasts)?,
    };
    println!("{}", serde_json::to_string(&seen)?);
    Ok(())
}

fn ready() {
    println!("ready");
}

fn echo(at: SocketAddr) -> Result<Seen> {
    let socket = UdpSocket::bind(at)?;
    ready();
    let mut packet = [0; 2048];
    loop {
        let (length, from) = socket.recv_from(&mut packet)?;
        socket.send_to(&packet[..length], from)?;
    }
}

fn ping(to: SocketAddr, stream: Stream) -> Result<Seen> {
    let socket = connected(to)?;
    ready();
    let start = Instant::now();
    let answers = socket.try_clone()?;
    let reader = thread::spawn(move || read_answers(&answers, start));
    send_at(&socket, stream, start)?;
    reader.join().ok().context("the reading thread panicked")?
}

/// Each packet says when it was sent.
fn read_answers(socket: &UdpSocket, start: Instant) -> Result<Seen> {
    let mut seen = Seen::default();
    let mut packet = [0; 2048];
    socket.set_read_timeout(Some(SILENCE))?;
    while let Ok(length) = socket.recv(&mut packet) {
        let sent = packet[..8].try_into().map(u64::from_be_bytes)?;
        seen.packets += 1;
        seen.bytes += (length + HEADERS) as u64;
        let round_trip = start.elapsed().checked_sub(Duration::from_nanos(sent));
        seen.round_trips
            .push(round_trip.context("sent in the future")?);
    }
    Ok(seen)
}

fn count(at: SocketAddr) -> Result<Seen> {
    let socket = UdpSocket::bind(at)?;
    ready();
    let mut seen = Seen::default();
    let mut packet = [0; 2048];
    seen.first_bytes = (socket.recv(&mut packet)? + HEADERS) as u64;
    (seen.packets, seen.bytes) = (1, seen.first_bytes);
    let first = Instant::now();
    socket.set_read_timeout(Some(SILENCE))?;
    while let Ok(length) = socket.recv(&mut packet) {
        seen.packets += 1;
        seen.bytes += (length + HEADERS) as u64;
        seen.lasted = first.elapsed();
    }
    Ok(seen)
}

fn send(to: SocketAddr, stream: Stream) -> Result<Seen> {
    let socket = connected(to)?;
    ready();
    send_at(&socket, stream, Instant::now())?;
    Ok(Seen {
        packets: u64::from(stream.packets),
        bytes: u64::from(stream.packets) * u64::from(stream.bytes),
        ..Seen::default()
    })
}

fn send_at(socket: &UdpSocket, stream: Stream, start: Instant) -> Result<()> {
    let mut packet = vec![0; (stream.bytes as usize).saturating_sub(HEADERS).max(8)];
    for number in 0..stream.packets {
        let due = start + stream.gap * number;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let now = u64::try_from(start.elapsed().as_nanos())?;
        packet[..8].copy_from_slice(&now.to_be_bytes());
        socket.send(&packet)?;
    }
    Ok(())
}

fn download(at: SocketAddr) -> Result<Seen> {
    let listener = TcpListener::bind(at)?;
    ready();
    let (mut connection, _) = listener.accept()?;
    let mut seen = Seen::default();
    let mut buffer = vec![0; 1 << 16];
    let first = Instant::now();
    loop {
        let length = connection.read(&mut buffer)?;
        if length == 0 {
            return Ok(seen);
        }
        seen.packets += 1;
        seen.bytes += length as u64;
        seen.lasted = first.elapsed();
    }
}

fn upload(
    to: SocketAddr,
    control: CongestionControl,
    after: Duration,
    lasts: Duration,
) -> Result<Seen> {
    ready();
    thread::sleep(after);
    let mut connection = TcpStream::connect(to)?;
    SockRef::from(&connection)
        .set_tcp_congestion(control.name().as_bytes())
        .with_context(|| format!("this kernel does not offer {}", control.name()))?;
    // What still waits in the kernel at the end is thrown away with the connection.
    connection.set_write_timeout(Some(lasts))?;
    let start = Instant::now();
    let buffer = vec![0; 1 << 14];
    let mut seen = Seen::default();
    while start.elapsed() < lasts {
        match connection.write(&buffer) {
            Ok(length) => seen.bytes += length as u64,
            Err(_) => break,
        }
    }
    seen.lasted = start.elapsed();
    Ok(seen)
}

fn connected(to: SocketAddr) -> Result<UdpSocket> {
    let socket = UdpSocket::bind(("0.0.0.0", 0))?;
    socket.connect(to)?;
    Ok(socket)
}
