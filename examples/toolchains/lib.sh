# What the toolchain scripts share: where things go, what is said, locks, system packages. Sourced, never run.
#
# A toolchain is a directory in $TOOLCHAINS, named after its versions and the recipe that made it. It is built
# beside its place and renamed into it, so it is there whole or not at all; a new version gets a new directory.
# Stdout belongs to results (a path); everything said to people goes to stderr.

set -euo pipefail
shopt -s inherit_errexit

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOOLCHAINS=${XDG_CACHE_HOME:-$HOME/.cache}/weft/toolchains
mkdir -p "$TOOLCHAINS"

say() { printf 'weft: %s\n' "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

# allowed WHAT exits with the status 3 where nothing may be installed: WEFT_INSTALL is never.
allowed() {
  [ "${WEFT_INSTALL-}" = never ] || return 0
  say "not there yet: $*; weft build --install installs it"
  exit 3
}

# key FILE... prints a short hash of the files' contents: the identity of a recipe.
key() { cat "$@" | sha256sum | cut -c1-12; }

# locked NAME COMMAND... runs the command while no other process runs one under that name.
locked() {
  local lock=$TOOLCHAINS/.lock-$1
  shift
  (
    flock 9
    "$@" 9>&-
  ) 9>"$lock"
}

# quietly COMMAND... shows the command's output only if it fails.
quietly() {
  local log
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    fail "failed: $*"
  fi
  rm -f "$log"
}

# toolchain DIR SENTENCE FUNCTION makes the toolchain DIR unless it is there: FUNCTION is called with an empty
# directory to fill. The sentence says what is installed, why, and how long it takes.
toolchain() { locked "$(basename "$1")" make_toolchain "$@"; }

make_toolchain() {
  local dir=$1 sentence=$2 recipe=$3
  [ -d "$dir" ] && return
  allowed "${sentence#installing }, in $dir"
  say "$sentence, into $dir"
  local fresh=$dir.partial
  rm -rf "$fresh"
  mkdir -p "$fresh"
  "$recipe" "$fresh"
  mv "$fresh" "$dir"
}

# packages REASON PACKAGE... installs the Debian packages that are missing.
packages() {
  local reason=$1 missing=() package
  shift
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  locked apt apt_install "$reason" "${missing[@]}"
}

apt_install() {
  local reason=$1
  shift
  allowed "the Debian packages $* ($reason)"
  command -v apt-get >/dev/null || fail "$reason needs the Debian packages $*, and there is no apt-get here"
  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "$reason needs the Debian packages $*: run as root 'apt-get install $*'"
    root=(sudo)
  fi
  local apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600)
  say "installing the Debian packages $* ($reason, about 30 s)"
  # Package lists may be missing or name files that are gone; then they are fetched, once.
  "${apt[@]}" install -y -q --no-install-recommends "$@" >/dev/null 2>&1 && return
  quietly "${apt[@]}" update -q
  quietly "${apt[@]}" install -y -q --no-install-recommends "$@"
}

# pip_install DIR REQUIREMENTS installs exactly the named wheels into a directory of their own. No virtual
# environment: Debian's python3 has none without further packages.
pip_install() {
  quietly python3 -m pip install --quiet --no-deps --only-binary=:all: --require-hashes --target "$1" -r "$2"
}

# component SOURCE OUT SCRIPT FUNCTION builds the component OUT from the directory SOURCE unless it is there and
# neither source nor recipe changed; what weft build leaves beside the source is none. FUNCTION is called with SOURCE and the
# file to write.
component() {
  mkdir -p "$(dirname "$2")"
  local out
  out=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
  locked "component-$(printf %s "$out" | sha256sum | cut -c1-12)" make_component "$(cd "$1" && pwd)" "$out" "$3" "$4"
}

make_component() {
  local source=$1 out=$2 script=$3 recipe=$4 want
  want=$(
    {
      cat "$HERE/lib.sh" "$script"
      cd "$source"
      find -L . -type d \( -name target -o -name node_modules -o -name __pycache__ -o -name wit-types \) -prune -o \
        -type f ! -name '*.wasm' ! -name contract.binpb -print0 |
        LC_ALL=C sort -z | xargs -0 sha256sum
    } | sha256sum
  )
  [ -f "$out" ] && [ "$(cat "$out.key" 2>/dev/null)" = "$want" ] && return
  say "building $(basename "$out")"
  local partial=$out.partial
  "$recipe" "$source" "$partial"
  mv "$partial" "$out"
  printf '%s\n' "$want" >"$out.key"
}

# main RECIPE-SCRIPT ARGS... is the command line that every language's script has.
main() {
  local script=$1
  shift
  case ${1-} in
  '') install ;;
  build)
    [ $# -eq 3 ] || fail "usage: $(basename "$script") [build SOURCE OUT.wasm]"
    component "$2" "$3" "$script" build
    ;;
  *) fail "usage: $(basename "$script") [build SOURCE OUT.wasm]" ;;
  esac
}
