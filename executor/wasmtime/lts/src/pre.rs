//! Components whose imports were checked and resolved once, for all their instances.

use wasmtime::component::{Instance, InstancePre};
use wasmtime_c_api::{
    WasmtimeStoreData, wasmtime_component_linker_t, wasmtime_component_t, wasmtime_error_t,
    wasmtime_store_t,
};

use crate::inside;

/// A component with its imports, from which instances are made. It keeps both alive.
pub struct weft_lts_pre_t(InstancePre<WasmtimeStoreData>);

/// Resolves the imports of a component, and fails if the linker lacks one or has it with another type. On success, `out`
/// is to be freed with `weft_lts_pre_delete`. Later additions to the linker have no effect on it.
#[unsafe(no_mangle)]
pub extern "C" fn weft_lts_pre_new(
    linker: &wasmtime_component_linker_t,
    component: &wasmtime_component_t,
    out: &mut *mut weft_lts_pre_t,
) -> Option<Box<wasmtime_error_t>> {
    match inside::linker(linker).instantiate_pre(inside::component(component)) {
        Ok(pre) => {
            *out = Box::into_raw(Box::new(weft_lts_pre_t(pre)));
            None
        }
        Err(error) => Some(Box::new(error.into())),
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn weft_lts_pre_delete(_pre: Box<weft_lts_pre_t>) {}

/// Makes an instance in a store of the same engine. Any number of threads may do so at once, each with its own store.
#[unsafe(no_mangle)]
pub extern "C" fn weft_lts_pre_instantiate(
    pre: &weft_lts_pre_t,
    store: &mut wasmtime_store_t,
    out: &mut Instance,
) -> Option<Box<wasmtime_error_t>> {
    match pre.0.instantiate(inside::store(store)) {
        Ok(instance) => {
            *out = instance;
            None
        }
        Err(error) => Some(Box::new(error.into())),
    }
}
