//! H.264 by OpenH264, through a thin wrapper of our own.

mod beginning;
mod decoder;
mod encoder;

pub use decoder::H264Decoder;
pub use encoder::H264Encoder;
