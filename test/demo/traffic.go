package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"

	weft "github.com/weft-run/weft/clients/go"
)

// traffic calls a method at a steady rate, at all addresses in turn, as gRPC's policy round_robin does: an address whose
// connection is broken is left out until it is back.
type traffic struct {
	client   *weft.Client
	resolver *manual.Resolver
	cancel   context.CancelFunc
	calls    sync.WaitGroup
	pacer    sync.WaitGroup

	mu     sync.Mutex
	report report    // guarded by mu
	last   time.Time // guarded by mu: when the last good answer came
}

// report is what came of the calls.
type report struct {
	sent, failed int
	gap          time.Duration // longest time between two good answers
	errors       []string      // the first few, each once
}

// callLimit is how long a call may take.
const callLimit = 10 * time.Second

func startTraffic(ctx context.Context, addresses []string, method string, request []byte) (*traffic, error) {
	t := &traffic{resolver: manual.NewBuilderWithScheme("demo")}
	t.resolver.InitialState(state(addresses))
	var err error
	if t.client, err = weft.Connect("demo:///cluster", weft.WithDialOptions(
		grpc.WithResolvers(t.resolver), grpc.WithDefaultServiceConfig(`{"loadBalancingConfig": [{"round_robin": {}}]}`),
	)); err != nil {
		return nil, err
	}
	m, err := t.client.Method(ctx, method)
	if err != nil {
		return nil, err
	}
	ctx, t.cancel = context.WithCancel(ctx)
	t.last = time.Now()
	t.pacer.Go(func() {
		ticker := time.NewTicker(time.Second / rate)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				t.calls.Go(func() { t.call(context.WithoutCancel(ctx), m, request) })
			case <-ctx.Done():
				return
			}
		}
	})
	return t, nil
}

func (t *traffic) call(ctx context.Context, m *weft.Method, request []byte) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	_, err := m.Call(ctx, request)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.sent++
	if err == nil {
		t.report.gap = max(t.report.gap, time.Since(t.last))
		t.last = time.Now()
		return
	}
	t.report.failed++
	text := fmt.Sprintf("%v: %v", status.Code(err), err)
	if len(t.report.errors) < 5 && !slices.Contains(t.report.errors, text) {
		t.report.errors = append(t.report.errors, text)
	}
}

// move tells where the nodes are now.
func (t *traffic) move(addresses []string) { t.resolver.UpdateState(state(addresses)) }

// stop ends the calls and tells what came of them. It may be called again.
func (t *traffic) stop() report {
	t.cancel()
	t.pacer.Wait()
	t.calls.Wait()
	_ = t.client.Close()
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.report
}

func state(addresses []string) (s resolver.State) {
	for _, a := range addresses {
		s.Addresses = append(s.Addresses, resolver.Address{Addr: a})
	}
	return s
}
