//! Gives back what only windows needed, once the last one has gone: WebKit's network process, which stays otherwise, and the
//! mapped pages of libraries, most of which are WebKit's.
#![allow(
    unsafe_code,
    reason = "the kernel and the C library are told what is not needed"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process,
    sync::LazyLock,
};

/// WebKit's network process, as the system cuts its name off.
const NETWORK_PROCESS: &str = "WebKitNetworkPr";

/// To be called while there is no window. Everything comes back by itself when it is needed.
pub fn give_back() {
    for child in children() {
        if name(child).as_deref() == Some(NETWORK_PROCESS) {
            // SAFETY: it is a child of this process that nobody has waited for, so that the number is still its own.
            // WebKit starts another one with the next web view, as it does after a crash.
            unsafe { libc::kill(child, libc::SIGTERM) };
        }
    }
    // SAFETY: it takes no memory from anybody, and may be called at any time.
    unsafe { libc::malloc_trim(0) };
    let mappings = fs::read_to_string("/proc/self/smaps").unwrap_or_default();
    for (start, length) in clean_mappings(&mappings) {
        // SAFETY: nothing was ever written to these pages and nothing can be, so that they are read from their file again
        // as they were. They are the program's and its libraries', which stay mapped for as long as the process lives.
        unsafe { libc::madvise(start as *mut libc::c_void, length, libc::MADV_DONTNEED) };
    }
}

/// Start and length of every mapping of the program and its libraries that cannot be written to and of which no page is a
/// copy of this process's own.
fn clean_mappings(smaps: &str) -> Vec<(usize, usize)> {
    let mut clean = Vec::new();
    let mut current = None;
    for line in smaps.lines() {
        if let Some(mapping) = header(line) {
            current = mapping;
        } else if line.starts_with("Anonymous:") && line.trim_end().ends_with(" 0 kB") {
            clean.extend(current.take());
        }
    }
    clean
}

/// The first line about a mapping; Some(None) where it is of no interest. `5580-5590 r-xp 00000000 fe:00 1234   /usr/lib/…`
fn header(line: &str) -> Option<Option<(usize, usize)>> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let number = |text| usize::from_str_radix(text, 16).ok();
    let (start, end) = (number(start)?, number(end)?);
    let rights = fields.next()?;
    let file = fields.nth(3).unwrap_or_default();
    let stays = file.contains(".so") || Path::new(file) == process_file();
    let wanted = stays && rights.starts_with("r-") && rights.ends_with('p');
    Some(wanted.then_some((start, end.saturating_sub(start))))
}

/// The program.
fn process_file() -> &'static Path {
    static FILE: LazyLock<PathBuf> = LazyLock::new(|| std::env::current_exe().unwrap_or_default());
    &FILE
}

/// The processes that this one has started.
fn children() -> Vec<i32> {
    let threads = fs::read_dir(format!("/proc/{}/task", process::id()));
    let lists = threads.into_iter().flatten().flatten();
    lists
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|list| {
            let numbers = list.split_ascii_whitespace().filter_map(|n| n.parse().ok());
            numbers.collect::<Vec<_>>()
        })
        .collect()
}

fn name(process: i32) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/{process}/comm")).ok()?;
    Some(name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::clean_mappings;

    #[test]
    fn only_what_can_be_read_again_is_given_back() {
        let smaps = "\
5580-5590 r-xp 00000000 fe:00 1234   /usr/lib/libgtk.so
Rss:                 100 kB
Anonymous:             0 kB
5590-55a0 r--p 00010000 fe:00 1234   /usr/lib/libgtk.so
Anonymous:             4 kB
55a0-55b0 rw-p 00010000 fe:00 1234   /usr/lib/libgtk.so
Anonymous:             0 kB
55b0-55c0 r--p 00000000 00:00 0
Anonymous:             0 kB
55b0-55c0 r--p 00000000 fe:00 99   /usr/share/fonts/a.ttf
Anonymous:             0 kB
55c0-55d0 r--s 00000000 00:05 77   /usr/lib/libgtk.so
Anonymous:             0 kB
";
        assert_eq!(clean_mappings(smaps), [(0x5580, 0x10)]);
    }

    #[test]
    fn this_process_goes_on_after_it_has_given_everything_back() {
        let before = std::fs::read_to_string("/proc/self/statm").expect("readable");
        super::give_back();
        assert!(!before.is_empty());
        let again: Vec<_> = (0..1000).map(|n| format!("{n}")).collect();
        assert_eq!(again.concat().len(), 2890);
    }
}
