package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/pprof/profile"
)

// runProfile has two nodes answer small records in a closed loop, one of which has grpc-go serve its port, and writes what they use their
// processor time for to a file for the Go compiler.
func runProfile(ctx context.Context, o options) (err error) {
	data, err := os.MkdirTemp("", "weft-profile-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	through, err := build(ctx, o, data, grpcGoTag)
	if err != nil {
		return err
	}
	var all []*profile.Profile
	for _, o := range []options{o, through} {
		p, err := profileOf(ctx, o, filepath.Join(data, "node-"+filepath.Base(o.weft)))
		if err != nil {
			return fmt.Errorf("%s: %w", o.weft, err)
		}
		all = append(all, p)
	}
	both, err := profile.Merge(all)
	if err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(o.out, filepath.Base(profileFile)))
	if err != nil {
		return err
	}
	return errors.Join(both.Write(f), f.Close())
}

// profileOf runs a node under load and gives what it used its processor time for, without when and where that was.
func profileOf(ctx context.Context, o options, data string) (*profile.Profile, error) {
	file := data + ".pprof"
	if err := loadProfiled(ctx, o, data, file); err != nil {
		return nil, err
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := profile.Parse(f)
	if err != nil {
		return nil, err
	}
	p.TimeNanos = 0
	for _, m := range p.Mapping {
		m.File = filepath.Base(m.File)
	}
	return p, nil
}

func loadProfiled(ctx context.Context, o options, data, file string) (err error) {
	node, err := startNode(ctx, o, data, "--cpu-profile", file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, node.stop()) }()
	if err := deploy(ctx, o, node, ownerFunction, filepath.Join(o.components, "bench.wasm")); err != nil {
		return err
	}
	work, err := touchTask()
	if err != nil {
		return err
	}
	return contend(ctx, []*contender{{name: "weft", process: node}}, work, conditions{inFlight: o.inFlight, duration: 10 * o.duration}, 1)
}
