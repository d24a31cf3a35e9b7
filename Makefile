# weft is built with Go and gcc. Whatever else a target needs is installed by it, pinned, into the user's cache
# directory (see examples/toolchains), and it says so.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.ONESHELL:

TOOLCHAINS := examples/toolchains
COMPONENTS := build/components

# Components in Go, with bindings that weft bindgen go writes.
GO_COMPONENTS := examples/report examples/shop/checkout $(addprefix test/components/,conformance-go load-go host-go cursors-go cursors-user-go receipt/go)

# What tests call, besides the examples; go test builds the others that it needs.
TEST_COMPONENTS := $(patsubst %,$(COMPONENTS)/%.wasm,config keyvalue keyvalue-js host host-go conformance conformance-go load-go)

# Which wasmtime is linked: stock, which wasmtime-go carries, or lts, the long-term-support engine, which
# executor/wasmtime/lts builds.
ENGINE ?= stock
LTS := executor/wasmtime/lts/install.sh
$(if $(filter stock lts,$(ENGINE)),,$(error ENGINE is "$(ENGINE)"; it must be stock or lts))

# with-lts begins recipes that link the long-term-support engine, with-engine those that link $(ENGINE).
define with-lts
@engine=$$($(LTS))
export CGO_LDFLAGS="$$(go env CGO_LDFLAGS) -L$$engine" GOFLAGS="$$(go env GOFLAGS) -tags=wasmtime_lts"
endef
with-engine = $(if $(filter lts,$(ENGINE)),$(with-lts),@)

# What go test tests, and what bounds it on a slow machine.
PACKAGES ?= ./...
TESTFLAGS ?= -timeout 20m

# What tests compile schemas with.
SCHEMA_PACKAGES := protobuf-compiler libprotobuf-dev default-jdk-headless libprotobuf-java

# Servers that key-value storage is tested with, besides nats-server.
SERVER_PACKAGES := redis-server

# The time that make fuzz-short gives to each fuzz target.
FUZZTIME ?= 10s

# What the API may not break: the last release, or the last commit while there is none.
BASE ?= $(shell git describe --tags --match 'v*' --abbrev=0 2>/dev/null || git rev-parse --quiet --verify HEAD~1)

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: build orders text stats ## Deploy three components on a node and call them in three ways
	@tools=$$($(TOOLCHAINS)/go-tools.sh grpcurl protoc-gen-go protoc-gen-go-grpc)
	$(TOOLCHAINS)/apt.sh "generating Go stubs" protobuf-compiler libprotobuf-dev
	PATH="$$tools:$$PATH" go run ./test/demo

.PHONY: demo-cluster
demo-cluster: build orders ## Start three nodes, and kill the one that leads while a function is called
	@go run ./test/demo cluster

.PHONY: demo-polyglot
demo-polyglot: build shop ## Make one service of functions in five languages, and call it from four
	@$(TOOLCHAINS)/clients.sh generators >/dev/null
	$(TOOLCHAINS)/go-tools.sh protoc-gen-go protoc-gen-go-grpc >/dev/null
	go run ./test/demo polyglot

.PHONY: test
test: build examples $(TEST_COMPONENTS) ## Run all tests
	$(with-engine)
	tools=$$($(TOOLCHAINS)/go-tools.sh buf grpcurl h2spec protoc-gen-go protoc-gen-go-grpc nats-server)
	$(TOOLCHAINS)/apt.sh "checking schemas with protoc and javac" $(SCHEMA_PACKAGES)
	$(TOOLCHAINS)/apt.sh "testing key-value storage" $(SERVER_PACKAGES)
	export PATH="$$tools:$$PATH"
	go vet $(PACKAGES)
	go test $(TESTFLAGS) $(PACKAGES)

.PHONY: test-lts
test-lts: ## Run the executor's tests with the long-term-support engine
	$(with-lts)
	go vet ./executor/...
	go test $(TESTFLAGS) ./executor/...

# What the Go compiler is told of nodes at work, where they are built for speed: that takes a minute longer.
PGO := -pgo=cmd/weft/lts.pgo

.PHONY: build
build: ## Build bin/weft; ENGINE=lts links the long-term-support engine
	$(with-engine)
	echo "weft: building bin/weft" >&2
	go build -trimpath $(if $(filter lts,$(ENGINE)),$(PGO)) -o bin/weft ./cmd/weft

