//! What the application writes down of what it does: on standard error, and the last of it in memory, for whoever wants to send
//! it to somebody who helps. That holds no addresses and no names: those do not belong into a log anyway, and what looks like
//! one is taken out.

use std::{
    collections::VecDeque,
    io,
    net::{Ipv4Addr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tracing_subscriber::{
    EnvFilter, Layer as _, fmt::MakeWriter, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

/// So many lines are remembered.
const LINES: usize = 2000;

/// A line is cut off here, in bytes.
const LONGEST: usize = 1000;

/// The last lines. Cheap to clone; all clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<Mutex<VecDeque<String>>>);

/// Starts writing, and remembering.
pub fn start() -> Memory {
    let memory = Memory::default();
    // Of ours alone: what libraries write down may hold addresses.
    let shown =
        EnvFilter::try_from_env("VIREO_LOG").unwrap_or_else(|_| EnvFilter::new("vireo=warn"));
    let terminal = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let remembered = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(memory.clone());
    tracing_subscriber::registry()
        .with(terminal.with_filter(shown))
        .with(remembered.with_filter(EnvFilter::new("vireo=info")))
        .init();
    memory
}

impl Memory {
    /// All of it, as the content of a file.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!(
            "Vireo {} on {} {}\n",
            env!("CARGO_PKG_VERSION"),
            std::env::consts::OS,
            std::env::consts::ARCH
        );
        for line in self.lock().iter() {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    fn remember(&self, line: &str) {
        let mut lines = self.lock();
        if lines.len() == LINES {
            lines.pop_front();
        }
        let end = line.floor_char_boundary(LONGEST);
        lines.push_back(without_addresses_and_names(&line[..end]));
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<String>> {
        // Every change under this lock is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a line at a time.
pub struct Line(Memory);

impl io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for line in String::from_utf8_lossy(bytes).lines() {
            self.0.remember(line);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Memory {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(self.clone())
    }
}

/// The line without what looks like an address, a path or the name of a device or person: what stands in quotation marks.
fn without_addresses_and_names(line: &str) -> String {
    let mut rest = line;
    let mut unquoted = String::with_capacity(line.len());
    while let Some((before, quoted)) = rest.split_once('“') {
        unquoted.push_str(before);
        unquoted.push_str("“…”");
        rest = quoted.split_once('”').map_or("", |(_, after)| after);
    }
    unquoted.push_str(rest);
    let words = unquoted.split(' ').map(|word| {
        if is_address(word) {
            "[address]"
        } else if word.contains(['/', '\\']) {
            "[path]"
        } else {
            word
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Whether a word holds an address of a computer or a page. The names of modules have colons as well, and letters beside them.
fn is_address(word: &str) -> bool {
    let v4 = word
        .split(|sign: char| !(sign.is_ascii_digit() || sign == '.'))
        .any(|part| part.trim_matches('.').parse::<Ipv4Addr>().is_ok());
    let v6 = word
        .split(|sign: char| !(sign.is_alphanumeric() || "_.:".contains(sign)))
        .map(|part| part.trim_end_matches([':', '.']))
        .any(|part| part.parse::<Ipv6Addr>().is_ok());
    v4 || v6 || word.contains("://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_paths_and_names_are_taken_out() {
        for (line, left) in [
            ("a call begins", "a call begins"),
            ("from 192.168.0.7:4711 it", "from [address] it"),
            ("from=192.168.0.7.", "[address]"),
            ("peer [2001:db8::1]:443", "peer [address]"),
            ("fe80::1%eth0 answers", "[address] answers"),
            ("to https://example.org#sha256=ab", "to [address]"),
            ("reads /home/jonas/settings.json", "reads [path]"),
            (r"reads C:\Users\Jonas", "reads [path]"),
            (
                "The camera “Jonas’s phone” is gone",
                "The camera “…” is gone",
            ),
            ("cut off “Jon", "cut off “…”"),
            (
                "2026-11-07T12:30:00.123456Z  INFO vireo_call::machine: ringing",
                "2026-11-07T12:30:00.123456Z  INFO vireo_call::machine: ringing",
            ),
            ("1.5 ms of 12:30", "1.5 ms of 12:30"),
        ] {
            assert_eq!(without_addresses_and_names(line), left);
        }
    }

    #[test]
    fn the_last_lines_are_remembered() {
        let memory = Memory::default();
        for number in 0..LINES + 10 {
            memory.remember(&format!("line {number}"));
        }
        let text = memory.text();
        assert_eq!(text.lines().count(), LINES + 1);
        assert!(text.starts_with("Vireo "));
        assert!(text.contains("line 10\n") && !text.contains("line 9\n"));
    }
}
