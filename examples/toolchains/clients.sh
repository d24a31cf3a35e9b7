#!/usr/bin/env bash
# What the clients in other languages than Go are generated and tested with.
#
#   clients.sh python       installs gRPC's generator, pytest and mypy, and prints the directory of the modules
#   clients.sh typescript   installs its generator and the compiler, and prints the directory of node_modules
#   clients.sh generators   installs all generators and prints the directory that holds their programs

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

pins=$HERE/clients
package=$HERE/../../clients/typescript

python() {
  local dir
  dir=$TOOLCHAINS/client-python-$(key "$pins/requirements.txt")
  toolchain "$dir" "installing gRPC, pytest and mypy for the Python client (120 MB, about 10 s)" wheels
  printf '%s\n' "$dir"
}

wheels() { pip_install "$1" "$pins/requirements.txt"; }

typescript() {
  local dir
  dir=$TOOLCHAINS/client-typescript-$(key "$package"/package*.json)
  toolchain "$dir" "installing Connect and the compiler for the TypeScript client (60 MB, about 10 s)" node_modules
  printf '%s\n' "$dir"
}

node_modules() {
  cp "$package"/package*.json "$1"
  quietly npm ci --prefix "$1" --ignore-scripts --no-audit --no-fund
}

generators() {
  modules=$(python)
  npm=$(typescript)
  packages "generating and building the Java client" maven default-jdk-headless
  local dir
  dir=$TOOLCHAINS/client-generators-$(cat "${BASH_SOURCE[0]}" "$pins"/* | cat - <(printf %s "$modules$npm") | sha256sum | cut -c1-12)
  toolchain "$dir" "gathering the generators of the clients' stubs, those for Java with Maven (20 MB)" programs
  printf '%s\n' "$dir"
}

# program FILE LINE... writes an executable shell script.
program() {
  printf '#!/usr/bin/env bash\n%s\n' "$2" >"$1"
  chmod +x "$1"
}

programs() {
  program "$1/grpc-tools-protoc" "PYTHONPATH='$modules' exec python3 -m grpc_tools.protoc \"\$@\""
  cp "$pins/protoc-gen-grpc-python" "$1/grpc_python.py"
  program "$1/protoc-gen-grpc-python" "PYTHONPATH='$modules' exec python3 \"\$(dirname \"\$0\")/grpc_python.py\""
  maven_program com.google.protobuf:protoc:4.35.1 "$1/maven-protoc"
  maven_program io.grpc:protoc-gen-grpc-java:1.83.1 "$1/protoc-gen-grpc-java"
  program "$1/protoc-gen-es" "exec node '$npm/node_modules/@bufbuild/protoc-gen-es/bin/protoc-gen-es' \"\$@\""
}

# maven_program ARTIFACT FILE fetches a program that Maven's repository has for this machine.
maven_program() {
  local fresh
  fresh=$(mktemp -d)
  quietly mvn -B -q org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
    "-Dartifact=$1:exe:$(platform)" "-DoutputDirectory=$fresh"
  mv "$fresh"/*.exe "$2"
  rmdir "$fresh"
  chmod +x "$2"
}

# platform is this machine, as programs in Maven's repository are named.
platform() {
  case $(uname -s)-$(uname -m) in
  Linux-x86_64) printf linux-x86_64 ;;
  Linux-aarch64) printf linux-aarch_64 ;;
  Darwin-*) printf osx-x86_64 ;;
  *) fail "there is no protoc-gen-grpc-java for $(uname -sm)" ;;
  esac
}

case ${1-} in
python | typescript | generators) "$1" ;;
*) fail "usage: clients.sh python|typescript|generators" ;;
esac
