#!/usr/bin/env bash
# Measures asynchronous calls against those that hold a thread: async.sh COMPONENT, with test/components/receipt in Rust. The example
# is built with the crates, patches and settings of the engine, and is no part of it: none of this is in the engine's name.

source "$(dirname "${BASH_SOURCE[0]}")/install.sh" >/dev/null # for its functions; it builds the engine if that is missing

[ $# -eq 1 ] || fail "usage: async.sh COMPONENT"
work=$crate/../../../build/async
made=$work/$engine
cargo=$(rust)
if [ ! -d "$made" ]; then
  rm -rf "$made.new"
  sources "$cargo" "$made.new"
  mv "$made.new" "$made"
fi
cp -rp "$crate/examples" "$made/lts" # with its time: what has not changed is not compiled again
build=(CARGO_TARGET_DIR="$work/target" WEFT_ENGINE="$engine")
[ "$cargo" != /usr/bin/cargo ] || build+=(RUSTC=/usr/bin/rustc)
quietly env "${build[@]}" nice "$cargo" build --quiet --release --locked --manifest-path "$made/lts/Cargo.toml" --example async
"$work/target/release/examples/async" "$1"
