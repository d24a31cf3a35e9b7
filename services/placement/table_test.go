package placement

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
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

func TestLoadsTheCurrentRevision(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		changed := b.Changed()
		one, other := b.deploy("one"), b.deploy("other")
		synctest.Wait()
		for _, k := range []executor.Key{one, other} {
			if !b.Ready(k) || b.state(k) != StateReady || !b.runner.has(k) {
				t.Errorf("%s is %s", k, b.state(k))
			}
		}
		select {
		case <-changed:
		default:
			t.Error("Changed says nothing")
		}
		r, err := b.Revision(t.Context(), one)
		if err != nil || len(r.Services) != 1 || r.World == nil {
			t.Errorf("revision %v, %v", r, err)
		}
	})
}

func TestFailuresAreTriedAgain(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		k := executor.Key{Namespace: "default", Function: "calc", Revision: 1}
		b.runner.fail[k] = errors.New("no memory left")
		b.deploy("calc")
		synctest.Wait()
		state, reason := b.State(k)
		if state != StateFailed || reason != "no memory left" || b.Ready(k) {
			t.Errorf("state %s, reason %q", state, reason)
		}
		var failed *LoadError
		if err := b.Ensure(t.Context(), k); !errors.As(err, &failed) || b.runner.count(k) != 1 {
			t.Errorf("Ensure did not fail at once: %v, %d loads", err, b.runner.count(k))
		}
		time.Sleep(time.Hour) // of the bubble's clock
		synctest.Wait()
		// 1, 2, 4, … 32 s and then every minute.
		if n := b.runner.count(k); n < 60 || n > 70 {
			t.Errorf("%d loads in an hour", n)
		}
		b.runner.mu.Lock()
		delete(b.runner.fail, k)
		b.runner.mu.Unlock()
		time.Sleep(maxPause)
		synctest.Wait()
		if !b.Ready(k) {
			t.Errorf("state %s", b.state(k))
		}
	})
}

func TestOnlyWhatIsPlacedHereIsLoaded(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		here, there, nowhere := b.put("here"), b.put("there"), b.put("nowhere")
		b.place(here, node, elsewhere)
		b.place(there, elsewhere)
		synctest.Wait()
		for k, want := range map[executor.Key]string{here: StateReady, there: StateIdle, nowhere: StateIdle} {
			if b.state(k) != want || b.Ready(k) != (want == StateReady) {
				t.Errorf("%s is %s", k, b.state(k))
			}
		}
		want := []State{{Key: here, State: StateReady, CodeBytes: 1000}}
		if got := b.Snapshot(); !slices.Equal(got, want) {
			t.Errorf("snapshot %v", got)
		}
	})
}

func TestOlderRevisionThatIsPlacedIsLoaded(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		first := b.deploy("calc")
		second := b.put("calc") // current, and not placed yet
		time.Sleep(time.Hour)
		synctest.Wait()
		if !b.Ready(first) || b.Ready(second) {
			t.Fatalf("the first is %s, the second %s", b.state(first), b.state(second))
		}
		b.place(second, node)
		synctest.Wait()
		if !b.Ready(first) || !b.Ready(second) {
			t.Errorf("the first is %s, the second %s", b.state(first), b.state(second))
		}
	})
}

func TestWhatIsNoLongerPlacedLingers(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		k := b.deploy("calc")
		synctest.Wait()
		b.place(k, elsewhere)
		for range 9 {
			time.Sleep(time.Second)
			synctest.Wait()
			if !b.Ready(k) {
				t.Fatal("unloaded at once")
			}
		}
		changed := b.Changed()
		time.Sleep(time.Second) // although it was used until now
		synctest.Wait()
		if b.Ready(k) || b.runner.has(k) || b.state(k) != StateIdle || len(b.Snapshot()) != 0 {
			t.Errorf("it is %s", b.state(k))
		}
		select {
		case <-changed:
		default:
			t.Error("Changed says nothing")
		}
	})
}

