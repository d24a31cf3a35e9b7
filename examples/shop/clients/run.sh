#!/usr/bin/env bash
# Places an order from a language: run.sh go|python|typescript|java DIR
#
# DIR gets the stubs that weft sdk writes, the program of this folder and, where it has to be built, the client in clients/. The
# server is the one that WEFT_ADDR names. Stdout is what the program prints. What is missing of the toolchains is installed.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
tools=$root/examples/toolchains
source "$tools/lib.sh"

[ $# -eq 2 ] || fail "usage: run.sh go|python|typescript|java DIR"
language=$1
address=${WEFT_ADDR:-127.0.0.1:7070}
mkdir -p "$2"
cd "$2"

# stubs LANG writes them, and puts the program in place of the sample that comes with them.
stubs() {
  quietly "$root/bin/weft" sdk checkout --lang "$1" -o .
  cp "$here/$language"/* .
}

# client copies the client in the language, so that building it leaves nothing in the repository.
client() {
  rm -rf client
  cp -r "$root/clients/$language" client
}

go_() {
  local plugins
  plugins=$("$tools/go-tools.sh" protoc-gen-go protoc-gen-go-grpc)
  PATH="$plugins:$PATH" stubs go
  # The repository's versions of everything, so that nothing is downloaded.
  {
    printf 'module weft.internal\n'
    tail -n +2 "$root/go.mod"
    printf 'require github.com/weft-run/weft v0.0.0\nreplace github.com/weft-run/weft => %s\n' "$root"
  } >go.mod
  cp "$root/go.sum" .
  go build -mod=mod -o shop .
  ./shop "$address"
}

python() {
  local modules
  modules=$("$tools/clients.sh" python)
  export PYTHONPATH=$modules
  stubs python
  client
  quietly python3 -m pip install --no-deps --no-build-isolation --upgrade --target installed ./client
  PYTHONPATH=installed:$modules python3 shop.py "$address"
}

typescript() {
  local generators packages
  generators=$("$tools/clients.sh" generators)
  packages=$("$tools/clients.sh" typescript)/node_modules
  PATH="$generators:$PATH" stubs ts
  client
  rm -rf node_modules client/node_modules
  ln -s "$packages" client/node_modules
  quietly npm --prefix client run prepare
  mkdir -p node_modules/@weft-run
  ln -s "$packages"/@* node_modules
  ln -s "$PWD/client" node_modules/@weft-run/client
  quietly node "$packages/typescript/bin/tsc"
  node shop.js "$address"
}

java() {
  local generators
  generators=$("$tools/clients.sh" generators)
  mkdir -p bin
  ln -sf "$generators/maven-protoc" bin/protoc
  PATH="$PWD/bin:$generators:$PATH" stubs java
  client
  quietly mvn -B -q -f client package dependency:copy-dependencies -DincludeScope=runtime
  local classes='client/target/*:client/target/dependency/*'
  find src/main/java/demo -name '*.java' >sources
  javac -d classes -cp "$classes" Shop.java @sources
  command java -cp "classes:$classes" Shop "$address"
}

case $language in
go) go_ ;;
python | typescript | java) "$language" ;;
*) fail "run.sh knows no $language" ;;
esac
