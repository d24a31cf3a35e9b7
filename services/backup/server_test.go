package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/weft-run/weft/consensus/catalog"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// leaderless is the consensus of a cluster; with noLeader, of one that has none.
type leaderless struct {
	c        *cluster
	noLeader bool
}

func (l *leaderless) Catalog() *catalog.Catalog { return l.c.catalog }
func (l *leaderless) Cluster() string           { return "0123456789abcdef0123" }

func (l *leaderless) Linearize(context.Context) error {
	if l.noLeader {
		return status.Error(codes.Unavailable, "no leader")
	}
	return nil
}

type service struct {
	weftv1.UnimplementedNodeServiceServer
	*Server
}

func (s service) Backup(r *weftv1.BackupRequest, stream grpc.ServerStreamingServer[weftv1.BackupResponse]) error {
	return s.Server.Backup(r, stream)
}

// serve serves a cluster and returns a client.
func serve(t *testing.T, l *leaderless) weftv1.NodeServiceClient {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	weftv1.RegisterNodeServiceServer(server, service{Server: NewServer(Config{Consensus: l, Fetcher: l.c, Keeper: l.c, Version: "v1.2.3"})})
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return weftv1.NewNodeServiceClient(conn)
}

// receive gets a whole backup.
func receive(t *testing.T, client weftv1.NodeServiceClient, r *weftv1.BackupRequest) (file []byte, err error) {
	t.Helper()
	stream, err := client.Backup(t.Context(), r)
	if err != nil {
		return nil, err
	}
	var size uint64
	for {
		piece, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			if size != uint64(len(file)) {
				t.Errorf("%d bytes came, %d were announced", len(file), size)
			}
			return file, nil
		}
		if err != nil {
			return file, err
		}
		size += piece.GetSize()
		file = append(file, piece.GetChunk()...)
	}
}

func TestServer(t *testing.T) {
	c := newCluster(t)
	c.deploy("large", bytes.Repeat([]byte("\x00asm"), bufferLen))
	l := &leaderless{c: c}
	client := serve(t, l)
	file, err := receive(t, client, &weftv1.BackupRequest{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Verify(bytes.NewReader(file))
	if err != nil || got.Header.GetVersion() != "v1.2.3" || got.Header.GetArtifacts() != 4 || got.Functions != 4 || got.Revisions != 5 {
		t.Fatalf("backup %v, %v", got, err)
	}

	l.noLeader = true
	if _, err := receive(t, client, &weftv1.BackupRequest{}); status.Code(err) != codes.Unavailable {
		t.Errorf("without a leader: %v", err)
	}
	if _, err := receive(t, client, &weftv1.BackupRequest{Consistency: weftv1.Consistency_CONSISTENCY_STALE}); err != nil {
		t.Errorf("stale, without a leader: %v", err)
	}
	if _, err := receive(t, client, &weftv1.BackupRequest{Consistency: 77}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("an unknown consistency: %v", err)
	}

	if err := os.Remove(c.path(sha256.Sum256([]byte("\x00asm orders 2")))); err != nil {
		t.Fatal(err)
	}
	l.noLeader = false
	file, err = receive(t, client, &weftv1.BackupRequest{})
	if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "revision 2 of function orders") || len(file) > 0 {
		t.Errorf("without an artifact: %d bytes, %v", len(file), err)
	}
}
