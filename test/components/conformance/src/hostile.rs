//! What a function should not do.

use std::hint::black_box;
use std::io::Write;
use std::time::Duration;

use crate::Component;
use crate::exports::test::conformance::hostile::{Guest, Row};

const LINE: &[u8] = b"The quick brown fox jumps over the lazy dog and goes on like that.\n";

impl Guest for Component {
    fn panic(message: String) {
        panic!("{message}");
    }

    fn endless_loop() {
        let mut turns = 0_u64;
        loop {
            turns = black_box(turns.wrapping_add(1));
        }
    }

    fn endless_recursion() -> u64 {
        descend(0)
    }

    fn endless_growth() {
        let mut held = Vec::new();
        loop {
            held.push(black_box(vec![1_u8; 1 << 20]));
        }
    }

    fn print(bytes: u64) {
        let mut stdout = std::io::stdout().lock();
        let mut left = bytes;
        while left > 0 {
            let length = left.min(LINE.len() as u64);
            // Whoever reads may stop; then there is nothing left to do.
            if stdout.write_all(&LINE[LINE.len() - length as usize..]).is_err() {
                return;
            }
            left -= length;
        }
    }

    fn sleep(seconds: u64) {
        std::thread::sleep(Duration::from_secs(seconds));
    }

    fn exit(status: u8) {
        std::process::exit(i32::from(status));
    }

    fn response(bytes: u64) -> Vec<u8> {
        vec![b'x'; bytes as usize]
    }

    fn text(characters: u64) -> String {
        "x".repeat(characters as usize)
    }

    fn rows(count: u32) -> Vec<Row> {
        (0..count)
            .map(|at| Row {
                id: u64::from(at),
                name: format!("row {at}"),
                active: at % 2 == 0,
            })
            .collect()
    }
}

#[inline(never)]
#[allow(unconditional_recursion)]
fn descend(depth: u64) -> u64 {
    black_box(descend(black_box(depth + 1))).wrapping_add(depth)
}
