package router

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"github.com/weft-run/weft/services/failure"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const orders = "demo.orders.v1.Orders"

// fixture is a router over a real catalog and placements that a test sets.
type fixture struct {
	*Router
	t       testing.TB
	catalog *catalog.Catalog
	index   uint64

	mu     sync.Mutex
	states map[executor.Key]string // "ready", "loading", or why it failed
	moved  chan struct{}           // closed when states change
	asked  []executor.Key          // by Ensure
}

func start(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{t: t, catalog: catalog.New(), states: map[executor.Key]string{}, moved: make(chan struct{})}
	f.Router = New(Config{Catalog: f.catalog, Placements: f, Executor: f, Wait: 5 * time.Second, Waiting: 3})
	return f
}

// Call implements Executor: it answers with the revision.
func (f *fixture) Call(_ context.Context, r executor.Request) (executor.Response, error) {
	return executor.Response{Message: []byte(r.Key.String())}, nil
}

func (f *fixture) Ready(k executor.Key) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.states[k] == "ready"
}

func (f *fixture) Ensure(ctx context.Context, k executor.Key) error {
	f.mu.Lock()
	f.asked = append(f.asked, k)
	f.mu.Unlock()
	for {
		f.mu.Lock()
		state, moved := f.states[k], f.moved
		f.mu.Unlock()
		switch state {
		case "ready":
			return nil
		case "loading", "":
		default:
			return fmt.Errorf("load %s: %s", k, state)
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *fixture) set(state string, keys ...executor.Key) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, k := range keys {
		f.states[k] = state
	}
	close(f.moved)
	f.moved = make(chan struct{})
}

func (f *fixture) apply(command *catalogv1.Command) uint32 {
	f.t.Helper()
	f.index++
	command.RequestId = fmt.Sprint(f.index)
	result := f.catalog.Apply(f.index, command)
	if refusal := result.GetRefusal(); refusal != nil {
		f.t.Fatal(refusal)
	}
	return result.GetRevision()
}

// deploy puts a revision and gives its key.
func (f *fixture) deploy(name string, services ...string) executor.Key {
	f.t.Helper()
	digest := sha256.Sum256([]byte(name))
	number := f.apply(&catalogv1.Command{Action: &catalogv1.Command_PutRevision{PutRevision: &catalogv1.PutRevision{
		Namespace: "default", Name: name,
		Revision: &catalogv1.Revision{Digest: digest[:], Services: services, MessageBytes: 1000},
	}}})
	return executor.Key{Namespace: "default", Function: name, Revision: number}
}

func (f *fixture) remove(name string) {
	f.t.Helper()
	f.apply(&catalogv1.Command{Action: &catalogv1.Command_DeleteFunction{
		DeleteFunction: &catalogv1.DeleteFunction{Namespace: "default", Name: name},
	}})
}

// want checks who answers.
func (f *fixture) want(target Target, want executor.Key) {
	f.t.Helper()
	target.Namespace = "default"
	got, err := f.Route(f.t.Context(), target)
	if err != nil || got.Key != want || got.Message != 1000 {
		f.t.Errorf("%+v: %+v, %v; want %v", target, got, err, want)
	}
}

// refused checks why nobody does.
func (f *fixture) refused(target Target, code codes.Code, reason failure.Reason, words string) {
	f.t.Helper()
	target.Namespace = "default"
	got, err := f.Route(f.t.Context(), target)
	if got != nil || status.Code(err) != code || failure.ReasonOf(err) != reason || !strings.Contains(status.Convert(err).Message(), words) {
		f.t.Errorf("%+v: %+v, %v; want %v %s %q", target, got, err, code, reason, words)
	}
}

func TestOwnerAnswers(t *testing.T) {
	f := start(t)
	first, second := f.deploy("first", orders), f.deploy("second", orders, "demo.other.v1.Other")
	f.set("ready", first, second)
	f.want(Target{Service: orders}, first)
	f.want(Target{Service: orders, Function: "second"}, second)
	f.apply(&catalogv1.Command{Action: &catalogv1.Command_SetRoute{
		SetRoute: &catalogv1.SetRoute{Namespace: "default", Service: orders, Function: "second"},
	}})
	f.want(Target{Service: orders}, second)
	f.remove("second")
	f.want(Target{Service: orders}, first)
	f.refused(Target{Service: orders, Function: "second"}, codes.Unimplemented, failure.UnknownFunction, "no function second")
	f.refused(Target{Service: "demo.other.v1.Other"}, codes.Unimplemented, failure.UnknownService, "no service demo.other.v1.Other")
	f.remove("first")
	f.refused(Target{Service: orders}, codes.Unimplemented, failure.UnknownService, "nothing is deployed there")
}

func TestTrafficMovesWhenTheNewRevisionIsReady(t *testing.T) {
	f := start(t)
	one := f.deploy("f", orders)
	f.set("ready", one)
	two := f.deploy("f", orders)
	f.want(Target{Service: orders}, one)
	three := f.deploy("f", orders)
	f.set("no memory", two)
	f.want(Target{Service: orders}, one)
	f.set("ready", two)
	f.want(Target{Service: orders}, two)
	f.set("ready", three)
	f.want(Target{Service: orders}, three)
	f.want(Target{Service: orders, Revision: 1}, one)
	f.refused(Target{Service: orders, Revision: 4}, codes.Unimplemented, failure.UnknownFunction, "has no revision 4; it has 3, 2, 1")
	if len(f.asked) != 0 {
		t.Errorf("calls that could be answered made %v load", f.asked)
	}
}

func TestOlderRevisionsAnswerOnlyForWhatTheyExport(t *testing.T) {
	f := start(t)
	one := f.deploy("f", "demo.a.v1.A")
	two := f.deploy("f", "demo.a.v1.A", "demo.b.v1.B")
	f.set("ready", one)
	f.set("broken", two)
	f.want(Target{Service: "demo.a.v1.A"}, one)
	f.refused(Target{Service: "demo.b.v1.B"}, codes.Unavailable, failure.NotReady, "default/f@2 is not ready: broken")
	f.refused(Target{Service: "demo.b.v1.B", Function: "f", Revision: 1}, codes.Unimplemented, failure.NotExported,
		"function f (revision 1) does not export demo.b.v1.B; exported by f")
}

func TestCallsWaitForTheFirstRevision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t)
		key := f.deploy("f", orders)
		f.set("loading", key)
		time.AfterFunc(3*time.Second, func() { f.set("ready", key) })
		began := time.Now()
		f.want(Target{Service: orders}, key)
		if waited := time.Since(began); waited != 3*time.Second {
			t.Errorf("waited for %v", waited)
		}
	})
}

func TestWaitingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t)
		key := f.deploy("f", orders)
		f.set("loading", key)
		began := time.Now()
		f.refused(Target{Service: orders}, codes.Unavailable, failure.NotReady, "default/f@1 is still loading; try again")
		if waited := time.Since(began); waited != 5*time.Second {
			t.Errorf("waited for %v", waited)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := f.Route(ctx, Target{Namespace: "default", Service: orders})
		if status.Code(err) != codes.DeadlineExceeded || failure.ReasonOf(err) != failure.Deadline {
			t.Errorf("a deadline: %v", err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		cancel()
		_, err = f.Route(ctx, Target{Namespace: "default", Service: orders})
		if status.Code(err) != codes.Canceled || failure.ReasonOf(err) != failure.Canceled {
			t.Errorf("a cancellation: %v", err)
		}

		results := make(chan error, 4)
		for range 4 {
			go func() {
				_, err := f.Route(t.Context(), Target{Namespace: "default", Service: orders})
				results <- err
			}()
		}
		synctest.Wait()
		if err := <-results; failure.ReasonOf(err) != failure.Busy || !strings.Contains(err.Error(), "3 calls already wait") {
			t.Errorf("one too many: %v", err)
		}
		f.set("ready", key)
		for range 3 {
			if err := <-results; err != nil {
				t.Errorf("who waited: %v", err)
			}
		}
	})
}

func TestFailuresAreTold(t *testing.T) {
	f := start(t)
	key := f.deploy("f", orders)
	f.set("out of address space", key)
	f.refused(Target{Service: orders}, codes.Unavailable, failure.NotReady, "default/f@1 is not ready: out of address space")
}

