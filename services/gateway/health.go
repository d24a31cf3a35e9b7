package gateway

import (
	"context"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/services/router"
)

// health is grpc.health.v1. The empty name is the node: serving until it drains. The name of a service is serving while
// a call of it in the namespace of weft-namespace would be answered at once; weft-function and weft-revision count, too.
type health struct {
	healthpb.UnimplementedHealthServer
	gateway *Gateway
}

func (g *Gateway) registerHealth() {
	g.register(&healthpb.Health_ServiceDesc, &health{gateway: g}, openMessage)
}

// Check tells how a service is now.
func (h *health) Check(ctx context.Context, request *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	now, err := h.status(ctx, request.GetService())
	if err != nil {
		return nil, failure.New(codes.NotFound, failure.UnknownService, status.Convert(err).Message())
	}
	return &healthpb.HealthCheckResponse{Status: now}, nil
}

// maxListed bounds what List tells about, as grpc-go's own implementation does.
const maxListed = 100

// List tells how all services of the namespace are, if there are not too many.
func (h *health) List(ctx context.Context, _ *healthpb.HealthListRequest) (*healthpb.HealthListResponse, error) {
	statuses := map[string]*healthpb.HealthCheckResponse{}
	for _, name := range h.gateway.serviceNames(namespaceIn(ctx)) {
		if len(statuses) == maxListed {
			return nil, failure.Newf(codes.ResourceExhausted, failure.Busy,
				"there are more than %d services; ask for one with Check", maxListed)
		}
		if now, err := h.status(ctx, name); err == nil { // It may have been deleted this moment.
			statuses[name] = &healthpb.HealthCheckResponse{Status: now}
		}
	}
	now, _ := h.status(ctx, "")
	statuses[""] = &healthpb.HealthCheckResponse{Status: now}
	return &healthpb.HealthListResponse{Statuses: statuses}, nil
}

// Watch tells how a service is now, and again whenever that changes, until the node drains.
func (h *health) Watch(request *healthpb.HealthCheckRequest, stream healthpb.Health_WatchServer) error {
	g := h.gateway
	ctx := stream.Context()
	last := healthpb.HealthCheckResponse_ServingStatus(-1)
	for {
		var placed, elsewhere <-chan struct{}
		if g.config.Placed != nil {
			placed = g.config.Placed()
		}
		if g.config.Elsewhere != nil {
			elsewhere = g.config.Elsewhere()
		}
		changed := g.config.Catalog.View().Changed()
		now, err := h.status(ctx, request.GetService())
		if err != nil {
			now = healthpb.HealthCheckResponse_SERVICE_UNKNOWN
		}
		if now != last {
			if err := stream.Send(&healthpb.HealthCheckResponse{Status: now}); err != nil {
				return err
			}
			last = now
		}
		select {
		case <-placed:
		case <-elsewhere:
		case <-changed:
		case <-ctx.Done():
			if !g.Draining() {
				return failure.New(codes.Canceled, failure.Canceled, "the caller has ended the watch")
			}
			_ = stream.Send(&healthpb.HealthCheckResponse{Status: healthpb.HealthCheckResponse_NOT_SERVING})
			return errDraining()
		}
	}
}

// status gives the status of a service. The error says that it does not exist.
func (h *health) status(ctx context.Context, service string) (healthpb.HealthCheckResponse_ServingStatus, error) {
	g := h.gateway
	ready := true
	if service != "" && g.own[service] == nil {
		md := metadataOf(ctx)
		var err error
		target := router.Target{Namespace: namespaceOf(md), Service: service, Function: first(md, "weft-function")}
		if target.Revision, err = revisionOf(md); err != nil {
			return 0, err
		}
		if ready, err = g.config.Router.Ready(target); err != nil {
			return 0, err
		}
	}
	if !ready || g.Draining() {
		return healthpb.HealthCheckResponse_NOT_SERVING, nil
	}
	return healthpb.HealthCheckResponse_SERVING, nil
}
