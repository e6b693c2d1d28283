//! What happens to devices during a call, for the person at the screen.

/// A device came or went. The call goes on without it; the chains try to get it back by themselves.
/// The text is a whole sentence with a next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaEvent {
    /// There are no pictures from the camera: missing, busy, forbidden or gone; or none of them can be encoded.
    CameraLost(String),
    /// The camera delivers: said at its first picture, whether or not it was missed before, and once its pictures can be encoded (again).
    CameraReady,
    /// There is no sound from the microphone: missing, busy, forbidden or gone.
    MicrophoneLost(String),
    /// The microphone delivers (again).
    MicrophoneReady,
    /// Nothing can be heard: the speaker is missing, busy or gone.
    SpeakerLost(String),
    /// The speaker plays (again).
    SpeakerReady,
}
