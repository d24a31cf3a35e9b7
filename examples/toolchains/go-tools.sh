#!/usr/bin/env bash
# Go programs that building, testing and the demo use, built from source by the module proxy's pinned versions.
#
#   go-tools.sh NAME...   installs the named tools and prints the directory that holds them

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# tool NAME sets package, version and seconds (to build on two cores).
tool() {
  case $1 in
  protoc-gen-go) package=google.golang.org/protobuf/cmd/protoc-gen-go version=v1.36.12 seconds=5 ;;
  protoc-gen-go-grpc) package=google.golang.org/grpc/cmd/protoc-gen-go-grpc version=v1.6.2 seconds=5 ;;
  grpcurl) package=github.com/fullstorydev/grpcurl/cmd/grpcurl version=v1.9.4 seconds=40 ;;
  buf) package=github.com/bufbuild/buf/cmd/buf version=v1.75.0 seconds=90 ;;
  golangci-lint) package=github.com/golangci/golangci-lint/v2/cmd/golangci-lint version=v2.15.0 seconds=180 ;;
  h2spec) package=github.com/summerwind/h2spec/cmd/h2spec version=v2.2.1+incompatible seconds=10 ;;
  nats-server) package=github.com/nats-io/nats-server/v2 version=v2.15.2 seconds=60 ;;
  *) fail "go-tools.sh knows protoc-gen-go, protoc-gen-go-grpc, grpcurl, buf, golangci-lint, h2spec and nats-server, not $1" ;;
  esac
}

# installed NAME is true if the tool is there in the pinned version.
installed() {
  [ -x "$bin/$1" ] && go version -m "$bin/$1" | awk -v want="$version" '$1 == "mod" { found = $3 == want } END { exit !found }'
}

install_tool() {
  installed "$1" && return
  say "building $1 $version (about $seconds s), into $bin"
  quietly env GOFLAGS= GOBIN="$bin" go install "$package@$version"
}

bin=$TOOLCHAINS/bin
mkdir -p "$bin"
for name in "$@"; do
  tool "$name"
  locked "go-$name" install_tool "$name"
done
printf '%s\n' "$bin"