func TestPlacedAgainWhileItLingers(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		k := b.deploy("calc")
		synctest.Wait()
		b.place(k)
		time.Sleep(5 * time.Second)
		b.place(k, node)
		time.Sleep(time.Hour)
		synctest.Wait()
		if !b.Ready(k) || b.runner.count(k) != 1 {
			t.Errorf("it is %s after %d loads", b.state(k), b.runner.count(k))
		}
	})
}

// TestPlacedAgainWhileItLoads: the load of a revision that is not placed any more must not end in unloading the one that
// is placed again.
func TestPlacedAgainWhileItLoads(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		k := executor.Key{Namespace: "default", Function: "calc", Revision: 1}
		hold := make(chan struct{})
		b.runner.hold[k] = hold
		b.deploy("calc")
		synctest.Wait()
		b.place(k)
		time.Sleep(time.Minute)
		synctest.Wait()
		b.place(k, node)
		synctest.Wait()
		close(hold)
		synctest.Wait()
		if !b.Ready(k) || !b.runner.has(k) || b.runner.count(k) != 1 {
			t.Errorf("it is %s after %d loads", b.state(k), b.runner.count(k))
		}
	})
}

func TestNoLongerPlacedWhileItLoads(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		slow := executor.Key{Namespace: "default", Function: "slow", Revision: 1}
		hold := make(chan struct{})
		b.runner.hold[slow] = hold
		b.deploy("slow")
		synctest.Wait() // the one worker is busy now
		waiting := b.deploy("waiting")
		synctest.Wait()
		b.place(slow)
		b.place(waiting)
		time.Sleep(time.Minute)
		close(hold)
		synctest.Wait()
		if b.runner.has(slow) || b.runner.count(waiting) != 0 || len(b.Snapshot()) != 0 {
			t.Errorf("slow is %s, waiting %s", b.state(slow), b.state(waiting))
		}
	})
}

func TestOnDemand(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		k := b.put("calc")
		if err := b.Ensure(t.Context(), k); err != nil || !b.Ready(k) {
			t.Fatalf("on demand: %v", err)
		}
		for range 3 { // in use
			time.Sleep(4 * time.Minute)
			if !b.Ready(k) {
				t.Fatal("unloaded while in use")
			}
		}
		time.Sleep(11 * time.Minute)
		synctest.Wait()
		if b.state(k) != StateIdle || b.runner.has(k) {
			t.Errorf("it is %s", b.state(k))
		}
		if err := b.Ensure(t.Context(), k); err != nil || !b.Ready(k) {
			t.Errorf("on demand: %v", err)
		}
		b.place(k, node)
		time.Sleep(time.Hour)
		synctest.Wait()
		if !b.Ready(k) {
			t.Error("unloaded although it is placed")
		}
	})
}

// TestOtherNodesHelp: compiled code is asked for before a load, and a load does without.
func TestOtherNodesHelp(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		b.absent = errors.New("no node gave it")
		k := b.deploy("calc")
		synctest.Wait()
		if state, reason := b.State(k); state != StateFailed || reason != "no node gave it" || b.coded != 0 {
			t.Errorf("state %s, reason %q", state, reason)
		}
		if got := b.Snapshot(); len(got) != 1 || got[0].State != StateFailed || got[0].Reason != "no node gave it" {
			t.Errorf("snapshot %v", got)
		}
		b.mu.Lock()
		b.absent, b.noCode = nil, errors.New("nobody has code")
		b.mu.Unlock()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !b.Ready(k) || b.coded != 1 {
			t.Errorf("it is %s; code was asked for %d times", b.state(k), b.coded)
		}
	})
}

