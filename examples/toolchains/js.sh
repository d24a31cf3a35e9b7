#!/usr/bin/env bash
# JavaScript → component, with componentize-js (SpiderMonkey inside).
#
#   js.sh                         installs what is needed and prints its directory
#   js.sh build SOURCE OUT.wasm   builds SOURCE: the "main" of its package.json, typed by SOURCE/wit

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

script=${BASH_SOURCE[0]}
pins=("$HERE/js/package.json" "$HERE/js/package-lock.json")
repair=$HERE/js/repair.mjs
warm=$HERE/js/warm.js

install() {
  local dir
  dir=$TOOLCHAINS/js-0.23.0-$(key "${pins[@]}" "$repair" "$warm")
  toolchain "$dir" "installing componentize-js 0.23.0 for components from JavaScript (214 MB, about 10 s)" node_modules
  printf '%s\n' "$dir"
}

node_modules() {
  cp "${pins[@]}" "$1"
  quietly npm ci --prefix "$1" --ignore-scripts --no-audit --no-fund
  quietly node "$repair" "$1"
}

build() {
  local dir
  dir=$(install)
  quietly node "$HERE/js/componentize.mjs" "$dir" "$1" "$2"
}

main "$script" "$@"
