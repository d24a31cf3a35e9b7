//! The same as a program: for each line "KERNEL SIZE" it answers with a line "DIGEST NANOSECONDS", where the time is that
//! of the processor.

mod kernels;

use std::io::{Write, stdin, stdout};

use rustix::time::{ClockId, clock_gettime};

fn main() -> std::io::Result<()> {
    for line in stdin().lines() {
        let line = line?;
        let (kernel, size) = line.split_once(' ').expect("a line is KERNEL SIZE");
        let size = size.parse().expect("the size is a number");
        let before = nanoseconds();
        let digest = kernels::run(kernel, size).unwrap_or_else(|| panic!("there is no kernel {kernel}"));
        let took = nanoseconds() - before;
        writeln!(stdout(), "{digest} {took}")?;
    }
    Ok(())
}

/// What this thread has used of a processor, the kernel's work for it included: clock_gettime(2).
fn nanoseconds() -> i64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}
