//! What the server counts. Atomic numbers only: counting costs nothing that anybody would notice.

use std::sync::atomic::{AtomicU64, Ordering};

static RELAY_ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static RELAY_BYTES: AtomicU64 = AtomicU64::new(0);

/// So many allocations are there on the relay now.
pub fn relay_allocations(now: usize) {
    RELAY_ALLOCATIONS.store(now as u64, Ordering::Relaxed);
}

/// The relay has passed so many bytes on.
pub fn relay_passed(bytes: usize) {
    RELAY_BYTES.fetch_add(bytes as u64, Ordering::Relaxed);
}
