#!/usr/bin/env bash
# Debian packages.
#
#   apt.sh REASON PACKAGE...   installs the packages that are missing

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

packages "$@"
