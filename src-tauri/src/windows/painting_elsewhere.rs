//! The system's own web view knows how to paint.

/// Nothing to choose.
pub const fn choose() {}
