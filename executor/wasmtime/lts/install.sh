#!/usr/bin/env bash
# The long-term-support engine: installs it and prints its directory, with the library and, in include, its headers.

source "$(dirname "${BASH_SOURCE[0]}")/../../../examples/toolchains/lib.sh"

crate=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
needs=1.95 # wasmtime 48's oldest Rust
patches=("$crate"/patches/*.patch) # each of the crate that it is named after

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

# sources CARGO DIR fills DIR with the crate and, beside it, those that have a patch: as cargo fetched them, if they are what
# Cargo.lock says. The copy of Cargo.lock then has them as directories, without checksums.
sources() {
  local cargo=$1 dir=$2 host patch
  host=$("$cargo" -vV | sed -n 's/^host: //p')
  quietly "$cargo" fetch --quiet --locked --target "$host" --manifest-path "$crate/Cargo.toml"
  mkdir -p "$dir/lts"
  cp -r "$crate"/{Cargo.toml,Cargo.lock,build.rs,cbindgen.toml,src} "$dir/lts"
  printf '\n[patch.crates-io]\n' >>"$dir/lts/Cargo.toml"
  for patch in "${patches[@]}"; do changed "$dir" "$patch"; done
}

# changed DIR PATCH unpacks and patches the crate that PATCH is named after, and has the copy in DIR/lts take it.
changed() {
  local dir=$1 patch=$2 name block version sum archive
  name=$(basename "$patch" .patch)
  block="/^name = \"$name\"\$/,/^\$/"
  version=$(sed -n "$block"'s/^version = "\(.*\)"$/\1/p' "$crate/Cargo.lock")
  sum=$(sed -n "$block"'s/^checksum = "\(.*\)"$/\1/p' "$crate/Cargo.lock")
  archive=$(fetched "$name-$version.crate" "$sum") ||
    fail "cargo fetched no $name $version with the checksum $sum, which Cargo.lock has"
  mkdir "$dir/$name"
  tar -xzf "$archive" -C "$dir/$name" --strip-components=1
  patch --quiet --fuzz=0 --strip=1 --directory="$dir/$name" <"$patch" >&2 ||
    fail "$patch does not apply to $name $version: see what changed there, or whether the patch can go"
  sed -i "$block"'{/^source = /d;/^checksum = /d}' "$dir/lts/Cargo.lock"
  printf '%s = { path = "../%s" }\n' "$name" "$name" >>"$dir/lts/Cargo.toml"
}

# fetched FILE SHA256 prints where cargo keeps the file that it fetched.
fetched() {
  local archive
  for archive in "${CARGO_HOME:-$HOME/.cargo}"/registry/cache/*/"$1"; do
    sha256sum --status --check <<<"$2  $archive" 2>/dev/null && printf '%s\n' "$archive" && return
  done
  return 1
}

fill() {
  local dir=$1 cargo work=$1/work built
  cargo=$(rust)
  packages "the long-term-support engine's headers and patches" cmake patch
  sources "$cargo" "$work"
  local env=(CARGO_TARGET_DIR="$work/target" RUSTFLAGS="--remap-path-prefix=$work=engine" WEFT_ENGINE="$engine")
  [ "$cargo" != /usr/bin/cargo ] || env+=(RUSTC=/usr/bin/rustc)
  quietly env "${env[@]}" nice "$cargo" build --quiet --release --locked --manifest-path "$work/lts/Cargo.toml"
  built=$work/target/release
  cp "$built/libweft_wasmtime.a" "$dir"
  cp -r "$built"/build/wasmtime-c-api-impl-*/out/include "$dir"
  cp "$built"/build/weft-wasmtime-*/out/weft_lts.h "$dir/include"
  rm -rf "$work"
}

version=$(sed -n 's/^wasmtime = { version = "=\([0-9.]*\)".*/\1/p' "$crate/Cargo.toml")
engine=$version+weft-$(key "${patches[@]}") # what compiled code names
dir=$TOOLCHAINS/wasmtime-$version-$(key "$crate"/{install.sh,build.rs,cbindgen.toml,Cargo.toml,Cargo.lock,src/*.rs} "${patches[@]}")
toolchain "$dir" "building the long-term-support engine, wasmtime $version (about 10 minutes on two cores)" fill
printf '%s\n' "$dir"
