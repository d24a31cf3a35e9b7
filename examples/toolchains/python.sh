#!/usr/bin/env bash
# Python → component, with componentize-py (CPython inside).
#
#   python.sh                         installs what is needed and prints its directory
#   python.sh build SOURCE OUT.wasm   builds the module SOURCE/app.py, typed by SOURCE/wit

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

script=${BASH_SOURCE[0]}
requirements=$HERE/python/requirements.txt

install() {
  local dir
  dir=$TOOLCHAINS/python-0.25.1-$(key "$requirements")
  toolchain "$dir" "installing componentize-py 0.25.1 for components from Python (72 MB, about 5 s)" wheels
  printf '%s\n' "$dir"
}

wheels() { pip_install "$1" "$requirements"; }

build() {
  local dir
  dir=$(install)
  quietly env PYTHONPATH="$dir" python3 "$dir/bin/componentize-py" -d "$1/wit" componentize -p "$1" app -o "$2"
  # Written by the Python inside, which has imported the module.
  rm -rf "$1/__pycache__"
}

main "$script" "$@"
