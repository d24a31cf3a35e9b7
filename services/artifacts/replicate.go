package artifacts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
)

// ReplicationError says that too few schedulers have an artifact.
type ReplicationError struct {
	Digest Digest
	// Have of Schedulers have it; Need of them would have to.
	Have, Need, Schedulers int
	// Nodes are those that could not be given it, by name, and Errs why.
	Nodes []string
	Errs  []error
}

func (e *ReplicationError) Error() string {
	if e.Schedulers == 0 {
		return "artifacts: this node knows of no schedulers yet; try again"
	}
	return fmt.Sprintf("artifacts: the component is on %d of %d schedulers, and must be on %d before it is deployed: %s; try again once they run",
		e.Have, e.Schedulers, e.Need, reasons(e.Nodes, e.Errs))
}

// Unwrap returns what became of each node.
func (e *ReplicationError) Unwrap() []error { return e.Errs }

// Replicator pushes artifacts to schedulers. It is safe for concurrent use.
type Replicator struct {
	config Config
	places chan struct{} // a token of each push
}

// NewReplicator makes a replicator. It holds nothing that must be closed.
func NewReplicator(c Config) *Replicator {
	c = c.withDefaults(4)
	return &Replicator{config: c, places: make(chan struct{}, c.Parallel)}
}

// retryPause is the pause between two tries of a push.
const retryPause = 200 * time.Millisecond

// Replicate returns once a majority of the schedulers has an artifact on disk, verified, and will keep it for the grace
// period: the revision that names it is to be proposed within that. This node must have it, and hold it; it counts if it is
// a scheduler. Others get it unless they have it already, going on where an earlier try has stopped; the rest of the
// schedulers fetch it by themselves once a revision names it. Errors are *ReplicationError, those of Store.Path, and those
// of ctx.
func (r *Replicator) Replicate(ctx context.Context, d Digest) error {
	path, err := r.config.Store.Path(d)
	if err != nil {
		return err
	}
	if !r.config.Store.touch(d) {
		return fmt.Errorf("%w: %x", ErrNotFound, d)
	}
	all := r.config.Cluster.Schedulers()
	e := &ReplicationError{Digest: d, Need: len(all)/2 + 1, Schedulers: len(all)}
	others := slices.DeleteFunc(slices.Clone(all), func(node string) bool { return node == r.config.Node })
	e.Have = len(all) - len(others)
	if len(all) == 0 {
		return e
	}
	return r.toMajority(ctx, e, path, others)
}

// toMajority pushes to all nodes at once until enough have it.
func (r *Replicator) toMajority(ctx context.Context, e *ReplicationError, path string, nodes []string) error {
	ctx, cancel := context.WithCancel(ctx)
	type outcome struct {
		node string
		err  error
	}
	outcomes := make(chan outcome)
	rand.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] }) //nolint:gosec // no secret
	for _, node := range nodes {
		go func() { outcomes <- outcome{node, r.push(ctx, e.Digest, path, node)} }()
	}
	left := len(nodes)
	defer func() { // what still goes on is given up, and the nodes fetch the rest by themselves
		cancel()
		for range left {
			<-outcomes
		}
	}()
	for e.Have < e.Need && left > 0 {
		o := <-outcomes
		if left--; o.err == nil {
			e.Have++
			continue
		}
		e.Nodes = append(e.Nodes, r.config.Cluster.Name(o.node))
		e.Errs = append(e.Errs, o.err)
	}
	switch {
	case e.Have >= e.Need:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	default:
		return e
	}
}

// push gives an artifact to a node. It goes on trying for a while if the node can't be reached.
func (r *Replicator) push(ctx context.Context, d Digest, path, node string) error {
	end := time.Now().Add(r.config.Patience)
	for {
		err := r.try(ctx, d, path, node)
		if err == nil || ctx.Err() != nil || !isPassing(err) || time.Now().After(end) {
			return err
		}
		select {
		case <-time.After(retryPause):
		case <-ctx.Done():
			return err
		}
	}
}

// isPassing tells whether it may go better in a moment.
func isPassing(err error) bool {
	if errors.Is(err, errStalled) {
		return true
	}
	switch status.Code(err) {
	case codes.Unavailable, codes.Aborted, codes.DataLoss, codes.DeadlineExceeded:
		return true
	default:
		return false
	}
}

// try gives an artifact to a node, unless the node has it.
func (r *Replicator) try(ctx context.Context, d Digest, path, node string) error {
	select {
	case r.places <- struct{}{}:
		defer func() { <-r.places }()
	case <-ctx.Done():
		return ctx.Err()
	}
	ctx, alive, stop := watched(ctx, r.config.Stall)
	defer stop()
	conn, err := r.config.Peers.Conn(node)
	if err != nil {
		return err
	}
	client := clusterv1.NewArtifactServiceClient(conn)
	has, err := client.Has(ctx, &clusterv1.HasRequest{Digests: [][]byte{d[:]}, Keep: true})
	if err != nil {
		return because(ctx, err)
	}
	if len(has.GetDigests()) > 0 {
		return nil
	}
	var offset uint64
	for _, p := range has.GetPartials() {
		offset = p.GetSize()
	}
	alive()
	err = send(ctx, alive, client, d, path, offset)
	if code := status.Code(err); offset > 0 && (code == codes.DataLoss || code == codes.OutOfRange) {
		err = send(ctx, alive, client, d, path, 0) // what the node had was of no use
	}
	return because(ctx, err)
}

// send sends the file of an artifact from an offset on, and waits until it is stored.
func send(ctx context.Context, alive func(), client clusterv1.ArtifactServiceClient, d Digest, path string, offset uint64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if offset > uint64(info.Size()) {
		offset = 0
	}
	if _, err := f.Seek(int64(offset), io.SeekStart); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx) // whatever happens, the call ends
	defer cancel()
	out, err := client.Store(ctx)
	if err != nil {
		return err
	}
	err = out.Send(&clusterv1.StoreRequest{Digest: d[:], Size: uint64(info.Size()), Offset: offset})
	if err == nil {
		err = stream(f, func(chunk []byte) error {
			alive()
			return out.Send(&clusterv1.StoreRequest{Chunk: chunk})
		})
	}
	if err != nil && !errors.Is(err, io.EOF) { // io.EOF says that the answer is there
		return err
	}
	alive()
	_, err = out.CloseAndRecv()
	return err
}
