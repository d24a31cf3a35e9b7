package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	weft "github.com/weft-run/weft/clients/go"
	"github.com/weft-run/weft/consensus"
	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/artifacts"
	"github.com/weft-run/weft/services/logs"
	"github.com/weft-run/weft/test/wat"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
)

// cluster is a consensus of one that fails as it is told.
type cluster struct {
	catalog *catalog.Catalog

	mu     sync.Mutex
	index  uint64
	errs   []error                  // guarded by mu: what the next Applies answer; nil does as usual
	before func(*catalogv1.Command) // guarded by mu: called ahead of the next Apply
	asked  int                      // guarded by mu: how often Apply was called
}

func (c *cluster) Apply(_ context.Context, command *catalogv1.Command) (*catalogv1.Result, error) {
	c.mu.Lock()
	before := c.before
	c.before = nil
	c.mu.Unlock()
	if before != nil {
		before(command)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	var err error
	if len(c.errs) > 0 {
		err, c.errs = c.errs[0], c.errs[1:]
	}
	if err != nil && !errors.Is(err, consensus.ErrOutcomeUnknown) {
		return nil, err
	}
	c.index++
	return c.catalog.Apply(c.index, command), err
}

func (c *cluster) Linearize(context.Context) error { return nil }
func (c *cluster) Stale() time.Duration            { return 0 }
func (c *cluster) Leader() string                  { return "test" }
func (c *cluster) Status() consensus.Status        { return consensus.Status{ID: "test"} }
func (c *cluster) Catalog() *catalog.Catalog       { return c.catalog }

// engine is an executor that runs nothing.
type engine struct {
	mu   sync.Mutex
	err  error // guarded by mu: what Try answers
	code map[[32]byte]bool
}

func (e *engine) CheckImports(*wit.World, ...*contract.Service) error { return nil }
func (e *engine) Fingerprint() string                                 { return "test" }

func (e *engine) Try(_ context.Context, r executor.Revision) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.code[r.Digest] = true
	return e.err
}

// nowhere are placements that never come to be, of components that are nothing.
type nowhere struct{}

func (nowhere) On(string, executor.Key) (state, reason string) { return StateLoading, "" }
func (nowhere) Plain(string, executor.Key) string              { return "" }
func (nowhere) Unplaced(executor.Key) string                   { return "" }
func (nowhere) Changed() (here, elsewhere <-chan struct{})     { return nil, nil }
func (nowhere) Replicate(context.Context, [32]byte) error      { return nil }
func (nowhere) Revision(context.Context, executor.Key) (executor.Revision, error) {
	return executor.Revision{World: &wit.World{}}, nil
}

