#!/usr/bin/env bash
# Go → component, with the stock compiler.
#
#   go.sh                         installs what is needed and prints its directory
#   go.sh build SOURCE OUT.wasm   builds the main package in SOURCE, typed by SOURCE/wit: by the world $WIT_WORLD, or
#                                 the only one
#
# The compiler makes a core module for wasip1; wasm-tools makes a component of it, with the adapter from WASI's preview 1
# to preview 2 that comes with jco. The bindings in SOURCE are those that `weft bindgen go` wrote.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

script=${BASH_SOURCE[0]}

jco=1.15.1
jco_sha512=c729ff9af0a33021d7e5daf69bb223c7b1cafc468f6c5bc053f050f45e87699e96d8dfda8f1e7f78ff9482442988de7cb632862d229bca83a3471a4224e61f5a

install() {
  local dir
  dir=$TOOLCHAINS/go-adapter-$jco-${jco_sha512:0:12}
  toolchain "$dir" "installing the WASI adapter of jco $jco for components from Go (about 3 s)" adapter
  "$HERE/wasm-tools.sh" >/dev/null
  printf '%s\n' "$dir"
}

adapter() {
  (cd "$1" && quietly npm pack --silent "@bytecodealliance/jco@$jco")
  local archive=$1/bytecodealliance-jco-$jco.tgz
  sha512sum --status -c - <<<"$jco_sha512  $archive" || fail "jco $jco is not what it was: its SHA-512 is another"
  tar -xzf "$archive" -C "$1" --strip-components=2 package/lib/wasi_snapshot_preview1.reactor.wasm
  rm "$archive"
}

build() {
  local dir tools core
  dir=$(install)
  tools=$("$HERE/wasm-tools.sh")
  core=$(mktemp -d)
  quietly env GOOS=wasip1 GOARCH=wasm GOFLAGS=-mod=readonly go build -C "$1" -trimpath -buildmode=c-shared \
    -ldflags="-w -checklinkname=0" -o "$core/core.wasm" .
  quietly "$tools" component embed ${WIT_WORLD:+--world "$WIT_WORLD"} "$1/wit" "$core/core.wasm" -o "$core/embedded.wasm"
  quietly "$tools" component new "$core/embedded.wasm" --adapt "wasi_snapshot_preview1=$dir/wasi_snapshot_preview1.reactor.wasm" -o "$2"
  rm -r "$core"
}

main "$script" "$@"
