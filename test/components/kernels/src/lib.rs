//! The component: what bench:kernels/kernels exports.

#![cfg(target_family = "wasm")]

mod kernels;

wit_bindgen::generate!({ world: "compute", path: "wit" });

use exports::bench::kernels::kernels::Guest;

struct Component;

impl Guest for Component {
    fn run(kernel: String, size: u32) -> Option<u64> {
        kernels::run(&kernel, size as usize)
    }
}

export!(Component);
