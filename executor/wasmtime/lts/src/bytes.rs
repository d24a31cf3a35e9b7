//! Calls of functions that take bytes and return bytes. The C API moves lists one element of 32 bytes at a time.

use wasmtime::component::Func;
use wasmtime_c_api::{wasm_byte_vec_t, wasmtime_error_t, wasmtime_store_t};

use crate::inside;

/// Calls a function of type `func(list<u8>) -> list<u8>`; any other is an error. On success, `out` holds the result,
/// copied before the function's post-return runs, and is to be freed with `wasm_byte_vec_delete`.
///
/// # Safety
///
/// `data` must point to `size` bytes, unless `size` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn weft_lts_call_bytes(
    func: &Func,
    store: &mut wasmtime_store_t,
    data: *const u8,
    size: usize,
    out: &mut wasm_byte_vec_t,
) -> Option<Box<wasmtime_error_t>> {
    let argument = match size {
        0 => &[],
        // SAFETY: the caller says so.
        _ => unsafe { std::slice::from_raw_parts(data, size) },
    };
    let mut store = inside::store(store);
    let result = func
        .typed::<(&[u8],), (Vec<u8>,)>(&store)
        .and_then(|f| f.call(&mut store, (argument,)));
    match result {
        Ok((bytes,)) => {
            out.set_buffer(bytes);
            None
        }
        Err(error) => Some(Box::new(error.into())),
    }
}
