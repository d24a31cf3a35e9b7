package link

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-run/weft/consensus"
	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/peer/peertest"
)

// as gives the error of a type that err is, and fails the test if it is none.
func as[E error](t testing.TB, err error) E {
	t.Helper()
	e, ok := errors.AsType[E](err)
	if !ok {
		t.Fatalf("%T %v; want a %T", err, err, e)
	}
	return e
}

// wants fails the test unless err is of a type.
func wants[E error](t testing.TB, err error) {
	t.Helper()
	if e, ok := errors.AsType[E](err); !ok {
		t.Errorf("%T %v; want a %T", err, err, e)
	}
}

func TestNobodyThere(t *testing.T) {
	network := peertest.NewNetwork(t)
	a := start(t, network.Port("a"), echo)
	port := network.Port("b")
	_, err := a.Call(patience(t), "b", Request{}) // Nobody handles the protocol.
	wants[*NotStartedError](t, err)
	port.SetDown(true)
	eventually(t, "b can't be reached", func() bool {
		_, err := a.Call(patience(t), "b", Request{})
		return errors.Is(as[*NotStartedError](t, err), consensus.ErrUnreachable)
	})
	port.SetDown(false)
	start(t, port, echo)
	eventually(t, "b is found", func() bool {
		_, err := a.Call(patience(t), "b", Request{})
		return err == nil
	})
}

// slowPort dials until its context is done.
type slowPort struct{ Port }

func (slowPort) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestDialingIsBounded(t *testing.T) {
	network := peertest.NewNetwork(t)
	a := start(t, slowPort{network.Port("a")}, echo, func(c *Config) { c.DialTimeout = 300 * time.Millisecond })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := a.Call(ctx, "b", Request{}); !errors.Is(as[*NotStartedError](t, err), context.DeadlineExceeded) {
		t.Error(err)
	}
	_, err := a.Call(patience(t), "b", Request{})
	wants[*NotStartedError](t, err)
}

// cutPort gives connections that break after some bytes were written, hello not counted.
type cutPort struct {
	Port
	after int
}

type cutConn struct {
	net.Conn
	mu    sync.Mutex
	left  int  // guarded by mu
	hello bool // guarded by mu
}

func (p cutPort) Dial(ctx context.Context, protocol, node string) (net.Conn, error) {
	conn, err := p.Port.Dial(ctx, protocol, node)
	if err != nil {
		return nil, err
	}
	return &cutConn{Conn: conn, left: p.after}, nil
}

func (c *cutConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.hello {
		c.hello = true
		return c.Conn.Write(b)
	}
	n, err := c.Conn.Write(b[:min(len(b), c.left)])
	c.left -= n
	if n < len(b) && err == nil {
		err = io.ErrClosedPipe
		_ = c.Close()
	}
	return n, err
}

// TestCutAnywhere breaks the connection after each byte of a request. The caller must know whether it may have started.
func TestCutAnywhere(t *testing.T) {
	for _, size := range []int{76, 3 * pieceSize} {
		whole := headPrefix + 9 + size // the empty head has nine fields of a byte
		length := headerSize + whole
		if whole > maxPayload { // an announcement, then pieces
			length = headerSize + 8 + whole + headerSize*((whole+pieceSize-1)/pieceSize)
		}
		step := max(1, length/80)
		for after := 0; after <= length; after += step {
			if after+step > length {
				after = length
			}
			var started atomic.Bool
			gate := make(chan struct{})
			network := peertest.NewNetwork(t)
			b := start(t, network.Port("b"), func(ctx context.Context, _ string, _ Request) (Response, error) {
				started.Store(true)
				close(gate)
				<-ctx.Done() // Only the loss of the connection ends it.
				return Response{}, ctx.Err()
			})
			a := start(t, cutPort{network.Port("a"), after}, echo)
			errs := make(chan error, 1)
			ctx := patience(t)
			go func() {
				_, err := a.Call(context.WithoutCancel(ctx), "b", Request{Request: executor.Request{Message: make([]byte, size)}})
				errs <- err
			}()
			if after == length {
				<-gate
				for w := range a.snapshot() {
					w.fail(io.ErrClosedPipe)
				}
				wants[*LostError](t, <-errs)
			} else {
				wants[*NotStartedError](t, <-errs)
			}
			closeNow(t, b)
			if started.Load() != (after == length) {
				t.Errorf("cut after %d of %d bytes: started is %v", after, length, started.Load())
			}
			closeNow(t, a)
		}
	}
}

func TestConnectionLostWhileTheCallRuns(t *testing.T) {
	network := peertest.NewNetwork(t)
	port := network.Port("b")
	running, ended := make(chan struct{}), make(chan error, 1)
	start(t, port, func(ctx context.Context, _ string, r Request) (Response, error) {
		if r.Method != "Wait" {
			return Response{}, nil
		}
		close(running)
		<-ctx.Done()
		ended <- ctx.Err()
		return Response{}, ctx.Err()
	})
	a := start(t, network.Port("a"), echo)
	go func() {
		<-running
		port.Cut()
	}()
	_, err := a.Call(patience(t), "b", Request{Request: executor.Request{Method: "Wait"}})
	if lost := as[*LostError](t, err); lost.Node != "b" {
		t.Errorf("node %q was lost", lost.Node)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the handler's context ends with %v", err)
	}
	eventually(t, "the next connection works", func() bool {
		_, err := a.Call(patience(t), "b", Request{})
		return err == nil
	})
}

