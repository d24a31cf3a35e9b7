package gateway

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/weft-run/weft/executor"
)

func TestDeadlineReachesTheExecutor(t *testing.T) {
	seen := make(chan time.Time, 100)
	f := start(t, func(ctx context.Context, _ executor.Request) (executor.Response, error) {
		deadline, _ := ctx.Deadline()
		seen <- deadline
		<-ctx.Done()
		return executor.Response{}, ctx.Err()
	})
	conn := f.dial()
	limit := 25 * time.Millisecond
	for len(seen) == 0 { // until a call gets as far as the executor
		limit *= 2
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		// The client's own clock may be the first.
		if err := callWith(ctx, conn, place, nil).err; status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("the caller got %v", err)
		}
	}
	if until := time.Until(<-seen); until > limit || until < -10*time.Second {
		t.Errorf("the executor had a deadline in %v", until)
	}
}

// TestDeadlinesAreCountedAsSuch: grpc-go cancels the context of a stream whose deadline comes.
func TestDeadlinesAreCountedAsSuch(t *testing.T) {
	registry := prometheus.NewRegistry()
	f := start(t, func(ctx context.Context, _ executor.Request) (executor.Response, error) {
		<-ctx.Done()
		return executor.Response{}, &executor.Error{Reason: executor.Canceled, Message: "canceled"}
	}, func(c *Config) { c.Registerer = registry })
	c := f.dialRaw()
	c.headers(1, false, "grpc-timeout", "20m")
	c.data(1, true, frame(0, nil))
	for {
		frame, err := c.framer.ReadFrame()
		c.must(err)
		if frame.Header().StreamID == 1 && (frame.Header().Type == http2.FrameRSTStream || frame.Header().Flags.Has(http2.FlagHeadersEndStream)) {
			break // The stream has ended, by whoever was first.
		}
	}
	f.Stop()
	want := `weft_calls_total{code="DeadlineExceeded",function="orders",namespace="default"} 1`
	if !slices.Contains(scrape(registry), want) {
		t.Errorf("no line %s", want)
	}
}

func TestCancellationAndDisconnectReachTheExecutor(t *testing.T) {
	for name, leave := range map[string]func(context.CancelFunc, *grpc.ClientConn){
		"cancel":     func(cancel context.CancelFunc, _ *grpc.ClientConn) { cancel() },
		"disconnect": func(_ context.CancelFunc, conn *grpc.ClientConn) { _ = conn.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			running, ended := make(chan struct{}), make(chan error, 1)
			f := start(t, func(ctx context.Context, _ executor.Request) (executor.Response, error) {
				close(running)
				<-ctx.Done()
				ended <- ctx.Err()
				return executor.Response{}, ctx.Err()
			})
			conn := f.dial()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			called := make(chan answer, 1)
			go func() { called <- callWith(ctx, conn, place, bytes.Repeat([]byte{1}, 1<<20)) }()
			<-running
			leave(cancel, conn)
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("the executor's context ended with %v", err)
			}
			expect(t, (<-called).err, codes.Canceled, "")
			f.Stop()
			if held := f.memory.inUse(); held != 0 {
				t.Errorf("%d bytes are still held", held)
			}
		})
	}
}
