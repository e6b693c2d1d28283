//! How long the start takes, and which part of it: one line in the log, for whoever finds it slow and for
//! `cargo xtask bench desktop`, which reads it.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde::Deserialize;
use ts_rs::TS;

/// No start takes longer, in milliseconds; what is said beyond it is no part of one.
const LONGEST: f64 = 600_000.0;

/// The moments of a window's start that only its page knows, in Unix milliseconds.
#[derive(Debug, Clone, Copy, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PageTimes {
    /// The web view began to load the page.
    pub page: f64,
    /// The page's script ran.
    pub script: f64,
    /// It had the first view.
    pub view: f64,
    /// It had painted one that can be used: the contacts, or what the person is asked first.
    pub usable: f64,
}

/// The start of this program.
#[derive(Debug)]
pub struct Start {
    began: Instant,
    at: SystemTime,
    /// What has been passed so far; none once the start is over.
    steps: Mutex<Option<Steps>>,
}

/// Names, and how long after the program's first line.
#[derive(Debug, Default, Clone, PartialEq)]
struct Steps(Vec<(&'static str, Duration)>);

impl Start {
    /// It begins.
    pub fn now() -> Self {
        Self {
            began: Instant::now(),
            at: SystemTime::now(),
            steps: Mutex::new(Some(Steps::default())),
        }
    }

    /// This is done now, if the start is not over yet.
    pub fn passed(&self, step: &'static str) {
        let after = self.began.elapsed();
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(steps) = steps.as_mut() {
            steps.0.push((step, after));
        }
    }

    /// The first window can be used: the start is over. Windows that are opened later say the same, which is nothing new.
    pub fn over(&self, page: PageTimes) {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(steps) = steps.take() {
            let steps = steps.with(page, self.at);
            tracing::info!("the window can be used: {steps}");
        }
    }
}

impl Steps {
    /// With what the page says, in the order of time.
    fn with(mut self, page: PageTimes, began: SystemTime) -> Self {
        let began = began.duration_since(UNIX_EPOCH).unwrap_or_default();
        for (step, at) in [
            ("page", page.page),
            ("script", page.script),
            ("view", page.view),
            ("usable", page.usable),
        ] {
            let after = at - began.as_secs_f64() * 1e3;
            if (0.0..LONGEST).contains(&after) {
                self.0.push((step, Duration::from_secs_f64(after / 1e3)));
            }
        }
        self.0.sort_by_key(|(_, after)| *after);
        self
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (step, after)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{step} {} ms", after.as_millis())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_stand_in_the_order_of_time() {
        let steps = Steps(vec![
            ("window", Duration::from_millis(90)),
            ("account", Duration::from_millis(250)),
        ]);
        let began = UNIX_EPOCH + Duration::from_secs(1_000);
        let page = PageTimes {
            page: 1_000_200.0,
            script: f64::NAN,
            view: 999_000.0,
            usable: 1_000_512.9,
        };
        let told = steps.with(page, began).to_string();
        assert_eq!(
            told,
            "window 90 ms, page 200 ms, account 250 ms, usable 512 ms"
        );
    }

    #[test]
    fn a_start_is_over_once() {
        let start = Start::now();
        start.passed("window");
        let page = PageTimes {
            page: 0.0,
            script: 0.0,
            view: 0.0,
            usable: 0.0,
        };
        start.over(page);
        start.passed("late");
        assert!(start.steps.lock().expect("nobody panics").is_none());
    }
}
