//! What somebody tries out while no call goes on: how loud their microphone is, what their camera shows, how it sounds. In a
//! call the same meter shows what the call's own microphone hears, and nothing is opened here.

mod camera;
mod meter;
mod microphone;
mod sounds;
mod view;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::{sync::watch, task::JoinHandle};
use vireo_call::{MediaFactory, NoticeKind, Phase};
use vireo_media::{AudioFrame, DeviceKind, Following, MediaError};

use self::{microphone::Listener, view::Teller};
use crate::{
    devices::{DesktopMedia, Wish, notice_kind},
    view::{AppView, Screen},
};

pub use meter::{Meter, Metered};
pub use view::{DeviceProblem, Levels, RehearsalView, SoundTest, Wanted};

/// How often a meter is brought up to date: 20 times a second.
const TICK: Duration = Duration::from_millis(50);

/// Opens devices for whoever tries them out, and lets them go when nobody does any more or a call begins.
pub struct Rehearsal {
    media: Arc<DesktopMedia>,
    view: watch::Sender<AppView>,
    levels: watch::Sender<Levels>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    wants: Wanted,
    sound: SoundTest,
    /// Counts sounds, so that the end of one is not taken for that of the next.
    sounds: u64,
    microphone: Option<Wish>,
    camera: Option<Wish>,
    speaker: Option<Wish>,
    ticker: Option<JoinHandle<()>>,
    following: Option<Following>,
}

impl Rehearsal {
    /// Nothing is tried out yet.
    #[must_use]
    pub fn new(
        media: Arc<DesktopMedia>,
        view: watch::Sender<AppView>,
        levels: watch::Sender<Levels>,
    ) -> Arc<Self> {
        Arc::new(Self {
            media,
            view,
            levels,
            state: Mutex::default(),
        })
    }

    /// Says what is to be tried out from now on.
    pub fn set(self: &Arc<Self>, wanted: Wanted) {
        self.lock().wants = wanted;
        self.settle();
    }

    /// Plays the test sound, or records the microphone and plays that, or stops either.
    pub fn set_sound(self: &Arc<Self>, test: SoundTest) {
        let mut state = self.lock();
        if state.sound == test {
            return;
        }
        state.speaker = None;
        state.sound = SoundTest::None;
        match test {
            SoundTest::Sound => self.play(&mut state, SoundTest::Sound, sounds::test_sound()),
            SoundTest::Recording if !self.calls() => state.sound = SoundTest::Recording,
            SoundTest::None | SoundTest::Recording | SoundTest::Playing => {}
        }
        drop(state);
        self.settle();
    }

    /// Another device is to be used from now on.
    pub fn renew(self: &Arc<Self>, kind: NoticeKind) {
        let mut state = self.lock();
        match kind {
            NoticeKind::Camera => state.camera = None,
            NoticeKind::Microphone => state.microphone = None,
            NoticeKind::Speaker => {}
        }
        drop(state);
        self.settle();
    }

    /// Lets everything go when a call begins, and opens it again when the call is over. Returns when there are no more views.
    pub async fn follow(self: Arc<Self>) {
        let mut view = self.view.subscribe();
        let mut before = false;
        while view.changed().await.is_ok() {
            let calls = has_call(&view.borrow_and_update().screen);
            if calls != before {
                before = calls;
                self.settle();
            }
        }
    }

    /// Opens and lets go what the wishes and the call ask for.
    fn settle(self: &Arc<Self>) {
        let calls = self.calls();
        let mut state = self.lock();
        if calls && matches!(state.sound, SoundTest::Recording | SoundTest::Playing) {
            state.sound = SoundTest::None;
            state.speaker = None;
        }
        let hears = !calls && (state.wants.microphone || state.sound == SoundTest::Recording);
        if !hears {
            state.microphone = None;
        } else if state.microphone.as_ref().is_none_or(Wish::is_over) {
            state.microphone = self.start_microphone();
        }
        let sees = !calls && state.wants.camera;
        if !sees {
            state.camera = None;
        } else if state.camera.as_ref().is_none_or(Wish::is_over) {
            state.camera = self.start_camera();
        }
        if !state.wants.microphone {
            if let Some(ticker) = state.ticker.take() {
                ticker.abort();
            }
        } else if state.ticker.is_none() {
            state.ticker = Some(self.start_ticker());
        }
        let sound = state.sound;
        let follows = hears || sees || (!calls && state.wants.list);
        // Whoever is told of devices may come here, so that is changed without the lock.
        let following = state.following.take().filter(|_| follows);
        drop(state);
        let following = following.or_else(|| follows.then(|| self.start_following()).flatten());
        self.lock().following = following;
        self.show(|view| {
            view.sound = sound;
            if !hears {
                view.microphone = None;
            }
            if !sees {
                view.camera = None;
            }
        });
    }

