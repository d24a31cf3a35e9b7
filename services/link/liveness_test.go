package link

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weft-run/weft/consensus"
	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/peer/peertest"
)

// pipes connects nodes without sockets, so that a test may have its own time.
type pipes struct {
	mu       sync.Mutex
	handlers map[string]consensus.Handler // guarded by mu
}

type pipePort struct {
	*pipes
	id string
}

func (p pipePort) ID() string { return p.id }

func (p pipePort) Handle(_ string, handler consensus.Handler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handlers[p.id] = handler
}

func (p pipePort) Dial(_ context.Context, _, node string) (net.Conn, error) {
	p.mu.Lock()
	handler := p.handlers[node]
	p.mu.Unlock()
	if handler == nil {
		return nil, consensus.ErrUnreachable
	}
	near, far := net.Pipe()
	go handler(far, p.id)
	return near, nil
}

// TestQuietPeersAreKept: an hour without a call is no reason to give a connection up, nor is a call that takes an hour.
func TestQuietPeersAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := &pipes{handlers: map[string]consensus.Handler{}}
		seconds := func(c *Config) { c.Silence = 4 * time.Second }
		start(t, pipePort{network, "b"}, func(_ context.Context, _ string, r Request) (Response, error) {
			if r.Method == "Sleep" {
				time.Sleep(time.Hour)
			}
			return Response{}, nil
		}, seconds)
		a := start(t, pipePort{network, "a"}, echo, seconds)
		for _, method := range []string{"", "Sleep"} {
			if _, err := a.Call(t.Context(), "b", Request{Request: executor.Request{Method: method}}); err != nil {
				t.Fatalf("%q: %v", method, err)
			}
			before := a.snapshot()
			time.Sleep(time.Hour)
			for w := range a.snapshot() {
				if before[w] == nil {
					t.Error("the connection was given up")
				}
			}
		}
	})
}

// TestSilentPeersAreGivenUp: a peer that takes everything and says nothing.
func TestSilentPeersAreGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := &pipes{handlers: map[string]consensus.Handler{}}
		pipePort{network, "b"}.Handle(Protocol, func(conn net.Conn, _ string) {
			if _, err := greet(conn, settings{100, 1 << 20, 1 << 20}, false); err != nil {
				t.Error(err)
			}
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		})
		a := start(t, pipePort{network, "a"}, echo, func(c *Config) { c.Silence = 4 * time.Second })
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := a.Call(ctx, "b", Request{}); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("a call with a deadline of 1 s gets %v after %v", err, time.Since(began))
		}
		_, err := a.Call(t.Context(), "b", Request{})
		if !errors.Is(as[*LostError](t, err), errSilent) || time.Since(began) > 5*time.Second {
			t.Errorf("a call without one gets %v after %v", err, time.Since(began))
		}
	})
}

