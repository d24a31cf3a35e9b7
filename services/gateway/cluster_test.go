package gateway

import (
	"context"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/services/router"
)

// elsewhere is a Caller that says that another node answered.
type elsewhere struct {
	node string
	err  error
}

func (e *elsewhere) Call(_ context.Context, r executor.Request) (router.Response, error) {
	return router.Response{Response: executor.Response{Message: slices.Clone(r.Message)}, Node: e.node}, e.err
}

// Start leaves everything to Call.
func (*elsewhere) Start(context.Context, executor.Request, executor.Recipient) executor.Started {
	return nil
}

func TestAnswersSayWhichNodeRanTheCall(t *testing.T) {
	others := &elsewhere{}
	f := start(t, echo, func(c *Config) { c.Caller, c.Node = others, "here" })
	conn := f.dial()
	for _, test := range []struct{ node, want string }{{"n1", "n1"}, {"n2", "n2"}, {"", "here"}, {"n1", "n1"}} {
		others.node = test.node
		a := f.call(conn, place, []byte("x"))
		if a.err != nil || !slices.Equal(a.header["weft-node"], []string{test.want}) {
			t.Errorf("answered by %v, %v; want %s", a.header["weft-node"], a.err, test.want)
		}
	}
	others.node, others.err = "n3", &executor.Error{Reason: executor.Reason(failure.NodeLost), Message: "node n3 was lost"}
	a := f.call(conn, place, []byte("x"))
	expect(t, a.err, codes.Unavailable, failure.NodeLost, "node n3 was lost")
	if !slices.Equal(a.trailer["weft-node"], []string{"n3"}) {
		t.Errorf("the call that was lost says %v", a.trailer["weft-node"])
	}
}

// steered is a router that says what the test wants.
type steered struct {
	Router
	ready func() bool
}

func (s steered) Ready(router.Target) (bool, error) { return s.ready(), nil }

func TestHealthWatchesOtherNodes(t *testing.T) {
	others := newPlacements() // stands for the directory
	key := executor.Key{Namespace: "default", Function: "orders", Revision: 1}
	others.set(key, false)
	f := start(t, echo, func(c *Config) {
		c.Router, c.Elsewhere = steered{c.Router, func() bool { return others.Ready(key) }}, others.Changed
	})
	stream, err := healthpb.NewHealthClient(f.dial()).Watch(t.Context(), &healthpb.HealthCheckRequest{Service: ordersService})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []healthpb.HealthCheckResponse_ServingStatus{
		healthpb.HealthCheckResponse_NOT_SERVING, healthpb.HealthCheckResponse_SERVING, healthpb.HealthCheckResponse_NOT_SERVING,
	} {
		got, err := stream.Recv()
		if err != nil || got.GetStatus() != want {
			t.Fatalf("%v, %v; want %v", got.GetStatus(), err, want)
		}
		others.set(key, i%2 == 0)
	}
}
