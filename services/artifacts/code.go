package artifacts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
)

// CodeCache is this node's cache of compiled code; *executor.Executor is one.
type CodeCache interface {
	Code
	// TakeCode puts compiled code into the cache once it is verified.
	TakeCode(digest [32]byte, r io.Reader, size int64, checksum [32]byte) error
}

// CodeFetcher takes compiled code from nodes with an equal engine, which is much faster than compiling. It is safe for
// concurrent use.
type CodeFetcher struct {
	config Config
	cache  CodeCache
}

const (
	// askedAtOnce is how many nodes are asked for compiled code at once.
	askedAtOnce = 8
	// codeRounds is how often nodes are asked in all: the first may break off, or send to another.
	codeRounds = 3
	// codeAnswer is how long they have to begin.
	codeAnswer = 2 * time.Second
	// codePause is the pause between two rounds while nodes are busy with giving the code to others.
	codePause = 300 * time.Millisecond
)

// NewCodeFetcher makes a code fetcher. It holds nothing that must be closed.
func NewCodeFetcher(c Config, cache CodeCache) *CodeFetcher {
	return &CodeFetcher{config: c.withDefaults(1), cache: cache}
}

// FetchCode makes sure that the cache has compiled code of an artifact, if another node gives it: the first one that
// answers. The error is ErrNotFound if nobody has it for this engine; whatever it is, the code can be compiled instead.
// It asks a few nodes at once and does not wait for long.
func (f *CodeFetcher) FetchCode(ctx context.Context, d Digest) error {
	if _, _, _, ok := f.cache.Code(d); ok {
		return nil
	}
	nodes := f.config.Cluster.Engines(d)
	var failed error
	for round := range codeRounds {
		nodes = slices.DeleteFunc(slices.Clone(nodes), func(node string) bool { return node == f.config.Node })
		nodes = nodes[:min(len(nodes), askedAtOnce)]
		if len(nodes) == 0 {
			break
		}
		first, next, busy := f.ask(ctx, d, nodes)
		if first != nil {
			err := f.take(ctx, d, first)
			if err == nil {
				return nil
			}
			f.config.Logger.Warn("compiled code did not come through", "node", f.config.Cluster.Name(first.node), "error", err)
			failed = err
			nodes = slices.DeleteFunc(nodes, func(node string) bool { return node == first.node })
			continue
		}
		nodes = next
		if busy && round+1 < codeRounds {
			select {
			case <-time.After(codePause):
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if failed != nil {
		return failed
	}
	return fmt.Errorf("%w: no node gives compiled code of %x", ErrNotFound, d)
}

// offer is compiled code that a node has begun to send.
type offer struct {
	node  string
	ctx   context.Context //nolint:containedctx // of the stream
	alive func()
	stop  func()
	in    grpc.ServerStreamingClient[clusterv1.FetchCodeResponse]
	first *clusterv1.FetchCodeResponse
}

// ask asks nodes for compiled code and gives the first offer, which must be stopped. Without one, next are the nodes to ask
// instead: those that others named, and those that were busy.
func (f *CodeFetcher) ask(ctx context.Context, d Digest, nodes []string) (first *offer, next []string, busy bool) {
	type answer struct {
		*offer
		err error
	}
	answers := make(chan answer)
	stops := make([]func(), len(nodes))
	for i, node := range nodes {
		watched, alive, stop := watched(ctx, codeAnswer)
		stops[i] = stop
		go func() {
			o := &offer{node: node, ctx: watched, alive: alive, stop: stop}
			answers <- answer{o, f.open(o, d)}
		}()
	}
	for range nodes {
		a := <-answers
		switch {
		case a.err == nil && first == nil && a.first.GetElsewhere() == "":
			first = a.offer
			for i, stop := range stops {
				if nodes[i] != first.node {
					stop()
				}
			}
			continue
		case a.err == nil && a.first.GetElsewhere() != "":
			if e := a.first.GetElsewhere(); !slices.Contains(nodes, e) && !slices.Contains(next, e) {
				next = append(next, e)
			}
		case status.Code(a.err) == codes.Unavailable:
			next, busy = append(next, a.node), true
		}
		a.stop()
	}
	return first, next, busy
}

// open asks one node.
func (f *CodeFetcher) open(o *offer, d Digest) error {
	conn, err := f.config.Peers.Conn(o.node)
	if err != nil {
		return err
	}
	o.in, err = clusterv1.NewArtifactServiceClient(conn).FetchCode(o.ctx,
		&clusterv1.FetchCodeRequest{Digest: d[:], Engine: f.cache.Fingerprint()})
	if err != nil {
		return err
	}
	o.first, err = o.in.Recv()
	return err
}

// take takes what a node offers. A stream that breaks is gone on with once.
func (f *CodeFetcher) take(ctx context.Context, d Digest, o *offer) error {
	defer func() { o.stop() }()
	size, sum := o.first.GetSize(), o.first.GetChecksum()
	if len(sum) != len(d) {
		return fmt.Errorf("artifacts: a checksum of %d bytes", len(sum))
	}
	var got uint64
	resumed := false
	body := &chunks{rest: o.first.GetChunk()}
	got = uint64(len(body.rest))
	body.next = func() ([]byte, error) {
		o.alive()
		m, err := o.in.Recv()
		if err != nil && !errors.Is(err, io.EOF) && !resumed && ctx.Err() == nil {
			resumed = true
			o.stop()
			o.ctx, o.alive, o.stop = watched(ctx, f.config.Stall)
			m, err = f.resume(o, d, got)
		}
		got += uint64(len(m.GetChunk()))
		return m.GetChunk(), because(o.ctx, err) //nolint:contextcheck // the one of the stream, made from ctx
	}
	if size > 1<<62 {
		return fmt.Errorf("artifacts: compiled code of %d bytes", size)
	}
	return f.cache.TakeCode(d, body, int64(size), [32]byte(sum))
}

// resume asks for the rest of compiled code. If that is another's by now, the checksum of the whole will not be right.
func (f *CodeFetcher) resume(o *offer, d Digest, offset uint64) (*clusterv1.FetchCodeResponse, error) {
	conn, err := f.config.Peers.Conn(o.node)
	if err != nil {
		return nil, err
	}
	o.in, err = clusterv1.NewArtifactServiceClient(conn).FetchCode(o.ctx,
		&clusterv1.FetchCodeRequest{Digest: d[:], Engine: f.cache.Fingerprint(), Offset: offset})
	if err != nil {
		return nil, err
	}
	return o.in.Recv()
}
