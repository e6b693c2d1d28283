//! The call: its state machine, its engine and its peer connection.

pub mod peer;
