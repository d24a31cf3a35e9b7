//! Keeps the memory of an instance small. Rust reserves 1 MiB of stack at the start of each, and what an instance
//! starts with is cleared after every call.

fn main() {
    println!("cargo:rustc-cdylib-link-arg=-zstack-size=65536");
}
