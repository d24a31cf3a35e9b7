//! Instances that are put back to how they were when they were made, in place of new ones.

use wasmtime::component::Instance;
use wasmtime_c_api::wasmtime_store_t;

use crate::inside;

/// What an instance was like when it was made.
pub struct weft_lts_initial_t(wasmtime::Initial);

/// What is needed to put an instance back to how it is now, before its first call; null if that can't be done. It is to be
/// freed with `weft_lts_initial_delete`.
#[unsafe(no_mangle)]
pub extern "C" fn weft_lts_initial(
    store: &mut wasmtime_store_t,
    instance: &Instance,
) -> Option<Box<weft_lts_initial_t>> {
    let initial = instance.initial(inside::store(store))?;
    Some(Box::new(weft_lts_initial_t(initial)))
}

/// Puts an instance back to how it was, after calls that have ended well. If it returns false, the store is to be deleted.
#[unsafe(no_mangle)]
pub extern "C" fn weft_lts_restore(
    store: &mut wasmtime_store_t,
    instance: &Instance,
    initial: &weft_lts_initial_t,
) -> bool {
    instance.restore(inside::store(store), &initial.0)
}

#[unsafe(no_mangle)]
pub extern "C" fn weft_lts_initial_delete(_initial: Box<weft_lts_initial_t>) {}
