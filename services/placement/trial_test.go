package placement

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"github.com/weft-run/weft/test/wat"
	"github.com/weft-run/weft/wit/component"
	"github.com/weft-run/weft/wit/contract"
)

// runner is an executor that only notes what it is told.
type runner struct {
	mu     sync.Mutex
	loads  []executor.Key        // guarded by mu: begun, in order
	loaded map[executor.Key]bool // guarded by mu
	fail   map[executor.Key]error
	hold   map[executor.Key]chan struct{} // a load waits until it is closed
	code   map[[32]byte]bool              // guarded by mu: what an earlier process has compiled
}

// compiled says that an earlier process has compiled a component.
func (r *runner) compiled(digest [32]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.code = map[[32]byte]bool{digest: true}
}

// fails has loads of a revision fail; nil: succeed.
func (r *runner) fails(k executor.Key, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail[k] = err
}

func (r *runner) Admit(k executor.Key, digest [32]byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.code[digest] {
		r.loaded[k] = true
	}
	return r.code[digest]
}

func (r *runner) Load(ctx context.Context, revision executor.Revision) error {
	k := revision.Key
	r.mu.Lock()
	r.loads = append(r.loads, k)
	hold, err := r.hold[k], r.fail[k]
	r.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.loaded[k] = true
	r.mu.Unlock()
	return nil
}

func (r *runner) Unload(k executor.Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.loaded, k)
}

func (r *runner) CodeBytes(k executor.Key) int64 {
	if !r.has(k) {
		return 0
	}
	return 1000
}

func (r *runner) count(k executor.Key) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.loads {
		if l == k {
			n++
		}
	}
	return n
}

func (r *runner) has(k executor.Key) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.loaded[k]
}

// bench is a table with a catalog of one component, and an executor that loads nothing.
type bench struct {
	*Table
	t       *testing.T
	catalog *catalog.Catalog
	runner  *runner
	path    string
	digest  [32]byte
	built   *contract.Built
	index   uint64
	gone    []string

	mu     sync.Mutex
	coded  int   // guarded by mu: how often FetchCode was called
	noCode error // guarded by mu
	absent error // guarded by mu: what Fetch answers
}

// node is where the table is.
const node = "00000000000000000001"

func (b *bench) Fetch(_ context.Context, digest [32]byte) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.absent != nil {
		return "", b.absent
	}
	if digest != b.digest {
		return "", errors.New("no such artifact")
	}
	return b.path, nil
}

func (b *bench) FetchCode(context.Context, [32]byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.coded++
	return b.noCode
}

// newBench makes the parts that need no bubble of synctest. The table is made by start.
func newBench(t *testing.T) *bench {
	t.Helper()
	data := wat.Guest{}.Bytes(t)
	world, err := component.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	built, err := contract.Build(contract.Input{Function: "calc", World: world})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{
		t:       t,
		catalog: catalog.New(),
		path:    filepath.Join(t.TempDir(), "calc.wasm"),
		digest:  sha256.Sum256(data),
		built:   built,
		runner: &runner{
			loaded: map[executor.Key]bool{}, fail: map[executor.Key]error{}, hold: map[executor.Key]chan struct{}{},
		},
	}
	if err := os.WriteFile(b.path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	b.apply(&catalogv1.Command{Action: &catalogv1.Command_RaiseLevel{RaiseLevel: &catalogv1.RaiseLevel{Level: 2}}})
	for id, name := range map[string]string{node: "here", elsewhere: "elsewhere"} {
		b.apply(&catalogv1.Command{Level: 2, Action: &catalogv1.Command_PutNode{PutNode: &catalogv1.PutNode{
			Node: &catalogv1.Node{Id: id, Name: name, Scheduler: true, Executor: true},
		}}})
	}
	return b
}

const elsewhere = "00000000000000000002"

func (b *bench) start() {
	b.Table = New(Config{
		Node: node, Catalog: b.catalog, Artifacts: b, Code: b, Executor: b.runner, Workers: 1,
		Idle: 5 * time.Minute, Linger: 10 * time.Second,
		Logger: slog.New(slog.DiscardHandler),
		Gone:   func(namespace, function string) { b.gone = append(b.gone, namespace+"/"+function) },
	})
	b.Start()
	b.t.Cleanup(b.Close)
}

func (b *bench) apply(c *catalogv1.Command) *catalogv1.Result {
	b.t.Helper()
	b.index++
	c.RequestId, c.Level = fmt.Sprint("request-", b.index), max(c.GetLevel(), 1)
	r := b.catalog.Apply(b.index, c)
	if r.GetRefusal() != nil {
		b.t.Fatalf("refused: %v", r.GetRefusal())
	}
	return r
}

// deploy puts a revision, places it here and returns its key.
func (b *bench) deploy(name string) executor.Key {
	b.t.Helper()
	k := b.put(name)
	b.place(k, node)
	return k
}

// deploySlow is deploy of a function that does not load until it is released.
func (b *bench) deploySlow(name string) (k executor.Key, release func()) {
	b.t.Helper()
	k = executor.Key{Namespace: "default", Function: name, Revision: 1}
	hold := make(chan struct{})
	b.runner.hold[k] = hold
	b.deploy(name)
	return k, func() { close(hold) }
}

// place says where a revision is to run.
func (b *bench) place(k executor.Key, nodes ...string) {
	b.t.Helper()
	b.apply(&catalogv1.Command{Level: 2, Action: &catalogv1.Command_SetPlacements{SetPlacements: &catalogv1.SetPlacements{
		Placements: []*catalogv1.Placement{{Namespace: k.Namespace, Name: k.Function, Revision: k.Revision, Nodes: nodes}},
	}}})
}

// put puts a revision and returns its key.
func (b *bench) put(name string) executor.Key {
	b.t.Helper()
	put := &catalogv1.PutRevision{
		Namespace: "default", Name: name,
		Revision: &catalogv1.Revision{
			Digest: b.digest[:], Services: []string{b.built.Services[0].Name}, Packages: []string{b.built.Contracts[0].GetPackage()},
		},
	}
	if b.catalog.View().Len() == 0 {
		put.Contracts, put.BaseVersions = b.built.Changed, b.built.Base
	}
	r := b.apply(&catalogv1.Command{Action: &catalogv1.Command_PutRevision{PutRevision: put}})
	return executor.Key{Namespace: "default", Function: name, Revision: r.GetRevision()}
}

func (b *bench) delete(name string) {
	b.t.Helper()
	b.apply(&catalogv1.Command{Action: &catalogv1.Command_DeleteFunction{
		DeleteFunction: &catalogv1.DeleteFunction{Namespace: "default", Name: name},
	}})
}

func (b *bench) state(k executor.Key) string {
	state, _ := b.State(k)
	return state
}

// trial runs f in a bubble of synctest, with a table that has begun.
func trial(t *testing.T, f func(*testing.T, *bench)) {
	t.Helper()
	b := newBench(t)
	synctest.Test(t, func(t *testing.T) {
		b.t = t
		b.start()
		f(t, b)
	})
}
