package artifacts

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
)

// FetchError says why no node gave an artifact. It is ErrNotFound if none has it.
type FetchError struct {
	Digest Digest
	// Nodes are those that were asked, by name, and Errs what became of it.
	Nodes []string
	Errs  []error
}

func (e *FetchError) Error() string {
	return fmt.Sprintf("artifacts: %x is not on this node, and %s", e.Digest, e.others())
}

// others says what became of the other nodes.
func (e *FetchError) others() string {
	if len(e.Nodes) == 0 {
		return "it knows of no other that may have it"
	}
	return "no other gave it: " + reasons(e.Nodes, e.Errs)
}

// Unwrap returns what became of each node.
func (e *FetchError) Unwrap() []error { return e.Errs }

// Is makes it ErrNotFound if that is what all nodes said.
func (e *FetchError) Is(target error) bool {
	if target != ErrNotFound {
		return false
	}
	for _, err := range e.Errs {
		if status.Code(err) != codes.NotFound {
			return false
		}
	}
	return true
}

// maxReasons is how many nodes a message names.
const maxReasons = 5

func reasons(nodes []string, errs []error) string {
	var all []string
	for i, node := range nodes {
		if i == maxReasons {
			all = append(all, fmt.Sprintf("and %d more", len(nodes)-i))
			break
		}
		all = append(all, fmt.Sprintf("%s: %v", node, errs[i]))
	}
	return strings.Join(all, "; ")
}

// Fetcher pulls artifacts from other nodes. Its methods are safe for concurrent use.
type Fetcher struct {
	config Config
	places chan struct{} // a token of each pull

	mu      sync.Mutex
	flights map[Digest]*flight   // guarded by mu
	liars   map[string]time.Time // guarded by mu; nodes that sent something else, until when they are asked last
}

// flight is one pull and who waits for it.
type flight struct {
	waiters int // guarded by Fetcher.mu
	cancel  context.CancelFunc
	done    chan struct{}
	pulled  bool  // set before done is closed; false if the artifact turned out to be there
	err     error // set before done is closed
}

// maxPulls is how often one Fetch pulls: the file of the first may be swept, or be corrupt at once.
const maxPulls = 2

// liarPause is how long a node that sent wrong bytes is asked last.
const liarPause = 10 * time.Minute

// NewFetcher makes a fetcher. It holds nothing that must be closed: a pull ends with the last of those who wait for it.
func NewFetcher(c Config) *Fetcher {
	c = c.withDefaults(2)
	return &Fetcher{config: c, places: make(chan struct{}, c.Parallel), flights: map[Digest]*flight{}, liars: map[string]time.Time{}}
}

// Fetch gives the file of an artifact, as Store.Path does; it pulls the artifact from another node if it is not there, is
// corrupt or can't be read. Pulls of one digest that go on at once are one. Each node is asked once or twice: it is for the caller to try
// again later. Errors are *FetchError, ErrStorage where the disk is full, those of ctx, and ErrUnreadable, along with what
// kept another node's from taking its place.
func (f *Fetcher) Fetch(ctx context.Context, d Digest) (path string, err error) {
	for try := 0; ; try++ {
		path, err = f.config.Store.Path(d)
		switch {
		case err == nil:
			return path, nil
		case try == maxPulls: // what is written is not what is read
			return "", err
		case errors.Is(err, ErrCorrupt):
			f.config.Logger.Warn("an artifact is corrupt and is fetched again", "error", err)
		}
		pulled, failed := f.wait(ctx, d)
		switch unreadable := errors.Is(err, ErrUnreadable); {
		case failed != nil && unreadable:
			return "", unreplaced(err, failed)
		case failed != nil:
			return "", failed
		case pulled && unreadable:
			f.config.Logger.Warn("an artifact could not be read and was fetched again", "error", err)
		}
	}
}

// unreplaced says that a file can't be read, and why no other took its place. It is not ErrNotFound: there is a file.
func unreplaced(unreadable, failed error) error {
	if nobody, ok := errors.AsType[*FetchError](failed); ok {
		return fmt.Errorf("%w, and %s", unreadable, nobody.others())
	}
	return fmt.Errorf("%w, and it was not fetched: %w", unreadable, failed)
}

