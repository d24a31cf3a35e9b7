package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
)

// servers are those under load, all there from the first turn to the last.
type servers struct {
	native, workers, weft *process
}

// The functions of the node under load: one component, with limits of their own.
const (
	ownerFunction = "records" // on its defaults
	plainFunction = "plain"   // with plainMemory
	largeFunction = "large"   // messages of 8 MiB
	wideFunction  = "wide"    // 1,024 calls at once, running or waiting
)

// plainMemory is too little for a transcoder, so that all messages take the plain path.
const plainMemory = "60MiB"

func startServers(ctx context.Context, o options, data string) (s *servers, err error) {
	s = &servers{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop())
		}
	}()
	self, err := os.Executable()
	if err != nil {
		return s, err
	}
	if s.native, err = start(ctx, self, nativeName); err != nil {
		return s, err
	}
	if s.workers, err = start(ctx, self, nativeName, "workers"); err != nil {
		return s, err
	}
	if s.weft, err = startNode(ctx, o, data); err != nil {
		return s, err
	}
	component := filepath.Join(o.components, "bench.wasm")
	return s, errors.Join(
		deploy(ctx, o, s.weft, ownerFunction, component),
		deploy(ctx, o, s.weft, plainFunction, component, "--memory", plainMemory),
		deploy(ctx, o, s.weft, largeFunction, component, "--max-message", "8MiB", "--memory", "256MiB"),
		deploy(ctx, o, s.weft, wideFunction, component, "--concurrency", "1024", "--queue", "1024"))
}

func (s *servers) stop() (err error) {
	for _, p := range []*process{s.native, s.workers, s.weft} {
		if p != nil {
			err = errors.Join(err, p.stop())
		}
	}
	return err
}

// nativeContender is the rival on its defaults: the baseline.
func (s *servers) nativeContender() *contender {
	return &contender{name: "grpc-go, generated code", process: s.native}
}

// serveAddress is how wasmtime serve says where it listens.
var serveAddress = regexp.MustCompile(`Serving HTTP on http://([^/\s]+)`)

// startServe starts wasmtime serve with a component that answers hello, on its defaults; it needs -S cli for what Rust's std imports.
func startServe(ctx context.Context, o options) (*contender, error) {
	program, err := toolchain(ctx, "wasmtime.sh")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, "serve", "-S", "cli", "--addr", "127.0.0.1:0", filepath.Join(o.components, "hello.wasm"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	p, text, err := launch(ctx, cmd, out)
	if err != nil {
		return nil, err
	}
	address := serveAddress.FindStringSubmatch(text)
	if address == nil {
		p.kill()
		return nil, fmt.Errorf("%s serve: it does not say where it listens, but %q", program, text)
	}
	p.ready["http"] = address[1]
	return &contender{name: "wasmtime serve, hello over HTTP/1.1", process: p, http: true}, nil
}
