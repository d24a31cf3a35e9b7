#!/usr/bin/env bash
# The long-term-support engine: installs it and prints its directory, with the library and, in include, its headers.

source "$(dirname "${BASH_SOURCE[0]}")/../../../examples/toolchains/lib.sh"

crate=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
needs=1.95 # wasmtime 48's oldest Rust

# fits CARGO tells whether that cargo's Rust is new enough.
fits() {
  local version
  version=$("$1" --version 2>/dev/null | cut -d' ' -f2) || return
  [ "$(printf '%s\n' "$needs" "$version" | sort -V | head -1)" = "$needs" ]
}

# rust prints a cargo to build with: the user's own, else Debian's.
rust() {
  local cargo
  for cargo in "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" cargo; do
    fits "$cargo" && printf '%s\n' "$cargo" && return
  done
  packages "the long-term-support engine needs Rust $needs" rustc-web cargo-web
  fits /usr/bin/cargo || fail "the long-term-support engine needs Rust $needs or newer: install it with rustup"
  printf '/usr/bin/cargo\n'
}

fill() {
  local dir=$1 cargo work=$1/work built
  cargo=$(rust)
  packages "the long-term-support engine's headers" cmake
  local env=(CARGO_TARGET_DIR="$work" RUSTFLAGS="--remap-path-prefix=$crate=lts")
  [ "$cargo" != /usr/bin/cargo ] || env+=(RUSTC=/usr/bin/rustc)
  quietly env "${env[@]}" nice "$cargo" build --quiet --release --locked --manifest-path "$crate/Cargo.toml"
  built=$work/release
  cp "$built/libweft_wasmtime.a" "$dir"
  cp -r "$built"/build/wasmtime-c-api-impl-*/out/include "$dir"
  cp "$built"/build/weft-wasmtime-*/out/weft_lts.h "$dir/include"
  rm -rf "$work"
}

version=$(sed -n 's/^wasmtime = { version = "=\([0-9.]*\)".*/\1/p' "$crate/Cargo.toml")
dir=$TOOLCHAINS/wasmtime-$version-$(key "$crate"/{install.sh,build.rs,cbindgen.toml,Cargo.toml,Cargo.lock,src/*.rs})
toolchain "$dir" "building the long-term-support engine, wasmtime $version (about 5 minutes on two cores)" fill
printf '%s\n' "$dir"
