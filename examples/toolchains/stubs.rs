//! What Rust's std refers to and Debian's wasi-libc lacks: there are no threads and no file system, and each
//! function says so. Weak, so that a libc that has them wins.
#![no_std]
#![feature(linkage, thread_local)]

use core::ffi::{c_char, c_int, c_void};

const ENOTSUP: c_int = 58;

unsafe extern "C" {
    #[thread_local]
    #[link_name = "errno"]
    static mut ERRNO: c_int;
}

#[linkage = "weak"]
#[unsafe(no_mangle)]
extern "C" fn realpath(_: *const c_char, _: *mut c_char) -> *mut c_char {
    unsafe { ERRNO = ENOTSUP };
    core::ptr::null_mut()
}

#[linkage = "weak"]
#[unsafe(no_mangle)]
extern "C" fn pthread_create(_: *mut c_void, _: *const c_void, _: *mut c_void, _: *mut c_void) -> c_int {
    ENOTSUP
}

#[linkage = "weak"]
#[unsafe(no_mangle)]
extern "C" fn pthread_join(_: *mut c_void, _: *mut c_void) -> c_int {
    ENOTSUP
}

#[linkage = "weak"]
#[unsafe(no_mangle)]
extern "C" fn pthread_detach(_: *mut c_void) -> c_int {
    ENOTSUP
}

#[linkage = "weak"]
#[unsafe(no_mangle)]
extern "C" fn pthread_attr_init(_: *mut c_void) -> c_int {
    0
}

#[linkage = "weak"]
#[unsafe(no_mangle)]
extern "C" fn pthread_attr_destroy(_: *mut c_void) -> c_int {
    0
}

#[linkage = "weak"]
#[unsafe(no_mangle)]
extern "C" fn pthread_attr_setstacksize(_: *mut c_void, _: usize) -> c_int {
    0
}
