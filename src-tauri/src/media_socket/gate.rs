//! Which pictures may pass. A decoder that has missed one must not see another before the next key frame.

/// More pictures than this on their way to the web view is a backlog: a quarter of a second at 30 a second.
pub const MOST_UNDERWAY: usize = 8;

/// What to do with a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Send it.
    Pass,
    /// Drop it; a key frame has been asked for already.
    Drop,
    /// Drop it, and ask for a key frame.
    DropAndAsk,
}

/// Decides for each picture, in order.
#[derive(Debug)]
pub struct Gate {
    waiting_for_key_frame: bool,
    dropped_while_waiting: u32,
}

/// After so many dropped pictures the key frame is asked for once more: the first request may have been lost.
const ASK_AGAIN_AFTER: u32 = 15;

impl Default for Gate {
    fn default() -> Self {
        Self {
            waiting_for_key_frame: true,
            dropped_while_waiting: ASK_AGAIN_AFTER - 1,
        }
    }
}

impl Gate {
    /// Decides for the next picture, while so many are under way.
    pub fn decide(&mut self, key_frame: bool, underway: usize) -> Verdict {
        if underway >= MOST_UNDERWAY {
            // Asking now would only lengthen the queue: the request follows as soon as there is room.
            self.waiting_for_key_frame = true;
            self.dropped_while_waiting = ASK_AGAIN_AFTER - 1;
            return Verdict::Drop;
        }
        if key_frame {
            self.waiting_for_key_frame = false;
        }
        if !self.waiting_for_key_frame {
            return Verdict::Pass;
        }
        self.dropped_while_waiting += 1;
        if self.dropped_while_waiting < ASK_AGAIN_AFTER {
            return Verdict::Drop;
        }
        self.dropped_while_waiting = 0;
        Verdict::DropAndAsk
    }

    /// Nothing passes before the next key frame.
    pub fn close(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_passes_before_the_first_key_frame_which_is_asked_for_at_once_and_again() {
        let mut gate = Gate::default();
        assert_eq!(gate.decide(false, 0), Verdict::DropAndAsk);
        let asked = (0..30).filter(|_| gate.decide(false, 0) == Verdict::DropAndAsk);
        assert_eq!(asked.count(), 2);
        assert_eq!(gate.decide(true, 0), Verdict::Pass);
        assert_eq!(gate.decide(false, 1), Verdict::Pass);
    }

    #[test]
    fn a_backlog_is_dropped_up_to_the_next_key_frame_that_finds_room() {
        let mut gate = Gate::default();
        assert_eq!(gate.decide(true, 0), Verdict::Pass);
        assert_eq!(gate.decide(false, MOST_UNDERWAY), Verdict::Drop);
        assert_eq!(gate.decide(true, MOST_UNDERWAY), Verdict::Drop);
        assert_eq!(gate.decide(false, 2), Verdict::DropAndAsk);
        assert_eq!(gate.decide(false, 0), Verdict::Drop);
        assert_eq!(gate.decide(true, 0), Verdict::Pass);
    }
}
