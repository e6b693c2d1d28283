//! VP8 by libvpx: the codec that is always there.

mod decoder;
mod encoder;

pub use decoder::Vp8Decoder;
pub use encoder::Vp8Encoder;