func TestCancellationReachesTheHandler(t *testing.T) {
	running, ended := make(chan struct{}, 1), make(chan error, 1)
	a, b := pair(t, func(ctx context.Context, _ string, _ Request) (Response, error) {
		running <- struct{}{}
		<-ctx.Done()
		ended <- ctx.Err()
		return Response{}, ctx.Err()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-running
		cancel()
	}()
	if _, err := a.Call(ctx, "b", Request{}); err != context.Canceled { //nolint:errorlint // as it is
		t.Errorf("the caller gets %v", err)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the handler gets %v", err)
	}
	if _, err := a.Call(ctx, "b", Request{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a call that is canceled before gives %v", err)
	}
	eventually(t, "nothing is held", func() bool { return idle(a) && idle(b) })
}

func TestDeadlinesTravel(t *testing.T) {
	ended := make(chan error, 100)
	a, _ := pair(t, func(ctx context.Context, _ string, _ Request) (Response, error) {
		if _, limited := ctx.Deadline(); !limited {
			return Response{}, nil
		}
		<-ctx.Done()
		ended <- ctx.Err()
		return Response{}, &executor.Error{Reason: executor.Deadline, Message: "late"}
	})
	if _, err := a.Call(context.WithoutCancel(t.Context()), "b", Request{}); err != nil {
		t.Errorf("a call without a deadline: %v", err)
	}
	for d := 20 * time.Millisecond; len(ended) == 0; d *= 2 { // until a call gets as far as the handler
		ctx, cancel := context.WithTimeout(t.Context(), d)
		defer cancel()
		_, err := a.Call(ctx, "b", Request{})
		if fault := new(executor.Error); !errors.Is(err, context.DeadlineExceeded) && (!errors.As(err, &fault) || fault.Reason != executor.Deadline) {
			t.Errorf("the caller gets %v", err)
		}
	}
	if err := <-ended; !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
		t.Errorf("the handler gets %v", err)
	}
}

func TestDrainLetsCallsEnd(t *testing.T) {
	running, release := make(chan struct{}, 10), make(chan struct{})
	a, b := pair(t, func(ctx context.Context, _ string, r Request) (Response, error) {
		running <- struct{}{}
		select {
		case <-release:
			return echo(ctx, "", r)
		case <-ctx.Done():
			return Response{}, ctx.Err()
		}
	})
	results := make(chan error, 10)
	ctx := patience(t)
	for i := range 10 {
		go func() {
			_, err := a.Call(ctx, "b", Request{Request: executor.Request{Message: make([]byte, i*10_000)}})
			results <- err
		}()
	}
	for range 10 {
		<-running
	}
	closed := make(chan error, 1)
	go func() { closed <- b.Close(ctx) }()
	eventually(t, "b drains", func() bool {
		all := b.snapshot()
		for w, s := range all {
			w.mu.Lock()
			away := s.(*answerer).away
			w.mu.Unlock()
			if !away {
				return false
			}
		}
		return true
	})
	_, err := a.Call(ctx, "b", Request{})
	wants[*NotStartedError](t, err)
	select {
	case err := <-closed:
		t.Fatalf("closed with calls running: %v", err)
	default:
	}
	close(release)
	for range 10 {
		if err := <-results; err != nil {
			t.Errorf("a running call ended with %v", err)
		}
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestCloseCutsOffWhatDoesNotEnd(t *testing.T) {
	running := make(chan struct{})
	a, b := pair(t, func(ctx context.Context, _ string, _ Request) (Response, error) {
		close(running)
		<-ctx.Done()
		return Response{}, ctx.Err()
	})
	errs := make(chan error, 1)
	ctx := patience(t)
	go func() {
		_, err := a.Call(ctx, "b", Request{})
		errs <- err
	}()
	<-running
	brief, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	if err := b.Close(brief); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("close gives %v", err)
	}
	wants[*LostError](t, <-errs)
	closeNow(t, a)
	if _, err := a.Call(ctx, "b", Request{}); !errors.Is(as[*NotStartedError](t, err), ErrClosed) {
		t.Error(err)
	}
}

func TestDrop(t *testing.T) {
	running := make(chan struct{}, 1)
	a, b := pair(t, func(ctx context.Context, _ string, _ Request) (Response, error) {
		running <- struct{}{}
		<-ctx.Done()
		return Response{}, ctx.Err()
	})
	errs := make(chan error, 1)
	for _, l := range []*Link{a, b} {
		ctx := patience(t)
		go func() {
			_, err := a.Call(ctx, "b", Request{})
			errs <- err
		}()
		<-running
		l.Drop(map[*Link]string{a: "b", b: "a"}[l])
		wants[*LostError](t, <-errs)
	}
}
