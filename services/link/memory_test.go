package link

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/peer/peertest"
)

func TestMemoryTakesTurns(t *testing.T) {
	m := &memory{total: 100 << 10}
	var got []string
	ask := func(name string, s *share, kib int) *claim {
		c := &claim{share: s, size: int64(kib) << 10, grant: func() { got = append(got, name) }}
		m.wait(c)
		return c
	}
	wants := func(names ...string) {
		t.Helper()
		if !slices.Equal(got, names) {
			t.Errorf("%v got memory; want %v", got, names)
		}
		got = nil
	}
	var a, b share
	first := ask("a40", &a, 40)
	second := ask("a20", &a, 20) // over a's half
	third := ask("b40", &b, 40)  // passes a20
	wants("a40", "b40")
	fourth := ask("b20", &b, 20) // over b's half
	fifth := ask("a10", &a, 10)  // a20 is ahead, but waits for its share only
	wants("a10")
	if c, ok := m.try(&b, 11<<10); ok || c != nil {
		t.Error("there is room for what is over the total")
	}
	if c, ok := m.try(&b, smallMessage); !ok || c != nil {
		t.Error("what is small is counted")
	}
	third.release()
	wants("b20")
	first.release()
	wants("a20")
	waiting := ask("huge", &a, 5000) // counts as half
	wants()
	gone := ask("gone", &a, 45)
	gone.release()
	for _, c := range []*claim{second, fourth, fifth, fifth, nil} {
		c.release()
	}
	wants("huge")
	waiting.release()
	if m.inUse() != 0 || a.held != 0 || b.held != 0 || m.waiting.Len() != 0 {
		t.Errorf("%d bytes are held in the end", m.inUse())
	}
}

// TestMemoryIsBounded has large requests and then large responses wait for each other.
func TestMemoryIsBounded(t *testing.T) {
	const total = 4 << 20
	network := peertest.NewNetwork(t)
	var most atomic.Int64
	var b *Link
	large := make([]byte, 1<<20)
	b = start(t, network.Port("b"), func(_ context.Context, _ string, r Request) (Response, error) {
		for held := b.requests.inUse(); ; {
			if old := most.Load(); held <= old || most.CompareAndSwap(old, held) {
				break
			}
		}
		if r.Method == "Large" {
			return Response{Response: executor.Response{Message: large}}, nil
		}
		return Response{}, nil
	}, func(c *Config) { c.Memory = total })
	a := start(t, network.Port("a"), echo, func(c *Config) { c.Memory = total })
	ctx := patience(t)
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			if _, err := a.Call(ctx, "b", Request{Request: executor.Request{Message: large}}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n := most.Load(); n == 0 || n > total {
		t.Errorf("%d bytes of requests were held", n)
	}
	// What b can't keep until a takes it is an error that says so.
	for range 50 {
		wait.Go(func() {
			_, err := a.Call(ctx, "b", Request{Request: executor.Request{Method: "Large"}})
			fault := new(executor.Error)
			if err != nil && (!errors.As(err, &fault) || fault.Reason != executor.QueueFull || errors.As(err, new(*NotStartedError))) {
				t.Errorf("a response without room gives %v", err)
			}
		})
	}
	wait.Wait()
	eventually(t, "nothing is held", func() bool { return idle(a) && idle(b) })
}

func TestLimits(t *testing.T) {
	network := peertest.NewNetwork(t)
	release := make(chan struct{})
	b := start(t, network.Port("b"), func(ctx context.Context, _ string, r Request) (Response, error) {
		switch r.Method {
		case "Large":
			return Response{Response: executor.Response{Message: make([]byte, 200_000)}}, nil
		case "Trailers":
			return Response{Response: executor.Response{Trailers: map[string][]string{"x": {string(make([]byte, maxHead))}}}}, nil
		case "Wait":
			select {
			case <-release:
			case <-ctx.Done():
			}
		}
		return Response{}, nil
	}, func(c *Config) { c.Message, c.Calls, c.Streams = 100_000, 3, 4 })
	a := start(t, network.Port("a"), echo, func(c *Config) { c.Message, c.Connections = 100_000, 1 })
	ctx := patience(t)
	for want, r := range map[executor.Reason]executor.Request{
		executor.RequestTooLarge:  {Message: make([]byte, 100_001)},
		executor.ResponseTooLarge: {Method: "Large"},
	} {
		_, err := a.Call(ctx, "b", Request{Request: r})
		if fault := as[*executor.Error](t, err); fault.Reason != want {
			t.Errorf("%v; want %s", err, want)
		}
	}
	_, err := a.Call(ctx, "b", Request{Request: executor.Request{Method: "Trailers"}})
	if fault := as[*executor.Error](t, err); fault.Reason != executor.ResponseTooLarge {
		t.Error(err)
	}
	_, err = a.Call(ctx, "b", Request{Request: executor.Request{Metadata: map[string][]string{"x": {string(make([]byte, maxHead))}}}})
	if fault := as[*executor.Error](t, err); fault.Reason != executor.RequestTooLarge {
		t.Error(err)
	}

	results := make(chan error, 3)
	for range 3 {
		go func() {
			_, err := a.Call(ctx, "b", Request{Request: executor.Request{Method: "Wait"}})
			results <- err
		}()
	}
	eventually(t, "three calls run", func() bool { return b.handling.Load() == 3 })
	_, err = a.Call(ctx, "b", Request{})
	wants[*NotStartedError](t, err)
	if fault := as[*executor.Error](t, err); fault.Reason != executor.QueueFull {
		t.Error(err)
	}
	close(release)
	for range 3 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}
