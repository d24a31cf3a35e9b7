package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/weft-run/weft/executor/wasmtime"
)

// Tags with which weft is built only to be compared.
const (
	grpcGoTag = "weft_grpc_go"       // grpc-go serves its port, where others have package lean
	valuesTag = "weft_engine_values" // what crosses to the guest and back takes the engine's own form on the way
)

// profileFile is what the Go compiler is told of nodes at work; make profile writes it.
const profileFile = "cmd/weft/lts.pgo"

// build builds weft as make build does, with a further tag, and gives the options with that binary.
func build(ctx context.Context, o options, dir, tag string) (options, error) {
	o.weft = filepath.Join(dir, "weft-"+tag)
	args := []string{"build", "-trimpath", engineTag + "," + tag}
	if wasmtime.Name == "lts" {
		args = append(args, "-pgo="+profileFile)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "-o", o.weft, "./cmd/weft")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return o, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return o, nil
}

// startTagged builds weft with a further tag, and starts a node of that with the function bench, deployed with the flags given.
func (m *measurement) startTagged(ctx context.Context, tag, title string, flags ...string) (*contender, error) {
	o, err := build(ctx, m.o, m.data, tag)
	if err != nil {
		return nil, err
	}
	return contending(ctx, o, title, filepath.Join(m.data, tag), nil, flags)
}

// startFresh starts a node that makes an instance for each call, with the function bench.
func (m *measurement) startFresh(ctx context.Context, title string) (*contender, error) {
	return contending(ctx, m.o, title, filepath.Join(m.data, "fresh"), []string{freshFlag}, nil)
}

// contending starts a node with the function bench, each with the flags given.
func contending(ctx context.Context, o options, title, data string, server, flags []string) (*contender, error) {
	node, err := startNode(ctx, o, data, server...)
	if err != nil {
		return nil, err
	}
	if err := deploy(ctx, o, node, ownerFunction, filepath.Join(o.components, "bench.wasm"), flags...); err != nil {
		return nil, errors.Join(err, node.stop())
	}
	return &contender{name: title, process: node}, nil
}
