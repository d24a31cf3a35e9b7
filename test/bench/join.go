package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"google.golang.org/grpc/metadata"

	weft "github.com/weft-run/weft/clients/go"
)

// joined is how long a new node took, in seconds from its start.
type joined struct {
	Functions int     `json:"functions"`
	Member    float64 `json:"memberSeconds"`   // its ready line: it has its certificate and serves
	CaughtUp  float64 `json:"caughtUpSeconds"` // its catalog is that of the others
	Served    float64 `json:"servedSeconds"`   // it has run a call itself
	All       float64 `json:"allReadySeconds"` // all functions are ready on it
}

// functions is how many functions the cluster has that a node joins.
const functions = 100

func join(ctx context.Context, o options, data string) (j joined, err error) {
	m := &members{o: o, data: data}
	defer func() { err = errors.Join(err, m.stop()) }()
	if err := m.grow(ctx, 1); err != nil {
		return j, err
	}
	for i := range functions {
		name := fmt.Sprintf("orders-%d", i)
		if _, err := m.output(ctx, "deploy", filepath.Join(o.components, "orders.wasm"), "--name", name, "--replicas", "all", "--wait", "0s"); err != nil {
			return j, err
		}
	}
	old, err := weft.Connect(m.nodes[0].ready["grpc"])
	if err != nil {
		return j, err
	}
	defer func() { _ = old.Close() }()
	target, err := old.Status(ctx)
	if err != nil {
		return j, err
	}

	began := time.Now()
	node, err := m.add(ctx)
	if err != nil {
		return j, err
	}
	j = joined{Functions: functions, Member: time.Since(began).Seconds()}
	client, err := weft.Connect(node.ready["grpc"])
	if err != nil {
		return j, err
	}
	defer func() { _ = client.Close() }()
	if err := poll(ctx, "the catalog is caught up", func() (bool, error) {
		s, err := client.Status(ctx)
		return s.GetAppliedIndex() >= target.GetAppliedIndex(), err
	}); err != nil {
		return j, err
	}
	j.CaughtUp = time.Since(began).Seconds()
	if err := poll(ctx, "the node runs a call", func() (bool, error) {
		var header, trailer metadata.MD
		_, err := client.Call(ctx, "demo.orders.v1.Orders/Find", []byte(`{"sku": "book-loom"}`),
			weft.OfFunction("orders-0"), weft.ReceiveMetadata(&header, &trailer))
		return err == nil && len(header["weft-node"]) == 1 && header["weft-node"][0] == node.name, err
	}); err != nil {
		return j, err
	}
	j.Served = time.Since(began).Seconds()
	if err := poll(ctx, "all functions are ready on the node", func() (bool, error) {
		list, err := m.list(ctx)
		for _, n := range list.Nodes {
			if n.Name == node.name {
				return n.Ready >= functions, err
			}
		}
		return false, err
	}); err != nil {
		return j, err
	}
	j.All = time.Since(began).Seconds()
	return j, nil
}
