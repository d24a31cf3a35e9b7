#!/usr/bin/env bash
# Rust → component.
#
#   rust.sh                         installs what is needed and prints the sysroot ("" for the user's own)
#   rust.sh build SOURCE OUT.wasm   builds the crate in SOURCE
#
# A rustup toolchain with the target wasm32-wasip2 is used as it is. Without one, a std for WebAssembly is built
# once from Debian's Rust sources with Debian's compiler, and linked by the component linker that every rustup
# toolchain carries.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

script=${BASH_SOURCE[0]}

# rustups prints the rustc of rustup, which may not be the first on PATH.
rustups() {
  local rustc=${CARGO_HOME:-$HOME/.cargo}/bin/rustc
  [ -x "$rustc" ] || rustc=$(command -v rustc) || fail "no rustc: install Rust with rustup"
  printf '%s\n' "$rustc"
}

# own prints the cargo of a rustup toolchain that can build components by itself.
own() {
  local rustc
  rustc=$(rustups)
  [ -d "$("$rustc" --print sysroot)/lib/rustlib/wasm32-wasip2/lib" ] && printf '%s\n' "$(dirname "$rustc")/cargo"
}

# linkers prints the directory of wasm-component-ld and gcc-ld/wasm-ld, which come with every rustup toolchain.
linkers() {
  local rustc host dir
  rustc=$(rustups)
  host=$("$rustc" -vV | sed -n 's/^host: //p')
  dir=$("$rustc" --print sysroot)/lib/rustlib/$host/bin
  [ -x "$dir/wasm-component-ld" ] || fail "$rustc has no wasm-component-ld: install Rust 1.82 or newer with rustup"
  printf '%s\n' "$dir"
}

install() {
  own >/dev/null && return
  linkers >/dev/null
  packages "the compiler and sources of Rust's std for WebAssembly" rustc-web cargo-web rust-web-src wasi-libc
  local version dir
  version=$(/usr/bin/rustc -V | cut -d' ' -f2)
  dir=$TOOLCHAINS/rust-$version-$(key "$script" "$HERE/stubs.rs")
  toolchain "$dir" "building Rust's std for WebAssembly (no prebuilt one here, about 45 s)" sysroot
  printf '%s\n' "$dir"
}

sysroot() {
  local dir=$1
  local library=/usr/lib/rustlib/src/rust/library self=$1/lib/rustlib/wasm32-wasip1/lib/self-contained
  quietly env CARGO_TARGET_DIR="$dir/work" RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 \
    RUSTFLAGS="-Zforce-unstable-if-unmarked -C embed-bitcode=yes --remap-path-prefix=$library=library" \
    /usr/bin/cargo build --release --locked --manifest-path "$library/sysroot/Cargo.toml" \
    --features panic-unwind --target wasm32-wasip1
  mkdir -p "$self"
  cp "$dir"/work/wasm32-wasip1/release/deps/*.rlib "$self/.."
  cp /usr/lib/wasm32-wasi/{crt1-command.o,crt1-reactor.o,libc.a} "$self"
  quietly env RUSTC_BOOTSTRAP=1 /usr/bin/rustc --sysroot "$dir" --target wasm32-wasip1 --edition 2024 \
    --crate-type lib --emit obj -C panic=abort -C opt-level=s -o "$dir/stubs.o" "$HERE/stubs.rs"
  rm -rf "$dir/work"
}

build() {
  local source=$1 out=$2 target name sysroot
  target=$(dirname "$out")/.cargo
  name=$(sed -n 's/^name = "\(.*\)"$/\1/p' "$source/Cargo.toml" | head -1)
  sysroot=$(install)
  if [ -z "$sysroot" ]; then
    cargo_build wasm32-wasip2 "$(own)"
  else
    local ld
    ld=$(linkers)
    RUSTC=/usr/bin/rustc cargo_build wasm32-wasip1 /usr/bin/cargo --sysroot="$sysroot" \
      -C linker="$ld/wasm-component-ld" -C link-arg=--wasm-ld-path="$ld/gcc-ld/wasm-ld" \
      -C link-arg=--wasi-adapter=reactor -C link-arg="$sysroot/stubs.o"
  fi
}

# cargo_build TARGET CARGO FLAGS... builds the crate of the caller's variables.
cargo_build() {
  local triple=$1 cargo=$2
  shift 2
  quietly env CARGO_TARGET_DIR="$target" RUSTFLAGS="$* --remap-path-prefix=$source=$name" \
    "$cargo" build --quiet --release --locked --manifest-path "$source/Cargo.toml" --target "$triple"
  cp "$target/$triple/release/${name//-/_}.wasm" "$out"
}

main "$script" "$@"
