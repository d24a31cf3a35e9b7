//! wasmtime's C API, and the functions that weft needs beyond it. `lts.h`, in the directory above, declares those; the
//! header that `build.rs` makes of this file says what they are, and TestDeclarations compares the two.

#![allow(non_camel_case_types, reason = "C's names")]

mod bytes;
mod given;
mod heap;
mod inside;
mod limit;
mod pre;
mod restore;
mod values;

pub use wasmtime_c_api::*;

use wasmtime::{Enabled, ModuleVersionStrategy};

/// Makes compiled code name this engine rather than wasmtime's version: that is built with patches, and code of one must
/// not run, be kept or be passed on as the other's.
#[unsafe(no_mangle)]
pub extern "C" fn weft_lts_name(config: &mut wasm_config_t) {
    const NAME: &str = env!("WEFT_ENGINE", "only install.sh builds this crate");
    const { assert!(NAME.len() < 256, "wasmtime's bound") }
    let name = ModuleVersionStrategy::Custom(NAME.to_owned());
    let named = inside::config(config).module_version(name);
    named.expect("the name is within the bound");
}

/// Lets the pool find the pages of a dropped instance that were written, where the kernel can tell (Linux 6.7 and
/// newer), so that only those are cleared.
#[unsafe(no_mangle)]
pub extern "C" fn weft_lts_pagemap_scan(config: &mut wasmtime_pooling_allocation_config_t) {
    inside::pool(config).pagemap_scan(Enabled::Auto);
}
