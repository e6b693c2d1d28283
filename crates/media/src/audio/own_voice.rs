//! What the microphone's sound tells the person themselves: that they speak, that they do so while muted, that nothing is
//! heard of them. All of it is found out on this computer and stays there.

use super::{AudioFrame, FRAME_SAMPLES, SAMPLE_RATE, VoiceActivity};
use crate::{MediaEvent, MicrophoneHint};

/// Frames in a second.
const SECOND: u32 = SAMPLE_RATE / FRAME_SAMPLES as u32;

/// Who has spoken for so long while muted does not know that nobody hears it.
const UNAWARE_AFTER: u32 = 3 * SECOND;

/// The hint is there for so long at most: who speaks on by then speaks to somebody in the room.
const HINT_FOR: u32 = 10 * SECOND;

/// Who has been quiet for so long may have forgotten.
const FORGETS_AFTER: u32 = 5 * SECOND;

/// Nothing but zeros for so long: every microphone that works has some noise of its own.
const DEAD_AFTER: u32 = 5 * SECOND;

/// Follows one microphone.
#[derive(Default)]
pub(super) struct OwnVoice {
    activity: VoiceActivity,
    while_muted: SpeechWhileMuted,
    /// Frames of nothing but zeros in a row.
    zeros: u32,
    speaks: bool,
    hint: Option<MicrophoneHint>,
}

/// What is known of 10 ms.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard {
    /// The source is a device and gave nothing but zeros.
    pub(super) dead: bool,
    pub(super) muted: bool,
}

impl OwnVoice {
    /// Takes the next 10 ms, as they would be sent, and tells what has changed.
    pub(super) fn hear(&mut self, frame: &AudioFrame, heard: Heard, tell: impl FnMut(MediaEvent)) {
        let active = self.activity.hear(frame);
        self.zeros = if heard.dead { self.zeros + 1 } else { 0 };
        let hint = if heard.muted {
            let unaware = self.while_muted.hear(active);
            unaware.then_some(MicrophoneHint::SpeaksWhileMuted)
        } else {
            self.while_muted = SpeechWhileMuted::default();
            (self.zeros >= DEAD_AFTER).then_some(MicrophoneHint::HearsNothing)
        };
        self.tell_changes(active && !heard.muted, hint, tell);
    }

    /// There is no microphone.
    pub(super) fn absent(&mut self, tell: impl FnMut(MediaEvent)) {
        if self.speaks || self.hint.is_some() {
            *self = Self {
                speaks: self.speaks,
                hint: self.hint,
                ..Self::default()
            };
            self.tell_changes(false, None, tell);
        }
    }

    fn tell_changes(
        &mut self,
        speaks: bool,
        hint: Option<MicrophoneHint>,
        mut tell: impl FnMut(MediaEvent),
    ) {
        if std::mem::replace(&mut self.speaks, speaks) != speaks {
            tell(MediaEvent::Speaks(speaks));
        }
        if std::mem::replace(&mut self.hint, hint) != hint {
            tell(MediaEvent::MicrophoneHint(hint));
        }
    }
}

/// When to tell somebody that they are muted: once, until they have paused.
#[derive(Debug, Default)]
struct SpeechWhileMuted {
    spoken: u32,
    quiet: u32,
    hinted: u32,
}

impl SpeechWhileMuted {
    /// Takes 10 ms; whether the hint is to be seen.
    fn hear(&mut self, active: bool) -> bool {
        if active {
            self.spoken += 1;
            self.quiet = 0;
        } else {
            self.quiet += 1;
        }
        if self.quiet >= FORGETS_AFTER {
            *self = Self::default();
        }
        let unaware = self.spoken >= UNAWARE_AFTER && self.hinted < HINT_FOR;
        self.hinted += u32::from(unaware);
        unaware
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long the hint is seen within these seconds.
    fn hinted(speech: &mut SpeechWhileMuted, seconds: u32, active: bool) -> u32 {
        let frames = seconds * SECOND;
        (0..frames).filter(|_| speech.hear(active)).count() as u32
    }

    #[test]
    fn who_speaks_while_muted_is_told_once_until_they_pause() {
        let mut speech = SpeechWhileMuted::default();
        assert_eq!(hinted(&mut speech, 2, true), 0);
        assert_eq!(hinted(&mut speech, 2, false), 0);
        // Three seconds in all, with a pause to breathe.
        assert_eq!(hinted(&mut speech, 2, true), SECOND + 1);
        assert_eq!(hinted(&mut speech, 20, true), HINT_FOR - SECOND - 1);
        assert_eq!(hinted(&mut speech, 6, false), 0);
        assert_eq!(hinted(&mut speech, 4, true), SECOND + 1);
        // It goes with the pause that arms it again.
        assert_eq!(hinted(&mut speech, 6, false), FORGETS_AFTER - 1);
    }

    fn follow(voice: &mut OwnVoice, frames: u32, heard: Heard) -> Vec<MediaEvent> {
        let mut told = Vec::new();
        for _ in 0..frames {
            voice.hear(&AudioFrame::SILENCE, heard, |event| told.push(event));
        }
        told
    }

    #[test]
    fn a_microphone_of_nothing_but_zeros_is_told_unless_it_is_muted() {
        let dead = |muted| Heard { dead: true, muted };
        let alive = Heard {
            dead: false,
            muted: false,
        };
        let hint = |hint| vec![MediaEvent::MicrophoneHint(hint)];
        let mut voice = OwnVoice::default();
        assert_eq!(follow(&mut voice, 10 * SECOND, dead(true)), []);
        assert_eq!(
            follow(&mut voice, 1, dead(false)),
            hint(Some(MicrophoneHint::HearsNothing))
        );
        assert_eq!(follow(&mut voice, SECOND, dead(false)), []);
        assert_eq!(follow(&mut voice, SECOND, alive), hint(None));
        assert_eq!(follow(&mut voice, DEAD_AFTER - 1, dead(false)), []);
        assert_eq!(follow(&mut voice, 1, alive), []);
        follow(&mut voice, DEAD_AFTER, dead(false));
        let mut told = Vec::new();
        voice.absent(|event| told.push(event));
        voice.absent(|event| told.push(event));
        assert_eq!(told, hint(None));
    }
}
