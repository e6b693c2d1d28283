//! In a build without codecs (a server's, say) the names are there and say so.

use bytes::Bytes;

use crate::MediaError;

fn absent() -> MediaError {
    MediaError::Codec("This build of Vireo has no Opus codec.".into())
}

/// Cannot be made in this build.
pub struct OpusEncoder(std::convert::Infallible);

impl OpusEncoder {
    /// # Errors
    /// Always [`MediaError::Codec`].
    pub fn new(_bits_per_second: u32) -> Result<Self, MediaError> {
        Err(absent())
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    pub fn set_bitrate(&mut self, _bits_per_second: u32) -> Result<(), MediaError> {
        match self.0 {}
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    pub fn set_packet_loss(&mut self, _percent: u8) -> Result<(), MediaError> {
        match self.0 {}
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    pub fn encode(&mut self, _samples: &[f32]) -> Result<Bytes, MediaError> {
        match self.0 {}
    }
}

/// Cannot be made in this build.
pub struct OpusDecoder(std::convert::Infallible);

impl OpusDecoder {
    /// # Errors
    /// Always [`MediaError::Codec`].
    pub fn new() -> Result<Self, MediaError> {
        Err(absent())
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    pub fn decode(&mut self, _packet: &[u8]) -> Result<&[f32], MediaError> {
        match self.0 {}
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    pub fn decode_fec(&mut self, _next: &[u8], _samples: usize) -> Result<&[f32], MediaError> {
        match self.0 {}
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    pub fn conceal(&mut self, _samples: usize) -> Result<&[f32], MediaError> {
        match self.0 {}
    }
}
