//! What a process and its descendants cost, read from Linux's `/proc`.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Processor time and proportional memory of a tree of processes at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    at: Instant,
    /// User and system time of every process of the tree that lives.
    pub processor: Duration,
    /// Proportional set size, in bytes.
    pub pss: u64,
}

impl Usage {
    /// Reads one process, without those below it.
    #[must_use]
    pub fn of_process(process: u32) -> Self {
        Self::sum([process])
    }

    /// Reads the tree whose root is `root`. A process that ends meanwhile counts as nothing.
    #[must_use]
    pub fn of(root: u32) -> Self {
        Self::sum(tree(root))
    }

    fn sum(processes: impl IntoIterator<Item = u32>) -> Self {
        let mut ticks = 0;
        let mut pss = 0;
        for process in processes {
            ticks += processor_ticks(&process.to_string()).unwrap_or(0);
            pss += proportional_set_size(process).unwrap_or(0);
        }
        Self {
            at: Instant::now(),
            processor: time(ticks),
            pss,
        }
    }

    /// Share of one core used since an earlier reading.
    #[must_use]
    pub fn cores_since(&self, earlier: &Self) -> f64 {
        let wall = self.at.duration_since(earlier.at).as_secs_f64();
        self.processor
            .saturating_sub(earlier.processor)
            .as_secs_f64()
            / wall
    }
}

/// The memory of one process, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Proportional set size: what is shared counts by its share.
    pub pss: u64,
    /// Resident set size.
    pub rss: u64,
}

/// The memory of one process; nothing when there is no such process.
#[must_use]
pub fn memory(process: u32) -> Option<Memory> {
    let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
    Some(Memory {
        pss: kilobytes(&rollup, "Pss:")? * 1024,
        rss: kilobytes(&rollup, "Rss:")? * 1024,
    })
}

/// The first process below `root` that runs this program.
#[must_use]
pub fn find(root: u32, program: &Path) -> Option<u32> {
    let runs = |process: &u32| {
        fs::read_link(format!("/proc/{process}/exe")).is_ok_and(|exe| exe == program)
    };
    tree(root).into_iter().find(runs)
}

/// How long a process has been running; nothing when there is no such process.
#[must_use]
pub fn age(process: u32) -> Option<Duration> {
    let uptime = fs::read_to_string("/proc/uptime").ok()?;
    let now: f64 = uptime.split(' ').next()?.parse().ok()?;
    // In the same hundredths of a second as the processor's time.
    let started = stat_field(&process.to_string(), 22)? as f64 / 100.0;
    Some(Duration::from_secs_f64((now - started).max(0.0)))
}

/// A thread of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// The main one has its process's number.
    pub id: u32,
    /// Cut off after 15 letters.
    pub name: String,
    /// User and system time.
    pub processor: Duration,
}

/// The threads of a process; none when there is no such process.
#[must_use]
pub fn threads(process: u32) -> Vec<Thread> {
    let folder = format!("/proc/{process}/task");
    let threads = fs::read_dir(&folder).into_iter().flatten().flatten();
    let read = |id: u32| {
        let thread = format!("{process}/task/{id}");
        Some(Thread {
            id,
            name: name_of(&thread)?,
            processor: time(processor_ticks(&thread)?),
        })
    };
    threads
        .filter_map(|entry| read(entry.file_name().to_str()?.parse().ok()?))
        .collect()
}

/// What the system calls the program of a process, cut off after 15 letters.
#[must_use]
pub fn program(process: u32) -> Option<String> {
    name_of(&process.to_string())
}

/// Of a process, or of a thread as `PROCESS/task/THREAD`.
fn name_of(task: &str) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/{task}/comm")).ok()?;
    Some(name.trim().to_owned())
}

/// The process and all below it.
#[must_use]
pub fn tree(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    for process in processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()) {
        if let Some(parent) = stat_field(&process.to_string(), 4) {
            children.entry(parent as u32).or_default().push(process);
        }
    }
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&process) = found.get(next) {
        found.extend(children.get(&process).into_iter().flatten());
        next += 1;
    }
    found
}

/// Field `number` of `/proc/TASK/stat`, counted from 1 as in proc(5). The name in field 2 may hold spaces and brackets.
fn stat_field(task: &str, number: usize) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{task}/stat")).ok()?;
    let behind_name = &stat[stat.rfind(')')? + 2..];
    behind_name.split(' ').nth(number - 3)?.parse().ok()
}

fn processor_ticks(task: &str) -> Option<u64> {
    Some(stat_field(task, 14)? + stat_field(task, 15)?)
}

fn time(ticks: u64) -> Duration {
    let ticks_per_second = 100; // USER_HZ, the same on every Linux that Rust's standard library supports.
    Duration::from_millis(ticks * 1000 / ticks_per_second)
}

fn proportional_set_size(process: u32) -> Option<u64> {
    Some(memory(process)?.pss)
}

/// The number on the line that begins with `name`.
fn kilobytes(rollup: &str, name: &str) -> Option<u64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}
