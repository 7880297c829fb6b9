//! Memory that will be needed soon.

/// The smallest piece of memory that a cache holds.
const CACHE_LINE: usize = 64;

/// Has the processor bring a value nearer while the program goes on. Never waits and changes nothing.
#[inline(always)] // A hint of one instruction for each cache line.
pub fn prefetch<T: ?Sized>(what: &T) {
    #[cfg(target_arch = "x86_64")]
    for offset in (0..size_of_val(what)).step_by(CACHE_LINE) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let line = std::ptr::from_ref(what).cast::<i8>().wrapping_add(offset);
        // SAFETY: a hint neither reads nor writes, whatever the address, and all of these belong to a value. SSE,
        // which it takes, is part of this architecture.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = what;
}
