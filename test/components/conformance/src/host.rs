//! What the host gives a function, and what it keeps from it.

use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use crate::Component;
use crate::exports::test::conformance::host::Guest;
use crate::wasi::logging::logging::{self, Level};

static CALLS: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" {
    /// Of wasi-libc: fills at most 256 bytes.
    fn getentropy(buffer: *mut c_void, length: usize) -> c_int;
}

impl Guest for Component {
    fn environment() -> Vec<(String, String)> {
        std::env::vars().collect()
    }

    fn arguments() -> Vec<String> {
        std::env::args().collect()
    }

    fn now() -> u64 {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        since.expect("a clock after 1970").as_millis() as u64
    }

    fn random(bytes: u32) -> Vec<u8> {
        let mut data = vec![0; bytes as usize];
        for part in data.chunks_mut(256) {
            // SAFETY: the buffer is as long as it is said to be.
            assert_eq!(unsafe { getentropy(part.as_mut_ptr().cast(), part.len()) }, 0);
        }
        data
    }

    fn print(stdout: String, stderr: String) {
        println!("{stdout}");
        eprintln!("{stderr}");
    }

    fn log(context: String, message: String) {
        for level in [
            Level::Trace,
            Level::Debug,
            Level::Info,
            Level::Warn,
            Level::Error,
            Level::Critical,
        ] {
            logging::log(level, &context, &message);
        }
    }

    fn open(path: String) -> Result<(), String> {
        std::fs::File::open(path).map(drop).map_err(|error| error.to_string())
    }

    fn count() -> u32 {
        CALLS.fetch_add(1, Ordering::Relaxed) + 1
    }
}
