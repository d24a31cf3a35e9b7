//! Writes the C declarations of what this crate adds to `weft_lts.h`, beside the library.

fn main() {
    println!("cargo:rerun-if-changed=src");
    println!("cargo:rerun-if-changed=cbindgen.toml");
    let out = std::path::PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    cbindgen::generate(root)
        .expect("the crate's functions have C types")
        .write_to_file(out.join("weft_lts.h"));
}