.PHONY: profile
profile: $(COMPONENTS)/bench.wasm ## Make the profile that the Go compiler is given with ENGINE=lts, of nodes at work
	$(with-lts)
	go build -trimpath $(PGO) -o bin/weft ./cmd/weft
	go run ./test/bench -out cmd/weft $(BENCHFLAGS) profile

.PHONY: release
release: ## Build dist/weft-VERSION-OS-ARCH, with the long-term-support engine
	$(with-lts)
	name=weft-$$(git describe --tags --always --dirty)-$$(go env GOOS)-$$(go env GOARCH)
	echo "weft: building dist/$$name" >&2
	go build -trimpath $(PGO) -ldflags '-s -w' -o "dist/$$name" ./cmd/weft
	cd dist
	sha256sum "$$name" >"$$name.sha256"

.PHONY: examples
examples: orders thumbnails text formulas stats report checksum shop ## Build the example components

.PHONY: orders thumbnails text formulas stats report checksum shop
orders: $(COMPONENTS)/orders.wasm ## Build the example in Rust
thumbnails: $(COMPONENTS)/thumbnails.wasm ## Build the one in Rust on a crate for images
text: $(COMPONENTS)/text.wasm ## Build the example in JavaScript
formulas: $(COMPONENTS)/formulas.wasm ## Build the example in TypeScript
stats: $(COMPONENTS)/stats.wasm ## Build the example in Python
report: $(COMPONENTS)/report.wasm ## Build the example in Go
checksum: $(COMPONENTS)/checksum.wasm ## Build the example in C
shop: $(addprefix $(COMPONENTS)/,barcode.wasm receipts.wasm stock.wasm pricing.wasm checkout.wasm) ## Build one service from functions in five languages

# The scripts build only what changed: they compare contents, so make always asks them.
.PHONY: FORCE
$(COMPONENTS)/orders.wasm: FORCE
	@$(TOOLCHAINS)/rust.sh build examples/orders $@
$(COMPONENTS)/thumbnails.wasm: FORCE
	@$(TOOLCHAINS)/rust.sh build examples/thumbnails $@
$(COMPONENTS)/text.wasm: FORCE
	@$(TOOLCHAINS)/js.sh build examples/text $@
$(COMPONENTS)/formulas.wasm: FORCE
	@$(TOOLCHAINS)/js.sh build examples/formulas $@
$(COMPONENTS)/stats.wasm: FORCE
	@$(TOOLCHAINS)/python.sh build examples/stats $@
$(COMPONENTS)/report.wasm: FORCE
	@$(TOOLCHAINS)/go.sh build examples/report $@
$(COMPONENTS)/checksum.wasm: FORCE
	@$(TOOLCHAINS)/c.sh build examples/checksum $@
$(COMPONENTS)/barcode.wasm: FORCE
	@$(TOOLCHAINS)/c.sh build examples/shop/barcode $@
$(COMPONENTS)/receipts.wasm: FORCE
	@$(TOOLCHAINS)/js.sh build examples/shop/receipts $@
$(COMPONENTS)/stock.wasm: FORCE
	@$(TOOLCHAINS)/rust.sh build examples/shop/stock $@
$(COMPONENTS)/pricing.wasm: FORCE
	@$(TOOLCHAINS)/python.sh build examples/shop/pricing $@
$(COMPONENTS)/checkout.wasm: FORCE
	@$(TOOLCHAINS)/go.sh build examples/shop/checkout $@
$(COMPONENTS)/conformance.wasm: FORCE
	@$(TOOLCHAINS)/rust.sh build test/components/conformance $@
$(COMPONENTS)/conformance-go.wasm: FORCE
	@$(TOOLCHAINS)/go.sh build test/components/conformance-go $@
$(COMPONENTS)/load-go.wasm: FORCE
	@$(TOOLCHAINS)/go.sh build test/components/load-go $@
$(COMPONENTS)/config.wasm: FORCE
	@$(TOOLCHAINS)/rust.sh build test/components/config $@
$(COMPONENTS)/keyvalue.wasm: FORCE
	@$(TOOLCHAINS)/rust.sh build test/components/keyvalue $@
$(COMPONENTS)/keyvalue-js.wasm: FORCE
	@$(TOOLCHAINS)/js.sh build test/components/keyvalue-js $@