// deaf handles a node's connections: it grants every message that is announced, but once it has read some frames, it
// reads no more, and only says that it lives.
func deaf(t *testing.T, port *peertest.Port, frames int, stalled chan<- struct{}) {
	t.Helper()
	port.Handle(Protocol, func(conn net.Conn, _ string) {
		if _, err := greet(conn, settings{100, 1 << 30, 1 << 30}, false); err != nil {
			t.Error(err)
		}
		for range frames {
			if h, _ := next(t, conn); h.kind == kindAnnounce {
				_, _ = io.WriteString(conn, frame(kindGrant, h.stream, ""))
			}
		}
		close(stalled)
		for {
			if _, err := io.WriteString(conn, frame(kindPong, 0, "12345678")); err != nil {
				_ = conn.Close()
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
}

func TestPeersThatTakeNothingAreGivenUp(t *testing.T) {
	network := peertest.NewNetwork(t)
	stalled := make(chan struct{})
	deaf(t, network.Port("b"), 3, stalled)
	a := start(t, network.Port("a"), echo, func(c *Config) { c.Silence, c.Connections = 4*time.Second, 1 })
	ctx := patience(t)
	large := make(chan error, 1)
	go func() {
		_, err := a.Call(ctx, "b", Request{Request: executor.Request{Message: make([]byte, 512<<20)}})
		large <- err
	}()
	<-stalled
	eventually(t, "a write is stuck", func() bool {
		for w := range a.snapshot() {
			if since := w.stalled.Load(); since != 0 && a.now()-since > int64(200*time.Millisecond) {
				return true
			}
		}
		return false
	})
	// The large message stands in the way now, but not in that of a deadline.
	brief, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := a.Call(brief, "b", Request{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a small call gets %v", err)
	}
	behind := make(chan error, 1)
	go func() {
		_, err := a.Call(ctx, "b", Request{})
		behind <- err
	}()
	eventually(t, "it is queued", func() bool { return (*a.peer("b").callers.Load())[0].load.Load() == 2 })
	// Nor do callers fill the memory with what can't be sent.
	var wait sync.WaitGroup
	crowd, disperse := context.WithCancel(ctx)
	for range 100 {
		wait.Go(func() {
			_, err := a.Call(crowd, "b", Request{Request: executor.Request{Message: make([]byte, 30_000)}})
			if !errors.Is(err, context.Canceled) && !errors.Is(err, errStalled) {
				t.Error(err)
			}
		})
	}
	for w := range a.snapshot() {
		queued := func() int {
			w.mu.Lock()
			defer w.mu.Unlock()
			return len(w.writer.queue)
		}
		eventually(t, "the queue is full", func() bool { return queued() > queueSize })
		time.Sleep(50 * time.Millisecond) // for what should not happen
		if n := queued(); n > queueSize+maxPayload+headerSize {
			t.Errorf("%d bytes are queued", n)
		}
	}
	disperse()
	wait.Wait()
	if err := <-behind; !errors.Is(as[*NotStartedError](t, err), errStalled) { // It is behind the large one.
		t.Error(err)
	}
	if err := <-large; !errors.Is(as[*NotStartedError](t, err), errStalled) { // It was not sent to its end.
		t.Error(err)
	}
}

// TestCallersThatTakeNothingAreGivenUp has clients by hand that ask for much and read nothing.
func TestCallersThatTakeNothingAreGivenUp(t *testing.T) {
	network := peertest.NewNetwork(t)
	large := make([]byte, 64<<20)
	b := start(t, network.Port("b"), func(ctx context.Context, _ string, r Request) (Response, error) {
		if r.Method == "Wait" {
			<-ctx.Done()
			return Response{}, ctx.Err()
		}
		return Response{Response: executor.Response{Message: large}}, nil
	}, func(c *Config) { c.Silence, c.Calls, c.Window = 2*time.Second, 2, 1<<20 })

	conn, err := network.Port("x").Dial(patience(t), Protocol, "b")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := greet(conn, settings{100, 1 << 30, 1 << 30}, true); err != nil {
		t.Fatal(err)
	}
	asked := frame(kindRequest, 1, small)
	for i := 0; ; i++ {
		asked += frame(kindGrant, 1, "") + frame(kindPong, 0, "12345678")
		if _, err := io.WriteString(conn, asked); err != nil {
			break
		}
		asked = ""
		time.Sleep(10 * time.Millisecond)
	}
	_ = conn.Close()
	eventually(t, "nothing is held", func() bool { return idle(b) })

	waits := string(appendRequest(nil, &Request{Request: executor.Request{Method: "Wait"}}, 0))
	conn = raw(t, network.Port("y"))
	flood := frame(kindRequest, 1, waits) + frame(kindRequest, 2, waits)
	for {
		if _, err := io.WriteString(conn, flood); err != nil {
			break
		}
		flood = strings.Repeat(frame(kindRequest, 3, waits), 1000) // refused, each of them
	}
	eventually(t, "nothing is held", func() bool { return idle(b) })
}