// bench is a server over the parts above, with a real artifact store, behind gRPC.
type bench struct {
	*weft.Client
	t       *testing.T
	cluster *cluster
	engine  *engine
	server  *Server
	store   *artifacts.Store
	dir     string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{
		t: t, cluster: &cluster{catalog: catalog.New()}, engine: &engine{code: map[[32]byte]bool{}}, dir: t.TempDir(),
	}
	store, err := artifacts.Open(b.dir)
	if err != nil {
		t.Fatal(err)
	}
	b.store = store
	b.server = New(Config{
		Node: "test", Consensus: b.cluster, Artifacts: store, Executor: b.engine, Placements: nowhere{}, Components: nowhere{}, Replicas: nowhere{},
		Logs: logs.New(logs.Config{}), Keys: keys(t, 1), Logger: slog.New(slog.DiscardHandler),
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer(grpc.WaitForHandlers(true))
	b.server.Register(g)
	go func() { _ = g.Serve(listener) }() // Stop waits for it
	t.Cleanup(g.Stop)
	if b.Client, err = weft.Connect(listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func (b *bench) deploy(g wat.Guest, spec *weftv1.DeploySpec) (*weftv1.DeployResponse, error) {
	b.t.Helper()
	if spec.GetWait() == nil {
		spec.Wait = noWait
	}
	return b.Deploy(b.t.Context(), strings.NewReader(string(g.Bytes(b.t))), spec, nil)
}

// swept sweeps and returns how many artifacts are left.
func (b *bench) swept() (n int) {
	b.t.Helper()
	named := map[string]bool{}
	for f := range b.cluster.catalog.View().All() {
		for _, r := range f.GetRevisions() {
			named[string(r.GetDigest())] = true
		}
	}
	err := b.store.Sweep(artifacts.Policy{
		Wanted: func(d artifacts.Digest) bool { return named[string(d[:])] }, Grace: time.Hour,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	err = filepath.WalkDir(b.dir, func(_ string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

func reasonOf(err error) string {
	if e, ok := errors.AsType[*weft.Error](err); ok {
		return e.Reason
	}
	return fmt.Sprint(err)
}

func TestRepeatedDeployIsDoneOnce(t *testing.T) {
	b := newBench(t)
	for range 3 {
		r, err := b.deploy(wat.Guest{}, &weftv1.DeploySpec{Name: "calc", RequestId: "once"})
		if err != nil || r.GetFunction().GetRevision() != 1 {
			t.Fatalf("%v, %v", r, err)
		}
	}
	r, err := b.deploy(wat.Guest{}, &weftv1.DeploySpec{Name: "calc"})
	if err != nil || r.GetFunction().GetRevision() != 2 {
		t.Fatalf("a deploy of its own: %v, %v", r, err)
	}
}

func TestDeployIsPlannedAgainAfterAConflict(t *testing.T) {
	b := newBench(t)
	b.cluster.before = func(*catalogv1.Command) {
		if _, err := b.deploy(wat.Guest{Interface: "demo:calc/other@1.0.0"}, &weftv1.DeploySpec{Name: "winner"}); err != nil {
			t.Error(err)
		}
	}
	if _, err := b.deploy(wat.Guest{}, &weftv1.DeploySpec{Name: "calc"}); err != nil {
		t.Fatal(err)
	}
	if b.cluster.asked != 3 {
		t.Errorf("%d applies, not one that won, one refused and one after it", b.cluster.asked)
	}
	files := b.cluster.catalog.View().Contract("default", "demo.calc.v1").GetFiles()
	if len(files) != 2 {
		t.Errorf("%d files in the contract", len(files))
	}
}

func TestConflictThatBreaks(t *testing.T) {
	b := newBench(t)
	b.cluster.before = func(*catalogv1.Command) {
		if _, err := b.deploy(wat.Guest{Wide: true}, &weftv1.DeploySpec{Name: "winner"}); err != nil {
			t.Error(err)
		}
	}
	_, err := b.deploy(wat.Guest{}, &weftv1.DeploySpec{Name: "calc"})
	if reasonOf(err) != "BREAKING_CHANGE" {
		t.Errorf("error %v", err)
	}
}

func TestUpdateIsPlannedAgainAfterAConflict(t *testing.T) {
	b := newBench(t)
	if _, err := b.deploy(wat.Guest{}, &weftv1.DeploySpec{Name: "calc"}); err != nil {
		t.Fatal(err)
	}
	b.cluster.before = func(*catalogv1.Command) {
		if _, err := b.deploy(wat.Guest{}, &weftv1.DeploySpec{Name: "calc", Environment: map[string]string{"A": "1"}}); err != nil {
			t.Error(err)
		}
	}
	r, err := b.Update(t.Context(), &weftv1.UpdateRequest{Name: "calc", Environment: map[string]string{"B": "2"}, Wait: noWait})
	if err != nil {
		t.Fatal(err)
	}
	f := r.GetFunction()
	if got := f.GetRevisions()[2].GetEnvironment(); f.GetRevision() != 3 || got["A"] != "1" || got["B"] != "2" {
		t.Errorf("revision %d has %v", f.GetRevision(), got)
	}
}

func TestFailedDeploysLeaveNothing(t *testing.T) {
	full := &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	tests := map[string]struct {
		set    func(*bench)
		spec   *weftv1.DeploySpec
		reason string
		code   codes.Code
	}{
		"compile": {
			set: func(b *bench) {
				b.engine.err = &executor.Error{Reason: executor.CompileFailed, Message: "it takes too long"}
			},
			reason: "COMPILE_FAILED", code: codes.InvalidArgument,
		},
		"full disk":       {set: func(b *bench) { b.engine.err = full }, reason: "DISK_FULL", code: codes.ResourceExhausted},
		"no leader":       {set: func(b *bench) { b.cluster.errs = []error{consensus.ErrNoLeader} }, reason: "NO_LEADER", code: codes.Unavailable},
		"disk of the log": {set: func(b *bench) { b.cluster.errs = []error{consensus.ErrStorage} }, reason: "DISK_FULL", code: codes.ResourceExhausted},
		"fault":           {set: func(b *bench) { b.engine.err = errors.New("what") }, reason: "INTERNAL", code: codes.Internal},
		"seeds twice": {
			spec:   &weftv1.DeploySpec{Contracts: []*weftv1.Contract{{Package: "a.v1"}, {Package: "a.v1"}}},
			reason: "INVALID_REQUEST", code: codes.InvalidArgument,
		},
		"WIT": {
			spec:   &weftv1.DeploySpec{Wit: []*weftv1.WitFile{{Path: "x.wit", Content: []byte("interface {")}}},
			reason: "INVALID_REQUEST", code: codes.InvalidArgument,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			if tt.set != nil {
				tt.set(b)
			}
			if tt.spec == nil {
				tt.spec = &weftv1.DeploySpec{}
			}
			tt.spec.Name = "calc"
			_, err := b.deploy(wat.Guest{}, tt.spec)
			e, ok := errors.AsType[*weft.Error](err)
			if !ok || e.Reason != tt.reason || e.Code != tt.code {
				t.Fatalf("error %v", err)
			}
			if b.cluster.catalog.View().Len() != 0 || b.swept() != 0 {
				t.Error("something is left")
			}
		})
	}
}

func TestDryRunLeavesNothing(t *testing.T) {
	b := newBench(t)
	r, err := b.deploy(wat.Guest{}, &weftv1.DeploySpec{Name: "calc", DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	if s := r.GetFunction().GetServices(); len(s) != 1 || s[0].GetOwner() != "calc" || len(s[0].GetMethods()) != 9 {
		t.Errorf("services %v", s)
	}
	if len(r.GetChanges()) == 0 || len(r.GetWarnings()) == 0 || b.cluster.asked != 0 || b.swept() != 0 {
		t.Errorf("%v", r)
	}
}

func TestUnknownOutcomeIsAskedFor(t *testing.T) {
	b := newBench(t)
	if _, err := b.deploy(wat.Guest{}, &weftv1.DeploySpec{Name: "calc"}); err != nil {
		t.Fatal(err)
	}
	b.cluster.errs = []error{consensus.ErrOutcomeUnknown}
	// The first attempt was done although it failed; the client repeats it under its ID and learns that.
	n, err := b.Delete(t.Context(), "calc")
	if err != nil || n != 1 {
		t.Errorf("%d revisions, %v", n, err)
	}
}

func TestNobodyWaitsTwiceForALeader(t *testing.T) {
	b := newBench(t)
	b.cluster.errs = slices.Repeat([]error{consensus.ErrNoLeader}, 4)
	_, err := b.Delete(t.Context(), "calc")
	if reasonOf(err) != "NO_LEADER" || b.cluster.asked != 1 {
		t.Errorf("%v after %d attempts", err, b.cluster.asked)
	}
}

func TestNotReadyIsAWarning(t *testing.T) {
	b := newBench(t)
	r, err := b.deploy(wat.Guest{}, &weftv1.DeploySpec{Name: "calc", Wait: aMoment})
	if err != nil || r.GetReady() || len(r.GetWarnings()) != 1 || !strings.Contains(r.GetWarnings()[0], "not ready after 10ms") {
		t.Errorf("%v, %v", r, err)
	}
}

// TestReplacedMeanwhile has a deploy wait for its revision until another one takes its place.
func TestReplacedMeanwhile(t *testing.T) {
	b := newBench(t)
	type outcome struct {
		response *weftv1.DeployResponse
		err      error
	}
	first := make(chan outcome)
	go func() {
		r, err := b.deploy(wat.Guest{}, &weftv1.DeploySpec{Name: "calc", Wait: durationpb.New(maxWait)})
		first <- outcome{r, err}
	}()
	for b.cluster.catalog.View().Function("default", "calc") == nil {
		time.Sleep(time.Millisecond)
	}
	if _, err := b.Update(t.Context(), &weftv1.UpdateRequest{Name: "calc", Environment: map[string]string{"B": "2"}, Wait: noWait}); err != nil {
		t.Fatal(err)
	}
	got := <-first
	want := []string{"revision 1 was committed, and replaced by revision 2 before it was ready"}
	if got.err != nil || got.response.GetReady() || !slices.Equal(got.response.GetWarnings(), want) {
		t.Errorf("%v, %v", got.response, got.err)
	}
}

var (
	noWait  = durationpb.New(0)
	aMoment = durationpb.New(10 * time.Millisecond)
)
