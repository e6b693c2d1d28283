//! What there is to choose from.

/// A camera, a microphone or a speaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// What it is opened by; stays the same when it is plugged in again, as far as the system knows.
    pub id: String,
    /// What a person calls it.
    pub name: String,
}
