//! What the person says of themselves: of this device, which the server forgets with the connection, and whether they wish
//! to be called, which it keeps for all their devices.

use vireo_protocol::{ClientMessage, DeviceStatus};

use crate::OwnStatus;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Status {
    device: DeviceStatus,
    do_not_disturb: bool,
    /// Whether the person wishes to be called was said when the server could not hear it.
    unsaid: bool,
}

impl Status {
    /// What the person sees of it.
    pub fn shown(&self) -> OwnStatus {
        match (self.do_not_disturb, self.device) {
            (true, _) => OwnStatus::DoNotDisturb,
            (false, DeviceStatus::Online) => OwnStatus::Online,
            (false, DeviceStatus::Away) => OwnStatus::Away,
        }
    }

    /// The person says something else. Returns what the server has to be told.
    pub fn set(&mut self, status: OwnStatus) -> Vec<ClientMessage> {
        let before = self.do_not_disturb;
        self.do_not_disturb = status == OwnStatus::DoNotDisturb;
        let mut messages = Vec::new();
        if self.do_not_disturb != before {
            messages.push(self.say_do_not_disturb());
        }
        let device = match status {
            OwnStatus::Online => DeviceStatus::Online,
            OwnStatus::Away => DeviceStatus::Away,
            OwnStatus::DoNotDisturb => return messages,
        };
        if self.device != device {
            self.device = device;
            messages.push(ClientMessage::PresenceSet { status: device });
        }
        messages
    }

    /// The server did not hear, or may not have heard, whether the person wishes to be called.
    pub fn unheard(&mut self) {
        self.unsaid = true;
    }

    /// Whether the person wishes to be called, by what the server says: another device has said so, or it has not taken what
    /// this one said.
    pub fn told(&mut self, do_not_disturb: bool) {
        self.do_not_disturb = do_not_disturb;
    }

    /// The server has greeted. Returns what it has to be told.
    pub fn greeted(&mut self, do_not_disturb: bool) -> Vec<ClientMessage> {
        let mut messages = Vec::new();
        match std::mem::take(&mut self.unsaid) {
            true => messages.push(self.say_do_not_disturb()),
            false => self.do_not_disturb = do_not_disturb,
        }
        if self.device != DeviceStatus::default() {
            let status = self.device;
            messages.push(ClientMessage::PresenceSet { status });
        }
        messages
    }

    fn say_do_not_disturb(&self) -> ClientMessage {
        ClientMessage::PresenceDoNotDisturb {
            enabled: self.do_not_disturb,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AWAY: ClientMessage = ClientMessage::PresenceSet {
        status: DeviceStatus::Away,
    };

    fn do_not_disturb(enabled: bool) -> ClientMessage {
        ClientMessage::PresenceDoNotDisturb { enabled }
    }

    #[test]
    fn each_change_is_said_once() {
        let mut status = Status::default();
        assert_eq!(status.set(OwnStatus::Away), [AWAY]);
        assert_eq!(status.set(OwnStatus::DoNotDisturb), [do_not_disturb(true)]);
        assert_eq!(status.set(OwnStatus::DoNotDisturb), []);
        assert_eq!(status.set(OwnStatus::Away), [do_not_disturb(false)]);
        assert_eq!(status.shown(), OwnStatus::Away);
    }

    #[test]
    fn what_another_device_has_said_holds_unless_something_was_said_here() {
        let mut status = Status::default();
        assert_eq!(status.greeted(true), []);
        assert_eq!(status.shown(), OwnStatus::DoNotDisturb);
        status.told(false);
        assert_eq!(status.shown(), OwnStatus::Online);
        status.set(OwnStatus::Away);
        assert_eq!(status.greeted(false), [AWAY]);
        status.set(OwnStatus::DoNotDisturb);
        status.unheard();
        assert_eq!(status.greeted(false), [do_not_disturb(true), AWAY]);
        assert_eq!(status.shown(), OwnStatus::DoNotDisturb);
        assert_eq!(status.greeted(false), [AWAY], "it was ended elsewhere");
    }
}
