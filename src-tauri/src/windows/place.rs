//! Where the main window was left, in logical pixels. Kept in the profile, as `window.json`.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};
use tauri::AppHandle;

/// The size of a window that has never been open.
const SIZE: (f64, f64) = (1100.0, 720.0);

/// So much of the bar at its top must be on a screen, so that the window can be taken hold of.
const HANDLE: (f64, f64) = (120.0, 24.0);

/// Where a window is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Its upper left corner; none leaves it to the system.
    pub corner: Option<(f64, f64)>,
    pub width: f64,
    pub height: f64,
    pub maximised: bool,
}

/// The part of a screen that windows may cover.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Screen {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

impl Place {
    /// Writes it down.
    pub fn save(&self, folder: &Path) -> io::Result<()> {
        fs::write(folder.join("window.json"), serde_json::to_vec(self)?)
    }

    /// The same place, as far as it can be seen on these screens. One that was on a screen that has gone is no place at all.
    fn on(self, screens: &[Screen]) -> Self {
        let shown = |(x, y): (f64, f64)| {
            screens.iter().find(|screen| {
                let width = (x + self.width).min(screen.x + screen.width) - x.max(screen.x);
                let height = (y + HANDLE.1).min(screen.y + screen.height) - y;
                width >= HANDLE.0 && height >= HANDLE.1 && y >= screen.y
            })
        };
        let screen = self.corner.and_then(shown);
        let room = screen.or(screens.first());
        Self {
            corner: self.corner.filter(|_| screen.is_some()),
            width: room.map_or(self.width, |room| self.width.min(room.width)),
            height: room.map_or(self.height, |room| self.height.min(room.height)),
            maximised: self.maximised,
        }
    }
}

/// Where the window was left, as far as that can still be seen.
pub fn restored(folder: Option<&Path>, screens: &[Screen]) -> Place {
    let left = folder
        .and_then(|folder| fs::read(folder.join("window.json")).ok())
        .and_then(|text| serde_json::from_slice::<Place>(&text).ok())
        .filter(|place| place.width >= 1.0 && place.height >= 1.0);
    let first = Place {
        corner: None,
        width: SIZE.0,
        height: SIZE.1,
        maximised: false,
    };
    left.unwrap_or(first).on(screens)
}

/// The screens that there are.
pub fn screens(app: &AppHandle) -> Vec<Screen> {
    let monitors = app.available_monitors().unwrap_or_default();
    monitors.iter().map(screen).collect()
}

/// What of a monitor windows may cover.
pub fn screen(monitor: &tauri::Monitor) -> Screen {
    let (area, scale) = (monitor.work_area(), monitor.scale_factor());
    let (corner, size) = (
        area.position.to_logical::<f64>(scale),
        area.size.to_logical::<f64>(scale),
    );
    Screen {
        x: corner.x,
        y: corner.y,
        width: size.width,
        height: size.height,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEFT: Screen = Screen {
        x: 0.0,
        y: 0.0,
        width: 1920.0,
        height: 1040.0,
    };
    const RIGHT: Screen = Screen {
        x: 1920.0,
        y: 200.0,
        width: 1280.0,
        height: 1024.0,
    };

    fn at(x: f64, y: f64) -> Place {
        Place {
            corner: Some((x, y)),
            width: 1000.0,
            height: 700.0,
            maximised: false,
        }
    }

    #[test]
    fn a_window_comes_back_where_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let screens = [LEFT, RIGHT];
        assert_eq!(restored(Some(folder.path()), &screens).corner, None);
        for place in [at(100.0, 50.0), at(2000.0, 300.0), at(-800.0, 10.0)] {
            place.save(folder.path()).expect("writable");
            assert_eq!(restored(Some(folder.path()), &screens), place);
        }
        fs::write(folder.path().join("window.json"), "{").expect("writable");
        assert_eq!(restored(Some(folder.path()), &screens).width, SIZE.0);
    }

    #[test]
    fn it_never_comes_back_where_nobody_sees_it() {
        for lost in [
            at(2000.0, 300.0),
            at(-950.0, 10.0),
            at(1850.0, 10.0),
            at(100.0, -30.0),
            at(100.0, 1030.0),
        ] {
            assert_eq!(lost.on(&[LEFT]).corner, None, "{lost:?}");
        }
        // Between two screens, below the upper edge of one of them.
        assert_eq!(at(1900.0, 100.0).on(&[LEFT, RIGHT]).corner, None);
        let small = Screen {
            width: 800.0,
            height: 600.0,
            ..LEFT
        };
        let fitted = at(100.0, 50.0).on(&[small]);
        assert_eq!((fitted.width, fitted.height), (800.0, 600.0));
    }
}
