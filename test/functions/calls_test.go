package functions

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/test/wat"
	"google.golang.org/protobuf/types/known/durationpb"
)

func TestChain(t *testing.T) {
	s := start(t)
	s.chain()
	s.want("A/Ask", 1, 3)
	s.want("A/Tell", 5, 7)

	// An error that the last one returns is the error of each of them.
	s.breaks("A/Ask", 1000, codes.FailedPrecondition, "", "sold out")

	// A trap at the end: ask has a string to say so, tell traps all the way up.
	s.breaks("A/Ask", 3000, codes.FailedPrecondition, "", "demo.chain.v1.C/Ask", "function c", "TRAP", "unreachable")
	s.breaks("A/Tell", 3000, codes.Internal, "TRAP", "demo.chain.v1.B/Tell", "function b", "function c", "unreachable")
	s.rests()
}

func TestDescribe(t *testing.T) {
	s := start(t)
	s.chain()
	f, err := s.Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	calls := f.GetFunction().GetCalls()
	if len(calls) != 1 || calls[0].GetFunction() != "b" || calls[0].GetService() != "demo.chain.v1.B" || len(calls[0].GetCalls()) != 1 ||
		calls[0].GetCalls()[0].GetFunction() != "c" {
		t.Errorf("calls %v", calls)
	}
	b := f.GetFunction().GetRevisions()[0].GetBindings()
	if len(b) != 1 || b[0].GetImport() != iface("b") || b[0].GetTarget() != "function" || b[0].GetFunction() != "b" || b[0].GetService() != "demo.chain.v1.B" {
		t.Errorf("bindings %v", b)
	}
	if f, err = s.Get(t.Context(), "c"); err != nil || len(f.GetFunction().GetCallers()) != 1 || f.GetFunction().GetCallers()[0] != "b" {
		t.Errorf("callers %v, %v", f.GetFunction().GetCallers(), err)
	}
}

func TestManyCalls(t *testing.T) {
	s := start(t)
	s.chain()
	const workers, each = 16, 625
	var group sync.WaitGroup
	failed := make(chan error, workers)
	for w := range workers {
		group.Go(func() {
			for n := range each {
				got, err := s.call("A/Ask", n%900)
				if err != nil || got != n%900+2 {
					failed <- fmt.Errorf("worker %d, call %d: %d, %w", w, n, got, err)
					return
				}
			}
		})
	}
	group.Wait()
	select {
	case err := <-failed:
		t.Fatal(err)
	default:
	}
}

// TestTimeouts has the last function of a chain never return.
func TestTimeouts(t *testing.T) {
	s := start(t)
	s.deploy("c", wat.Chain{Export: iface("c")}, func(spec *weftv1.DeploySpec) {
		spec.Limits = &weftv1.Limits{Timeout: durationpb.New(200 * time.Millisecond)}
	})
	s.deploy("b", wat.Chain{Export: iface("b"), Import: iface("c")})
	// The provider's own limit: the caller lives on and says who took too long.
	s.breaks("B/Ask", 2000, codes.FailedPrecondition, "", "function c", "DEADLINE", "200ms, the time limit of default/c@1")
	s.breaks("B/Tell", 2000, codes.Internal, "TRAP", "function c", "DEADLINE", "200ms, the time limit of default/c@1")

	// The client's deadline holds for all of it.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.callContext(ctx, "B/Tell", 2000); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	s.want("B/Tell", 1, 2)
	s.rests()
}

// TestProviderIsBusy has more calls of a provider than it takes at once and lets wait.
func TestProviderIsBusy(t *testing.T) {
	s, h := start(t, allow(t, "127.0.0.1")), hold(t)
	limits := func(spec *weftv1.DeploySpec) { spec.Limits = &weftv1.Limits{Concurrency: 1, Queue: 1} }
	s.deploy("b", wat.Chain{Export: iface("b"), Import: iface("pay")}, bind(iface("pay")+"="+h.address), limits)
	s.deploy("a", wat.Chain{Export: iface("a"), Import: iface("b")})
	answers := make(chan error)
	call := func() {
		got, err := s.call("A/Tell", 1)
		if err == nil && got != 103 {
			err = fmt.Errorf("it gave %d", got)
		}
		answers <- err
	}
	go call()
	<-h.began
	go call()
	eventually(t, "a call that waits", func() bool { return metric(t, s.node.HTTPAddr(), "weft_calls_waiting") == 1 })
	s.breaks("A/Tell", 1, codes.Internal, "TRAP", "default/a@1 calls demo:chain/b@1.0.0#Tell (function b)", "concurrency 1 and queue 1")
	for range 2 {
		h.let <- struct{}{}
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	s.rests()
}

// TestUpgrades deploys new revisions of a provider while it is called.
func TestUpgrades(t *testing.T) {
	s := start(t)
	s.chain()
	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	failed := make(chan error, 4)
	for range 4 {
		group.Go(func() {
			for n := 0; ctx.Err() == nil; n = (n + 1) % 900 {
				if got, err := s.call("A/Tell", n); err != nil || got != n+2 { //nolint:contextcheck // ctx ends the loop, not its last call
					failed <- fmt.Errorf("%d: %w", got, err)
					return
				}
			}
		})
	}
	for i := range 5 {
		s.deploy("c", wat.Chain{Export: iface("c"), Mark: fmt.Sprint("revision ", i)})
	}
	stop()
	group.Wait()
	select {
	case err := <-failed:
		t.Fatal(err)
	default:
	}
}

// TestIdentity sends what only weft may say, and sees in a trace who called whom.
func TestIdentity(t *testing.T) {
	s := start(t)
	s.chain()
	var trailer metadata.MD
	got, err := s.call("A/Ask", 1, weft.ReceiveMetadata(nil, &trailer), weft.WithMetadata(metadata.Pairs(
		"weft-trace", "true", "weft-depth", "16", "weft-caller", "default/admin@1")))
	if err != nil || got != 3 {
		t.Fatalf("%d, %v", got, err)
	}
	lines := trailer.Get("weft-trace")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "1 default/a@1 > default/b@1 demo.chain.v1.B/Ask took=") ||
		!strings.HasPrefix(lines[1], "2 default/b@1 > default/c@1 demo.chain.v1.C/Ask took=") || !strings.Contains(lines[1], " node=n1 queue=") {
		t.Errorf("trace %q", lines)
	}
}

// TestDepth calls through more functions than may call one another.
func TestDepth(t *testing.T) {
	s := start(t)
	s.deploy("f0", wat.Chain{Export: iface("f0")})
	for i := 1; i <= 17; i++ {
		s.deploy(fmt.Sprint("f", i), wat.Chain{Export: iface(fmt.Sprint("f", i)), Import: iface(fmt.Sprint("f", i-1))})
	}
	s.want("F16/Tell", 1, 17)
	s.want("F16/Ask", 1, 17)
	s.fails("F17/Ask", 1, codes.FailedPrecondition, "call 17 in a row", "16 are allowed", "default/f17@1 → default/f16@1", "default/f1@1")
}