    fn start_microphone(self: &Arc<Self>) -> Option<Wish> {
        let (loan, wish) = self.media.loans().lend(DeviceKind::Microphone);
        let (records, recorded) = (Arc::downgrade(self), Arc::downgrade(self));
        let listener = Listener {
            meter: self.media.meter().clone(),
            records: Box::new(move || {
                let this = records.upgrade()?;
                let records = this.lock().sound == SoundTest::Recording;
                records.then(|| this.view.borrow().voice)
            }),
            recorded: Box::new(move |frames| {
                if let Some(this) = recorded.upgrade() {
                    this.play_recording(frames);
                }
            }),
            tell: self.teller(DeviceKind::Microphone),
        };
        let media = self.media.clone();
        let started = microphone::listen(loan, move || media.microphone(), listener);
        started.is_ok().then_some(wish)
    }

    fn start_camera(self: &Arc<Self>) -> Option<Wish> {
        let (loan, wish) = self.media.loans().lend(DeviceKind::Camera);
        let (media, sink) = (self.media.clone(), self.media.preview());
        let tell = self.teller(DeviceKind::Camera);
        let started = camera::show(loan, move || media.camera(), sink, tell);
        started.is_ok().then_some(wish)
    }

    fn start_ticker(&self) -> JoinHandle<()> {
        let (meter, levels) = (self.media.meter().clone(), self.levels.clone());
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(TICK);
            loop {
                ticks.tick().await;
                let microphone = meter.take();
                levels.send_if_modified(|levels| {
                    let is_news = levels.microphone != microphone;
                    levels.microphone = microphone;
                    is_news
                });
            }
        })
    }

    fn start_following(self: &Arc<Self>) -> Option<Following> {
        let this = Arc::downgrade(self);
        self.media.follow_devices(Box::new(move |kind| {
            if let Some(this) = this.upgrade() {
                this.renew(notice_kind(kind));
            }
        }))
    }

    fn play_recording(self: &Arc<Self>, frames: Vec<AudioFrame>) {
        let mut state = self.lock();
        if state.sound != SoundTest::Recording {
            return;
        }
        self.play(&mut state, SoundTest::Playing, frames);
        drop(state);
        self.settle();
    }

    fn play(self: &Arc<Self>, state: &mut State, test: SoundTest, frames: Vec<AudioFrame>) {
        let (loan, wish) = self.media.loans().lend(DeviceKind::Speaker);
        state.sounds += 1;
        let number = state.sounds;
        let (media, this) = (self.media.clone(), Arc::downgrade(self));
        let done = move |outcome: Result<(), MediaError>| {
            if let Some(this) = this.upgrade() {
                this.played(number, outcome.as_ref().err());
            }
        };
        if sounds::play(frames, loan, move || media.open_speaker(), done).is_ok() {
            state.speaker = Some(wish);
            state.sound = test;
        }
    }

    fn played(self: &Arc<Self>, number: u64, error: Option<&MediaError>) {
        let mut state = self.lock();
        if state.sounds == number {
            state.sound = SoundTest::None;
            state.speaker = None;
        }
        drop(state);
        self.show(|view| view.speaker = error.map(DeviceProblem::from));
        self.settle();
    }

    /// Tells the window why a device cannot be tried out.
    fn teller(self: &Arc<Self>, kind: DeviceKind) -> Teller {
        let this: Weak<Self> = Arc::downgrade(self);
        Box::new(move |error| {
            if let Some(this) = this.upgrade() {
                let problem = error.map(DeviceProblem::from);
                this.show(|view| match kind {
                    DeviceKind::Camera => view.camera = problem,
                    DeviceKind::Microphone => view.microphone = problem,
                    DeviceKind::Speaker => view.speaker = problem,
                });
            }
        })
    }

    fn show(&self, change: impl FnOnce(&mut RehearsalView)) {
        self.view.send_if_modified(|view| {
            let mut now = view.rehearsal;
            change(&mut now);
            let is_news = now != view.rehearsal;
            view.rehearsal = now;
            view.revision += u64::from(is_news);
            is_news
        });
    }

    fn calls(&self) -> bool {
        has_call(&self.view.borrow().screen)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics halfway through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a call has the devices, or is about to.
fn has_call(screen: &Screen) -> bool {
    let Screen::Home(client) = screen else {
        return false;
    };
    client.call.as_ref().is_some_and(|call| match call.phase {
        Phase::Incoming | Phase::Ended { .. } => false,
        Phase::Calling
        | Phase::Ringing
        | Phase::Connecting
        | Phase::Connected
        | Phase::Reconnecting => true,
    })
}