func TestOldRevisionsAreLoadedOnDemand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t)
		one, two := f.deploy("f", orders), f.deploy("f", orders)
		f.set("ready", two)
		f.set("loading", one)
		time.AfterFunc(time.Second, func() { f.set("ready", one) })
		f.want(Target{Service: orders, Revision: 1}, one)
		if len(f.asked) != 1 || f.asked[0] != one {
			t.Errorf("asked for %v", f.asked)
		}
	})
}

func TestDeletedWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t)
		key := f.deploy("f", orders)
		f.set("loading", key)
		time.AfterFunc(time.Second, func() {
			f.remove("f")
			f.set("no such revision", key)
		})
		f.refused(Target{Service: orders}, codes.Unimplemented, failure.UnknownService, "no service "+orders)
	})
}

func TestTheTableHoldsNoMoreThanIsDeployed(t *testing.T) {
	f := start(t)
	for range 100 {
		f.set("ready", f.deploy("f", orders))
	}
	for number := range uint32(200) {
		_, _ = f.Route(t.Context(), Target{Namespace: "default", Service: orders, Revision: number})
		_, _ = f.Route(t.Context(), Target{Namespace: "default", Service: fmt.Sprint("s", number)})
		_, _ = f.Route(t.Context(), Target{Namespace: fmt.Sprint("n", number), Service: orders})
		_, _ = f.Route(t.Context(), Target{Namespace: "default", Service: orders, Function: fmt.Sprint("f", number)})
		_, _ = f.Route(t.Context(), Target{Namespace: "default", Service: orders, Function: "f"})
	}
	count := 0
	for range f.table.Load().entries.Range {
		count++
	}
	if count != 2 {
		t.Errorf("%d entries; want one for the service and one for the service of the function", count)
	}
}

func TestReady(t *testing.T) {
	f := start(t)
	key := f.deploy("f", orders)
	target := Target{Namespace: "default", Service: orders}
	if ready, err := f.Router.Ready(target); ready || err != nil {
		t.Errorf("before: %t, %v", ready, err)
	}
	f.set("ready", key)
	if ready, err := f.Router.Ready(target); !ready || err != nil {
		t.Errorf("once ready: %t, %v", ready, err)
	}
	target.Service = "x"
	if _, err := f.Router.Ready(target); err == nil {
		t.Error("an unknown service is known")
	}
}

func TestManyExportersAreNotAllNamed(t *testing.T) {
	f := start(t)
	for i := range 10 {
		f.deploy(fmt.Sprintf("f%d", i), orders)
	}
	f.deploy("g", "demo.g.v1.G")
	f.refused(Target{Service: orders, Function: "g"}, codes.Unimplemented, failure.NotExported, "exported by f0, f1, f2, others")
	for range 10 {
		f.deploy("g", "demo.g.v1.G")
	}
	f.refused(Target{Service: "demo.g.v1.G", Revision: 99}, codes.Unimplemented, failure.UnknownFunction, "it has 11, 10, 9, 8, 7, older ones")
}

// TestRouteWhileTheCatalogChanges is for the race detector, and checks that nobody is sent to what never was.
func TestRouteWhileTheCatalogChanges(t *testing.T) {
	f := start(t)
	f.set("ready", f.deploy("f", orders))
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			var last uint32
			for ctx.Err() == nil {
				d, err := f.Route(ctx, Target{Namespace: "default", Service: orders})
				if err != nil && !errors.Is(ctx.Err(), context.Canceled) {
					t.Error(err)
					return
				}
				if d != nil && d.Key.Revision < last {
					t.Errorf("revision %d after %d", d.Key.Revision, last)
				}
				if d != nil {
					last = d.Key.Revision
				}
			}
		})
	}
	for range 300 {
		f.set("ready", f.deploy("f", orders))
	}
	cancel()
	group.Wait()
}

// BenchmarkRoute is what the router costs a call, with 10,000 functions deployed: when nothing has changed, and for the
// first call after a deploy.
func BenchmarkRoute(b *testing.B) {
	f := start(b)
	for i := range 10_000 {
		f.deploy(fmt.Sprintf("f%d", i), fmt.Sprintf("demo.f%d.v1.F", i))
	}
	key := f.deploy("f", orders)
	f.set("ready", key)
	target := Target{Namespace: "default", Service: orders}
	b.Run("known", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := f.Route(b.Context(), target); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			f.table.Store(nil)
			if _, err := f.Route(b.Context(), target); err != nil {
				b.Fatal(err)
			}
		}
	})
}
