//! Limits of a store that trap where the C API's own make `memory.grow` return -1. A guest's allocator may turn that
//! into anything: an abort that looks like any other, or a null pointer that the guest writes to.

use std::fmt;
use std::ptr::NonNull;

use wasmtime::{ResourceLimiter, Result};
use wasmtime_c_api::{wasmtime_error_t, wasmtime_store_t};

use crate::inside;

struct Limits {
    memory: usize,
    table_elements: usize,
}

/// What a guest gets that needs more memory than it may have.
#[derive(Debug)]
struct MemoryRefused {
    desired: usize,
    limit: usize,
}

impl fmt::Display for MemoryRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a memory of {} bytes exceeds the limit of {}",
            self.desired, self.limit
        )
    }
}

impl std::error::Error for MemoryRefused {}

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        if desired <= self.memory {
            return Ok(true);
        }
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false); // that is the guest's own bound
        }
        let limit = self.memory;
        Err(MemoryRefused { desired, limit }.into())
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        Ok(desired <= self.table_elements)
    }
}

/// Owns the limits that a store's limiter returns.
struct Owner(NonNull<Limits>);

// SAFETY: the limits are used by whoever uses the store, which is one thread at a time.
unsafe impl Send for Owner {}
unsafe impl Sync for Owner {}

impl Drop for Owner {
    fn drop(&mut self) {
        // SAFETY: it came from Box::leak, and the store that used it is gone.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

/// Bounds each linear memory and each table of a store, in bytes and elements. Memory that would exceed its bound is an
/// error of instantiation, or a trap where the guest grows it; `weft_lts_memory_refused` recognises both.
#[unsafe(no_mangle)]
pub extern "C" fn weft_lts_limit(store: &mut wasmtime_store_t, memory: usize, table_elements: usize) {
    let owner = Owner(NonNull::from(Box::leak(Box::new(Limits {
        memory,
        table_elements,
    }))));
    inside::store(store).limiter(move |_| {
        let owner = &owner;
        // SAFETY: the store owns this closure, and uses one result at a time.
        unsafe { &mut *owner.0.as_ptr() }
    });
}

/// Whether an error, or what caused it, is that a store's limit refused memory.
#[unsafe(no_mangle)]
pub extern "C" fn weft_lts_memory_refused(error: &wasmtime_error_t) -> bool {
    inside::error(error).is::<MemoryRefused>()
}
