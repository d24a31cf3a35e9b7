package peer_test

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
	"github.com/weft-run/weft/services/peer"
	"github.com/weft-run/weft/services/peer/peertest"
)

// echo answers Has with the ID of who asks.
type echo struct {
	clusterv1.UnimplementedArtifactServiceServer
}

func (echo) Has(ctx context.Context, _ *clusterv1.HasRequest) (*clusterv1.HasResponse, error) {
	return &clusterv1.HasResponse{Digests: [][]byte{[]byte(peer.From(ctx))}}, nil
}

func start(t *testing.T, port *peertest.Port) *peer.Peers {
	t.Helper()
	p := peer.New(peer.Config{Port: port})
	clusterv1.RegisterArtifactServiceServer(p, echo{})
	p.Start()
	t.Cleanup(p.Close)
	return p
}

func TestPeersKnowWhoCalls(t *testing.T) {
	network := peertest.NewNetwork(t)
	a, b := start(t, network.Port("a")), network.Port("b")
	start(t, b)
	ask := func() (string, error) {
		conn, err := a.Conn("b")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		r, err := clusterv1.NewArtifactServiceClient(conn).Has(ctx, &clusterv1.HasRequest{})
		if err != nil {
			return "", err
		}
		return string(r.GetDigests()[0]), nil
	}
	if got, err := ask(); err != nil || got != "a" {
		t.Fatalf("b was called by %q: %v", got, err)
	}
	b.SetDown(true)
	b.Cut()
	if _, err := ask(); status.Code(err) != codes.Unavailable {
		t.Fatalf("b is down: %v", err)
	}
	b.SetDown(false)
	for {
		if got, err := ask(); err == nil && got == "a" {
			break
		}
		if t.Context().Err() != nil {
			t.Fatal("b does not come back")
		}
		time.Sleep(10 * time.Millisecond)
	}
	a.Close()
	if _, err := a.Conn("b"); err == nil {
		t.Fatal("a closed node gives connections")
	}
}
