//! The values of wasmtime that structs of its C API hold. Their fields are private to the C API; each of those structs
//! has one member and the layout of that, by `repr(transparent)` or `repr(C)`. A struct that gets another member does
//! not compile here.

use wasmtime::component::{Component, Linker, LinkerInstance};
use wasmtime::{Config, Error, PoolingAllocationConfig, Store};
use wasmtime_c_api::{
    WasmtimeStoreData, wasm_config_t, wasmtime_component_linker_instance_t,
    wasmtime_component_linker_t, wasmtime_component_t, wasmtime_error_t,
    wasmtime_pooling_allocation_config_t, wasmtime_store_t,
};

/// Defines a function that sees the value inside a struct.
macro_rules! inside {
    ($($name:ident: $outer:ty => $inner:ty,)*) => {$(
        pub fn $name(outer: &$outer) -> &$inner {
            const { assert!(same_layout::<$outer, $inner>()) }
            // SAFETY: the struct has one member, which is of this type.
            unsafe { &*std::ptr::from_ref(outer).cast() }
        }
    )*};
}

/// Defines a function that may change the value inside a struct.
macro_rules! inside_mut {
    ($($name:ident$(<$life:lifetime>)?: $outer:ty => $inner:ty,)*) => {$(
        pub fn $name<'o $(, $life)?>(outer: &'o mut $outer) -> &'o mut $inner {
            const { assert!(same_layout::<$outer, $inner>()) }
            // SAFETY: the struct has one member, which is of this type.
            unsafe { &mut *std::ptr::from_mut(outer).cast() }
        }
    )*};
}

inside! {
    component: wasmtime_component_t => Component,
    error: wasmtime_error_t => Error,
    linker: wasmtime_component_linker_t => Linker<WasmtimeStoreData>,
}

inside_mut! {
    config: wasm_config_t => Config,
    linker_instance<'a>: wasmtime_component_linker_instance_t<'a> => LinkerInstance<'a, WasmtimeStoreData>,
    pool: wasmtime_pooling_allocation_config_t => PoolingAllocationConfig,
    store: wasmtime_store_t => Store<WasmtimeStoreData>,
}

pub const fn same_layout<A, B>() -> bool {
    size_of::<A>() == size_of::<B>() && align_of::<A>() == align_of::<B>()
}