func TestDeletedFunctionsAreUnloaded(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		first := b.deploy("calc")
		synctest.Wait()
		second := b.deploy("calc")
		synctest.Wait()
		b.delete("calc")
		synctest.Wait()
		if b.runner.has(first) || b.runner.has(second) || b.Ready(second) {
			t.Error("still loaded")
		}
		if len(b.gone) != 1 || b.gone[0] != "default/calc" {
			t.Errorf("gone %v", b.gone)
		}
		if err := b.Ensure(t.Context(), second); !errors.Is(err, ErrUnknown) {
			t.Errorf("Ensure: %v", err)
		}
		if _, err := b.Revision(t.Context(), second); !errors.Is(err, ErrUnknown) {
			t.Errorf("Revision: %v", err)
		}
	})
}

func TestDeletedWhileItLoads(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		k := executor.Key{Namespace: "default", Function: "calc", Revision: 1}
		hold := make(chan struct{})
		b.runner.hold[k] = hold
		b.deploy("calc")
		ensured := make(chan error)
		go func() { ensured <- b.Ensure(t.Context(), k) }()
		synctest.Wait()
		b.delete("calc")
		synctest.Wait()
		close(hold)
		if err := <-ensured; !errors.Is(err, ErrUnknown) {
			t.Errorf("Ensure: %v", err)
		}
		synctest.Wait()
		if b.runner.has(k) || b.Ready(k) {
			t.Error("loaded although it is deleted")
		}
	})
}

func TestEnsureGoesAheadOfTheQueue(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		slow := executor.Key{Namespace: "default", Function: "slow", Revision: 1}
		b.runner.hold[slow] = make(chan struct{})
		b.deploy("slow")
		synctest.Wait() // the one worker is busy now
		k := b.deploy("wanted")
		synctest.Wait()
		if b.state(k) != StateLoading || b.runner.count(k) != 0 {
			t.Fatalf("state %s", b.state(k))
		}
		for range 3 {
			if err := b.Ensure(t.Context(), k); err != nil {
				t.Fatal(err)
			}
		}
		if b.runner.count(k) != 1 {
			t.Errorf("%d loads", b.runner.count(k))
		}
		close(b.runner.hold[slow])
		synctest.Wait()
		if b.runner.count(k) != 1 {
			t.Errorf("%d loads after the queue came to it", b.runner.count(k))
		}
	})
}

func TestEnsureLeavesWithItsCaller(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		k := executor.Key{Namespace: "default", Function: "calc", Revision: 1}
		b.runner.hold[k] = make(chan struct{})
		b.deploy("calc")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Ensure(ctx, k); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Ensure: %v", err)
		}
		close(b.runner.hold[k])
		synctest.Wait()
		if !b.Ready(k) {
			t.Error("the load was given up with its caller")
		}
	})
}

func TestCloseInterruptsLoads(t *testing.T) {
	b := newBench(t)
	synctest.Test(t, func(t *testing.T) {
		b.t = t
		b.start()
		k := executor.Key{Namespace: "default", Function: "calc", Revision: 1}
		b.runner.hold[k] = make(chan struct{})
		b.deploy("calc")
		synctest.Wait()
		b.Close()
		if err := b.Ensure(t.Context(), k); err == nil {
			t.Error("Ensure after Close succeeds")
		}
	})
}

func TestBrokenArtifact(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		if err := os.WriteFile(b.path, []byte("\x00asm"), 0o600); err != nil {
			t.Fatal(err)
		}
		k := b.deploy("calc")
		synctest.Wait()
		if state, reason := b.State(k); state != StateFailed || reason == "" {
			t.Errorf("state %s, reason %q", state, reason)
		}
	})
}

func TestReadWorld(t *testing.T) {
	path := wat.Guest{}.File(t)
	world, err := ReadWorld(path)
	if err != nil || len(world.Exports) != 1 {
		t.Fatalf("%v, %v", world, err)
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{empty, t.TempDir(), filepath.Join(t.TempDir(), "missing")} {
		if world, err := ReadWorld(path); err == nil {
			t.Errorf("%s: %v", path, world)
		}
	}
}
