// Package traffic uses a cluster as many clients do, and records what they see.
package traffic

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/weft-run/weft/test/cluster"
	"github.com/weft-run/weft/test/robustness/model"
	"github.com/weft-run/weft/test/robustness/validate"
)

// Config says what the clients do.
type Config struct {
	// Nodes are the nodes that clients may ask. It is called for each operation.
	Nodes func() []*cluster.Node
	// Components are what is deployed; all export demo:calc/calc@1.0.0 with a function env.
	Components [][]byte
	// Routed are two functions that share a service, which is routed to and fro. They are not changed otherwise.
	Routed [2]string
	// Service is that service.
	Service string
	// Functions is how many functions are deployed, updated and deleted.
	Functions int
	// Clients is how many clients there are, each with one operation at a time.
	Clients int
	// Pause is the longest pause of a client after an operation.
	Pause time.Duration
	// Seed decides what each client does.
	Seed uint64
}

// Traffic is clients at work.
type Traffic struct {
	config Config
	began  time.Time
	stop   context.CancelFunc
	wait   sync.WaitGroup

	mu         sync.Mutex
	operations []model.Operation // guarded by mu
	samples    []validate.Sample // guarded by mu
	failed     map[string]int    // guarded by mu; operations without effect, by kind and reason
	marks      int               // guarded by mu
}

// Start sets clients to work until Stop.
func Start(ctx context.Context, config Config) *Traffic {
	ctx, cancel := context.WithCancel(ctx)
	t := &Traffic{config: config, began: time.Now(), stop: cancel, failed: make(map[string]int)}
	for i := range config.Clients {
		c := &client{traffic: t, id: i, random: rand.New(rand.NewPCG(config.Seed, uint64(i)))} //nolint:gosec // no secret
		t.wait.Go(func() { c.work(ctx) })
	}
	t.wait.Go(func() { t.sample(ctx) })
	return t
}

// Stop lets every client end its operation and returns what was recorded.
func (t *Traffic) Stop() ([]model.Operation, []validate.Sample) {
	t.stop()
	t.wait.Wait()
	return t.Record()
}

// Record returns what was recorded so far.
func (t *Traffic) Record() ([]model.Operation, []validate.Sample) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.operations), slices.Clone(t.samples)
}

// Failed tells how many operations had no effect, by kind and reason.
func (t *Traffic) Failed() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.failed)
}

// now is the time since the beginning of the run.
func (t *Traffic) now() time.Duration { return time.Since(t.began) }

func (t *Traffic) record(o model.Operation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.operations = append(t.operations, o)
}

func (t *Traffic) fail(kind model.Kind, why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed[string(kind)+" "+why]++
}

// mark makes a mark that no other revision of this run has.
func (t *Traffic) mark() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.marks++
	return fmt.Sprintf("m%d", t.marks)
}

// samplePause is between two questions to the same node about itself.
const samplePause = 200 * time.Millisecond

// sample asks all nodes about themselves, again and again.
func (t *Traffic) sample(ctx context.Context) {
	for ctx.Err() == nil {
		var asked sync.WaitGroup
		for _, n := range t.config.Nodes() {
			asked.Go(func() { t.Sample(ctx, n) })
		}
		asked.Wait()
		select {
		case <-time.After(samplePause):
		case <-ctx.Done():
		}
	}
}

// Sample asks one node about itself.
func (t *Traffic) Sample(ctx context.Context, n *cluster.Node) {
	s, err := n.Status(ctx)
	if err != nil || s.GetAppliedIndex() == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.samples = append(t.samples, validate.Sample{
		Node: n.Name, Index: s.GetAppliedIndex(), Hash: s.GetStateHash(), Fault: s.GetFault(), At: t.now(),
	})
}