// wait waits for the pull of an artifact, which it starts unless it goes on already, and tells whether that brought it.
func (f *Fetcher) wait(ctx context.Context, d Digest) (pulled bool, err error) {
	f.mu.Lock()
	p := f.flights[d]
	if p == nil {
		run, cancel := context.WithCancel(context.WithoutCancel(ctx))
		p = &flight{cancel: cancel, done: make(chan struct{})}
		f.flights[d] = p
		go func() { // it ends soon after the last waiter has left
			p.pulled, p.err = f.pull(run, d)
			f.forget(d, p)
			cancel()
			close(p.done)
		}()
	}
	p.waiters++
	f.mu.Unlock()
	select {
	case <-p.done:
		return p.pulled, p.err
	case <-ctx.Done():
	}
	f.mu.Lock()
	p.waiters--
	last := p.waiters == 0
	if last && f.flights[d] == p {
		delete(f.flights, d)
	}
	f.mu.Unlock()
	if last {
		p.cancel()
		<-p.done
	}
	return false, ctx.Err()
}

func (f *Fetcher) forget(d Digest, p *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.flights[d] == p {
		delete(f.flights, d)
	}
}

// pull waits for its turn and asks one node after the other, unless the artifact turns out to be there.
func (f *Fetcher) pull(ctx context.Context, d Digest) (pulled bool, err error) {
	select {
	case f.places <- struct{}{}:
		defer func() { <-f.places }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	a, err := f.config.Store.arrive(ctx, d)
	if a == nil {
		return false, err
	}
	defer a.close()
	failed := &FetchError{Digest: d}
	for _, node := range f.order(f.config.Cluster.Holders(d)) {
		err := f.from(ctx, a, node)
		switch {
		case err == nil:
			return true, nil
		case ctx.Err() != nil:
			return false, ctx.Err()
		case errors.Is(err, ErrStorage):
			return false, err
		}
		failed.Nodes = append(failed.Nodes, f.config.Cluster.Name(node))
		failed.Errs = append(failed.Errs, err)
	}
	return false, failed
}

// order puts nodes that have lied last.
func (f *Fetcher) order(nodes []string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	var first, last []string
	for _, node := range nodes {
		switch until, noted := f.liars[node]; {
		case node == f.config.Node:
		case noted && now.Before(until):
			last = append(last, node)
		default:
			delete(f.liars, node)
			first = append(first, node)
		}
	}
	return append(first, last...)
}

// from takes an artifact from a node, going on where the one before has stopped. If that does not give the right bytes,
// nobody knows whose the wrong ones were, and the node is asked for all of it. A stream that breaks after it brought
// something is begun once more.
func (f *Fetcher) from(ctx context.Context, a *arrival, node string) error {
	began := a.have
	err := f.stream(ctx, a, node)
	switch {
	case err == nil:
		return nil
	case isLie(err) && began > 0:
		if err := a.again(); err != nil {
			return err
		}
		err = f.stream(ctx, a, node)
	case isLie(err) || errors.Is(err, ErrStorage):
	case a.have > began && ctx.Err() == nil:
		err = f.stream(ctx, a, node)
	}
	if !isLie(err) {
		return err
	}
	f.mu.Lock()
	f.liars[node] = time.Now().Add(liarPause)
	f.mu.Unlock()
	f.config.Logger.Warn("a node sent something else than the artifact it was asked for",
		"node", f.config.Cluster.Name(node), "id", node, "error", err)
	return errors.Join(err, a.again())
}

func isLie(err error) bool {
	return errors.Is(err, ErrCorrupt) || errors.Is(err, ErrTooLarge)
}

// stream reads one answer of a node to its end.
func (f *Fetcher) stream(ctx context.Context, a *arrival, node string) error {
	ctx, alive, stop := watched(ctx, f.config.Stall)
	defer stop()
	conn, err := f.config.Peers.Conn(node)
	if err != nil {
		return err
	}
	in, err := clusterv1.NewArtifactServiceClient(conn).Fetch(ctx,
		&clusterv1.FetchRequest{Digest: a.digest[:], Offset: uint64(a.have)})
	if err != nil {
		return because(ctx, err)
	}
	first, err := in.Recv()
	if status.Code(err) == codes.OutOfRange { // what is here is not of this artifact
		return fmt.Errorf("%w: %w", ErrTooLarge, because(ctx, err))
	}
	if err != nil {
		return because(ctx, err)
	}
	size := first.GetSize()
	if size > MaxSize || int64(size) < a.have {
		return fmt.Errorf("%w: it announces %d bytes", ErrTooLarge, size)
	}
	body := &chunks{rest: first.GetChunk(), next: func() ([]byte, error) {
		alive()
		m, err := in.Recv()
		return m.GetChunk(), because(ctx, err)
	}}
	if err := a.take(ctx, body, int64(size)); err != nil {
		return because(ctx, err)
	}
	return a.commit()
}
