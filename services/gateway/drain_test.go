package gateway

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/failure"
)

func TestDrainLetsCallsEnd(t *testing.T) {
	running, release := make(chan struct{}), make(chan struct{})
	f := start(t, func(ctx context.Context, r executor.Request) (executor.Response, error) {
		close(running)
		select {
		case <-release:
			return echo(ctx, r)
		case <-ctx.Done():
			return executor.Response{}, ctx.Err()
		}
	})
	await(t, "the gateway to serve", func() bool { return f.Healthy() == nil })
	conn := f.dial()
	called := make(chan answer, 1)
	go func() { called <- f.call(conn, place, []byte("x")) }()
	<-running
	drained := make(chan error, 1)
	go func() { drained <- f.Drain(t.Context()) }()
	await(t, "the gateway to drain", func() bool { return f.Healthy() != nil })
	select {
	case err := <-drained:
		t.Fatalf("Drain returned while a call ran: %v", err)
	default:
	}
	close(release)
	if a := <-called; a.err != nil || string(a.message) != "x" {
		t.Errorf("the call: %q, %v", a.message, a.err)
	}
	if err := <-drained; err != nil {
		t.Errorf("Drain: %v", err)
	}
	expect(t, f.call(f.dial(), place, nil).err, codes.Unavailable, "")
}

func TestDrainIsBounded(t *testing.T) {
	running := make(chan struct{})
	f := start(t, func(ctx context.Context, _ executor.Request) (executor.Response, error) {
		close(running)
		<-ctx.Done()
		return executor.Response{}, ctx.Err()
	})
	conn := f.dial()
	called := make(chan answer, 1)
	go func() { called <- f.call(conn, place, nil) }()
	<-running
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := f.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Drain: %v", err)
	}
	expect(t, (<-called).err, codes.Unavailable, "")
}

func TestDrainEndsReflection(t *testing.T) {
	f := start(t, echo)
	stream, err := reflectionv1.NewServerReflectionClient(f.dial()).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ask := &reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}
	if err := stream.Send(ask); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	if err := f.Drain(t.Context()); err != nil {
		t.Errorf("Drain: %v", err)
	}
	_, err = stream.Recv()
	expect(t, err, codes.Unavailable, failure.Draining, "about to stop")
}

func TestHealthyOnlyOnceServing(t *testing.T) {
	f := &Gateway{}
	f.life, f.drain = context.WithCancel(t.Context())
	if err := f.Healthy(); err == nil {
		t.Error("healthy before Serve")
	}
	f.serving.Store(true)
	if err := f.Healthy(); err != nil {
		t.Error(err)
	}
	f.drain()
	if err := f.Healthy(); err == nil {
		t.Error("healthy while draining")
	}
}