$(COMPONENTS)/host.wasm: FORCE
	@$(TOOLCHAINS)/rust.sh build test/components/host $@
$(COMPONENTS)/host-go.wasm: FORCE
	@$(TOOLCHAINS)/go.sh build test/components/host-go $@
$(COMPONENTS)/bench.wasm: FORCE
	@$(TOOLCHAINS)/rust.sh build test/components/bench $@
$(COMPONENTS)/kernels.wasm: FORCE
	@$(TOOLCHAINS)/rust.sh build test/components/kernels $@
$(COMPONENTS)/hello.wasm: FORCE
	@$(TOOLCHAINS)/rust.sh build test/components/hello $@
$(COMPONENTS)/caller.wasm: FORCE
	@$(TOOLCHAINS)/rust.sh build test/components/caller $@
$(COMPONENTS)/receipt-rust.wasm: FORCE
	@$(TOOLCHAINS)/rust.sh build test/components/receipt/rust $@
$(COMPONENTS)/receipt-c.wasm: FORCE
	@$(TOOLCHAINS)/c.sh build test/components/receipt/c $@
$(COMPONENTS)/receipt-go.wasm: FORCE
	@$(TOOLCHAINS)/go.sh build test/components/receipt/go $@
$(COMPONENTS)/receipt-js.wasm $(COMPONENTS)/receipt-ts.wasm: $(COMPONENTS)/receipt-%.wasm: FORCE
	@$(TOOLCHAINS)/js.sh build test/components/receipt/$* $@
$(COMPONENTS)/receipt-python.wasm: FORCE
	@$(TOOLCHAINS)/python.sh build test/components/receipt/python $@

# What make bench calls.
BENCH_COMPONENTS := $(patsubst %,$(COMPONENTS)/%.wasm,bench hello conformance kernels receipt-rust receipt-c receipt-js receipt-python)

# Where benchmarks write their figures, as SUITE-ENGINE.json, and options of theirs.
BENCH := build/bench
BENCHFLAGS ?=

.PHONY: bench
bench: build orders text stats $(BENCH_COMPONENTS) ## Measure weft against its baselines, in about twelve minutes; ENGINE=lts with that engine; writes docs/
	$(with-engine)
	go run ./test/bench -rounds 9 -out $(BENCH) -docs docs $(BENCHFLAGS)

.PHONY: bench-cluster
bench-cluster: build orders $(COMPONENTS)/bench.wasm ## Measure what several nodes do together; ENGINE=lts with that engine
	$(with-engine)
	go run ./test/bench -out $(BENCH) $(BENCHFLAGS) cluster
	go test -run '^$$' -bench ClusterWrites -benchtime 1x ./consensus

# One small function in every language.
RECEIPTS := $(patsubst %,$(COMPONENTS)/receipt-%.wasm,rust c go js ts python)

.PHONY: bench-polyglot
bench-polyglot: build $(RECEIPTS) $(COMPONENTS)/bench.wasm $(COMPONENTS)/caller.wasm ## Measure functions in all languages, and calls between functions; ENGINE=lts with that engine; writes docs/
	$(with-engine)
	go run ./test/bench -rounds 7 -out $(BENCH) -docs docs $(BENCHFLAGS) polyglot

.PHONY: bench-density
bench-density: build ## Measure a node with 10,000 functions, in about seven minutes; ENGINE=lts with that engine; writes docs/
	$(with-engine)
	go run ./test/bench -out $(BENCH) -docs docs $(BENCHFLAGS) density

.PHONY: bench-kernels
bench-kernels: $(COMPONENTS)/kernels.wasm ## Measure computing against a program of the same code; ENGINE=lts with that engine; writes docs/
	$(with-engine)
	go run ./test/bench -weft '' -rounds 15 -out $(BENCH) -docs docs $(BENCHFLAGS) kernels

.PHONY: bench-fairness
bench-fairness: build $(COMPONENTS)/bench.wasm $(COMPONENTS)/kernels.wasm ## Measure what a function that burns costs another on its node; ENGINE=lts with that engine; writes docs/
	$(with-engine)
	go run ./test/bench -rounds 7 -out $(BENCH) -docs docs $(BENCHFLAGS) fairness

.PHONY: bench-async
bench-async: $(COMPONENTS)/receipt-rust.wasm ## Measure asynchronous calls of the long-term-support engine against calls that hold a thread, in Rust
	@executor/wasmtime/lts/async.sh $<

