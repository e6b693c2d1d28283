//! The thread that looks for devices, while somebody follows. Not every system says when one comes or goes; looking is the
//! same everywhere, and takes a millisecond.

use std::{sync::Arc, thread, time::Duration};

use super::{DeviceLists, DeviceNews, Shared, lock};
use crate::{DeviceKind, DeviceList, audio::SoundLister, video::CameraLister};

/// From one look to the next.
const INTERVAL: Duration = Duration::from_millis(500);

/// Somebody follows.
pub(super) fn attend(shared: &Arc<Shared>) {
    let mut state = lock(&shared.state);
    state.followers += 1;
    if std::mem::replace(&mut state.is_watched, true) {
        let lists = state.lists.clone();
        drop(state);
        if let Some(lists) = lists {
            shared.tell(&[DeviceNews::Listed(lists)]);
        }
        return;
    }
    drop(state);
    let theirs = Arc::clone(shared);
    let spawned = thread::Builder::new()
        .name("watch-devices".into())
        .spawn(move || run(&theirs));
    if let Err(error) = spawned {
        tracing::warn!(%error, "nobody looks for new devices");
        lock(&shared.state).is_watched = false;
    }
}

/// Somebody does not follow any more. The thread ends when it next looks around.
pub(super) fn leave(shared: &Shared) {
    lock(&shared.state).followers -= 1;
    shared.changed.notify_all();
}

fn run(shared: &Shared) {
    let (mut sound, mut cameras) = (SoundLister::default(), CameraLister::default());
    let mut is_first = true;
    loop {
        let (microphones, speakers) = sound.look();
        let now = DeviceLists {
            cameras: DeviceList {
                default: None,
                devices: cameras.look(),
            },
            microphones,
            speakers,
        };
        shared.tell(&noticed(shared, now, std::mem::take(&mut is_first)));
        let mut state = lock(&shared.state);
        if state.followers > 0 {
            let waited = shared
                .changed
                .wait_timeout_while(state, INTERVAL, |state| state.followers > 0);
            state = waited
                .map(|(state, _)| state)
                .unwrap_or_else(|poisoned| poisoned.into_inner().0);
        }
        if state.followers == 0 {
            state.is_watched = false;
            return;
        }
    }
}

/// What is new at this look. For whoever looks for the first time, or for the first time since long, nothing has just been
/// plugged in.
fn noticed(shared: &Shared, now: DeviceLists, is_first: bool) -> Vec<DeviceNews> {
    let mut state = lock(&shared.state);
    let before = state.lists.replace(now.clone()).filter(|_| !is_first);
    if before.as_ref() == Some(&now) {
        return Vec::new();
    }
    let mut news = vec![DeviceNews::Listed(now.clone())];
    for kind in DeviceKind::ALL {
        let used = state.used(kind);
        match &before {
            Some(before) => news.extend(used.follow(kind, before.of(kind), now.of(kind))),
            None => used.device = used.of(now.of(kind)).cloned(),
        }
    }
    news
}
