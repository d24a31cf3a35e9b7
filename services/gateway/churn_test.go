package gateway

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/weft-run/weft/executor"
)

// TestCallsWhileTheCatalogChanges calls, reflects and watches while functions come, change and go.
func TestCallsWhileTheCatalogChanges(t *testing.T) {
	f := start(t, func(_ context.Context, r executor.Request) (executor.Response, error) {
		return executor.Response{Message: []byte(r.Key.Function)}, nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var group sync.WaitGroup
	var over atomic.Bool
	for range 4 {
		conn := f.dial()
		group.Go(func() {
			r := reflect(ctx, t, conn)
			for i := 0; !over.Load(); i++ {
				a := callWith(ctx, conn, place, []byte("x"))
				if a.err == nil && string(a.message) != "orders" && string(a.message) != "second" {
					t.Errorf("answered by %q", a.message)
				}
				if a.err != nil {
					t.Errorf("a call of a service that is always there: %v", a.err)
				}
				a = callWith(ctx, conn, fmt.Sprintf("/demo.n%d.v1.N/Get", i%8), nil)
				if c := status.Code(a.err); c != codes.OK && c != codes.Unimplemented {
					t.Errorf("a call of a service that comes and goes: %v", a.err)
				}
				if i%10 == 0 {
					r.symbol(fmt.Sprintf("demo.n%d.v1.N", i%8))
				}
			}
		})
	}
	for i := range 200 {
		name, pkg := fmt.Sprintf("n%d", i%8), fmt.Sprintf("demo.n%d.v1", i%8)
		switch {
		case f.catalog.View().Function("default", name) == nil:
			f.deploy("default", name, 0, contractOf(pkg, "n", "N", "Get"), pkg+".N")
		case i%3 == 0:
			f.remove("default", name)
			f.Forget("default", name)
		default:
			f.deploy("default", name, 0, nil, pkg+".N")
		}
		if i == 100 {
			f.deploy("default", "second", 0, nil, ordersService)
			f.remove("default", "orders")
		}
	}
	over.Store(true)
	group.Wait()
}

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	f := start(t, func(ctx context.Context, r executor.Request) (executor.Response, error) {
		if len(r.Message) == 0 {
			return executor.Response{}, &executor.FunctionError{Case: "not-found"}
		}
		return echo(ctx, r)
	}, func(c *Config) { c.Registerer = registry })
	f.deploy("shop", "other", 0, nil, "demo.shop.v1.Shop")
	conn := f.dial()
	for range 3 {
		f.call(conn, place, []byte("12345"))
	}
	f.call(conn, place, nil)
	f.call(conn, "/demo.shop.v1.Shop/Open", []byte("x"), "weft-namespace", "shop")
	for i := range 50 {
		f.call(conn, fmt.Sprintf("/made.up.n%d/Get", i), nil, "weft-namespace", fmt.Sprintf("ns-%d", i), "weft-function", "x")
	}
	f.call(conn, "/grpc.health.v1.Health/Check", nil)
	want := []string{
		`weft_calls_total{code="NotFound",function="orders",namespace="default"} 1`,
		`weft_calls_total{code="OK",function="orders",namespace="default"} 3`,
		`weft_calls_total{code="OK",function="other",namespace="shop"} 1`,
		`weft_calls_total{code="Unimplemented",function="",namespace=""} 50`,
		`weft_api_calls_total{code="OK",method="/grpc.health.v1.Health/Check"} 1`,
		`weft_call_seconds_count{function="orders",namespace="default"} 4`,
		`weft_message_bytes_total{direction="received",function="orders",namespace="default"} 15`,
		`weft_message_bytes_total{direction="sent",function="orders",namespace="default"} 15`,
		`weft_connections 1`,
		`weft_calls_in_flight 0`,
	}
	lines := scrape(registry) // A call is counted before its caller has the status.
	for _, line := range want {
		if !slices.Contains(lines, line) {
			t.Errorf("no line %s", line)
		}
	}
	for _, line := range lines {
		if strings.Contains(line, "made") || strings.Contains(line, "ns-") {
			t.Errorf("a label comes from a caller: %s", line)
		}
	}
	f.Forget("default", "orders")
	for _, line := range scrape(registry) {
		if strings.Contains(line, `"orders"`) {
			t.Errorf("a series of a function that is gone: %s", line)
		}
	}
	f.call(conn, place, []byte("x"))
	if !slices.Contains(scrape(registry), `weft_calls_total{code="OK",function="orders",namespace="default"} 1`) {
		t.Error("a function of the same name is not counted anew")
	}
	if _, err := New(Config{Caller: f.config.Caller, Router: f.config.Router, Catalog: f.catalog, Registerer: registry}); err == nil {
		t.Error("a second gateway registered the same metrics")
	}
}

// scrape gives the lines that Prometheus would get.
func scrape(registry *prometheus.Registry) []string {
	recorder := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return strings.Split(recorder.Body.String(), "\n")
}
