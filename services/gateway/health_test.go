package gateway

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/failure"
)

const (
	serving    = healthpb.HealthCheckResponse_SERVING
	notServing = healthpb.HealthCheckResponse_NOT_SERVING
	unknown    = healthpb.HealthCheckResponse_SERVICE_UNKNOWN
)

func TestHealthOfNodeAndServices(t *testing.T) {
	f := start(t, echo)
	f.deploy("shop", "other", 0, nil, "demo.shop.v1.Shop")
	client := healthpb.NewHealthClient(f.dial())
	shop := metadata.AppendToOutgoingContext(t.Context(), "weft-namespace", "shop")
	for _, test := range []struct {
		namespace, service string
	}{
		{"default", ""}, {"default", ordersService}, {"default", "grpc.health.v1.Health"},
		{"default", "grpc.reflection.v1.ServerReflection"}, {"shop", "demo.shop.v1.Shop"}, {"shop", ""},
	} {
		ctx := metadata.AppendToOutgoingContext(t.Context(), "weft-namespace", test.namespace)
		got, err := client.Check(ctx, &healthpb.HealthCheckRequest{Service: test.service})
		if err != nil || got.GetStatus() != serving {
			t.Errorf("%q: %v, %v", test.service, got, err)
		}
	}
	_, err := client.Check(shop, &healthpb.HealthCheckRequest{Service: ordersService})
	expect(t, err, codes.NotFound, failure.UnknownService, "no service demo.orders.v1.Orders in namespace shop")

	f.placements.set(executor.Key{Namespace: "default", Function: "orders", Revision: 1}, false)
	got, err := client.Check(t.Context(), &healthpb.HealthCheckRequest{Service: ordersService})
	if err != nil || got.GetStatus() != notServing {
		t.Errorf("not ready: %v, %v", got, err)
	}
	list, err := client.List(t.Context(), &healthpb.HealthListRequest{})
	if err != nil || list.GetStatuses()[""].GetStatus() != serving || list.GetStatuses()[ordersService].GetStatus() != notServing {
		t.Errorf("list: %v, %v", list, err)
	}
}

func TestWatchFollowsDeployAndReadiness(t *testing.T) {
	f := start(t, echo)
	const service = "demo.late.v1.Late"
	client := healthpb.NewHealthClient(f.dial())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	watch, err := client.Watch(ctx, &healthpb.HealthCheckRequest{Service: service})
	if err != nil {
		t.Fatal(err)
	}
	want := func(want healthpb.HealthCheckResponse_ServingStatus) {
		t.Helper()
		got, err := watch.Recv()
		if err != nil || got.GetStatus() != want {
			t.Fatalf("got %v, %v; want %v", got, err, want)
		}
	}
	key := executor.Key{Namespace: "default", Function: "late", Revision: 1}
	f.placements.set(key, false)
	want(unknown)
	f.deploy("default", "late", 0, nil, service)
	want(notServing)
	f.placements.set(key, true)
	want(serving)
	f.deploy("default", "unrelated", 0, nil, "demo.other.v1.Other") // says nothing
	f.remove("default", "late")
	want(unknown)
	f.deploy("default", "late", 0, nil, service)
	want(serving)
}

func TestWatchEndsWithTheNode(t *testing.T) {
	f := start(t, echo)
	client := healthpb.NewHealthClient(f.dial())
	watch, err := client.Watch(t.Context(), &healthpb.HealthCheckRequest{Service: ordersService})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := watch.Recv(); err != nil || got.GetStatus() != serving {
		t.Fatalf("got %v, %v", got, err)
	}
	if err := f.Drain(t.Context()); err != nil {
		t.Errorf("Drain: %v", err)
	}
	if got, err := watch.Recv(); err != nil || got.GetStatus() != notServing {
		t.Errorf("got %v, %v", got, err)
	}
	_, err = watch.Recv()
	expect(t, err, codes.Unavailable, failure.Draining, "about to stop")
}
