//! The memory that the engine allocates. A call takes and frees about a hundred small pieces, on any of several threads, and the C
//! library's allocator takes a tenth of a small call's time for that.

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Gives memory back to the system that the allocator keeps.
#[unsafe(no_mangle)]
pub extern "C" fn weft_lts_collect() {
    // SAFETY: any thread may call it at any time.
    unsafe { libmimalloc_sys::mi_collect(true) }
}
