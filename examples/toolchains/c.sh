#!/usr/bin/env bash
# C → component, with clang and wit-bindgen.
#
#   c.sh                         installs what is needed and prints the directory of wit-bindgen
#   c.sh build SOURCE OUT.wasm   builds SOURCE/*.c and SOURCE/src/*.c, typed by SOURCE/wit
#
# The bindings go to SOURCE/wit-types, where an editor finds them too. A wit-bindgen 0.63 on the PATH is used as it is, as is
# the WASI SDK that WASI_SDK_PATH names, in place of Debian's clang. The component linker is that of rustup's toolchains.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

script=${BASH_SOURCE[0]}
version=0.63.0

install() {
  linker >/dev/null
  [ -n "${WASI_SDK_PATH-}" ] ||
    packages "the compiler and library for WebAssembly from C" clang-22 lld-22 libclang-rt-22-dev-wasm32 wasi-libc
  if [[ $(wit-bindgen --version 2>/dev/null || true) == "wit-bindgen-cli ${version%.*}."* ]]; then
    dirname "$(command -v wit-bindgen)"
    return
  fi
  local dir=$TOOLCHAINS/wit-bindgen-$version
  toolchain "$dir" "installing wit-bindgen $version for components from C (built from source, about 3 minutes)" bindgen
  printf '%s\n' "$dir/bin"
}

bindgen() {
  quietly env CARGO_TARGET_DIR="$1/work" cargo install --quiet --locked --root "$1" "wit-bindgen-cli@$version"
  rm -rf "$1/work"
}

# linker prints the path of wasm-component-ld, which comes with every rustup toolchain.
linker() {
  local rustc=${CARGO_HOME:-$HOME/.cargo}/bin/rustc host ld
  [ -x "$rustc" ] || rustc=$(command -v rustc) || fail "no rustc: install Rust with rustup, whose linker makes components"
  host=$("$rustc" -vV | sed -n 's/^host: //p')
  ld=$("$rustc" --print sysroot)/lib/rustlib/$host/bin/wasm-component-ld
  [ -x "$ld" ] || fail "$rustc has no wasm-component-ld: install Rust 1.82 or newer with rustup"
  printf '%s\n' "$ld"
}

build() {
  local source=$1 out=$2 types=$1/wit-types ld bin
  local files=("$source"/*.c "$source"/src/*.c) compiler=(clang-22 --target=wasm32-wasi)
  [ -z "${WASI_SDK_PATH-}" ] || compiler=("$WASI_SDK_PATH/bin/clang" --target=wasm32-wasip1)
  bin=$(install)
  ld=$(linker)
  rm -rf "$types"
  quietly "$bin/wit-bindgen" c "$source/wit" --out-dir "$types"
  quietly "${compiler[@]}" -mexec-model=reactor -Oz -Wall -Wno-deprecated -Werror=implicit-function-declaration -I"$types" \
    "${files[@]}" "$types"/*.c "$types"/*_component_type.o -Wl,--strip-debug -fuse-ld="$ld" -Wl,--wasi-adapter=reactor -o "$out"
}

shopt -s nullglob
main "$script" "$@"