# What make robustness runs: how many runs, of clusters of how many nodes, of which scenario and with which seed.
RUNS ?= 10
NODES ?= 5
SCENARIO ?=
SEED ?= 0

.PHONY: robustness
robustness: ## Check what weft promises while its nodes fail: RUNS=n, see test/robustness
	@cd test/robustness && go test -run '^TestRobustness$$' -timeout 0 \
		-runs $(RUNS) -nodes $(NODES) -scenario "$(SCENARIO)" -seed $(SEED)

.PHONY: load-go
load-go: $(COMPONENTS)/load-go.wasm ## Call one instance of a component in Go 100,000 times
	@go test -count 1 -timeout 20m -run TestLoad -v ./test/guest -args -calls 100000

.PHONY: lint
lint: ## Check style, the API's schema and that generated code is what its sources give
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -d $$(git ls-files '*.go'); exit 1; }
	tools=$$($(TOOLCHAINS)/go-tools.sh golangci-lint buf protoc-gen-go protoc-gen-go-grpc):$$($(TOOLCHAINS)/clients.sh generators)
	export PATH="$$tools:$$PATH"
	golangci-lint run
	buf lint
	$(if $(BASE),buf breaking --against '.git#ref=$(BASE)',)
	.ci/generated

.PHONY: generate
generate: ## Write generated code anew
	@tools=$$($(TOOLCHAINS)/go-tools.sh buf protoc-gen-go protoc-gen-go-grpc):$$($(TOOLCHAINS)/clients.sh generators)
	export PATH="$$tools:$$PATH"
	buf generate
	buf generate --template clients/buf.gen.yaml
	buf generate --template clients/java/buf.gen.yaml
	for dir in $(GO_COMPONENTS); do go run ./cmd/weft bindgen go --out $$dir/gen $$dir/wit; done

.PHONY: race
race: build examples $(TEST_COMPONENTS) ## Run all tests with the race detector
	@tools=$$($(TOOLCHAINS)/go-tools.sh buf grpcurl h2spec protoc-gen-go protoc-gen-go-grpc nats-server)
	$(TOOLCHAINS)/apt.sh "checking schemas with protoc and javac" $(SCHEMA_PACKAGES)
	$(TOOLCHAINS)/apt.sh "testing key-value storage" $(SERVER_PACKAGES)
	PATH="$$tools:$$PATH" go test -race $(TESTFLAGS) $(PACKAGES)

.PHONY: debug
debug: ## Test the cgo package with a collection at each pointer, cgocheck and the race detector
	$(with-engine)
	GOEXPERIMENT=cgocheck2 go test -race -tags debug,wasmtime_$(ENGINE) $(TESTFLAGS) ./executor/wasmtime/...

.PHONY: fuzz-short
fuzz-short: ## Run each fuzz target for a moment
	@.ci/fuzz $(FUZZTIME)

.PHONY: fuzz-lts
fuzz-lts: ## Run the fuzz targets that need the long-term-support engine for a moment
	$(with-lts)
	.ci/fuzz $(FUZZTIME) 'executor/transcode/transcoder*_test.go'

.PHONY: toolchains
toolchains: ## Install what the other targets install, but for the long-term-support engine
	@$(TOOLCHAINS)/rust.sh >/dev/null
	$(TOOLCHAINS)/js.sh >/dev/null
	$(TOOLCHAINS)/python.sh >/dev/null
	$(TOOLCHAINS)/c.sh >/dev/null
	$(TOOLCHAINS)/go.sh >/dev/null
	$(TOOLCHAINS)/wasm-tools.sh >/dev/null
	$(TOOLCHAINS)/wasmtime.sh >/dev/null
	$(TOOLCHAINS)/clients.sh generators >/dev/null
	$(TOOLCHAINS)/go-tools.sh buf golangci-lint grpcurl h2spec nats-server protoc-gen-go protoc-gen-go-grpc >/dev/null
	$(TOOLCHAINS)/apt.sh "checking schemas with protoc and javac" $(SCHEMA_PACKAGES)
	$(TOOLCHAINS)/apt.sh "testing key-value storage" $(SERVER_PACKAGES)

.PHONY: clean
clean: ## Remove what was built; the toolchains stay
	@rm -rf bin build
