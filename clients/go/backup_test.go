package weft_test

import (
	"bytes"
	"errors"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// backups answers with pieces of a backup, and then with an error.
type backups struct {
	weftv1.UnimplementedNodeServiceServer

	pieces []*weftv1.BackupResponse
	err    error
	stale  bool // whether the last request was for what the node knows
}

func (b *backups) Backup(r *weftv1.BackupRequest, stream grpc.ServerStreamingServer[weftv1.BackupResponse]) error {
	b.stale = r.GetConsistency() == weftv1.Consistency_CONSISTENCY_STALE
	for _, piece := range b.pieces {
		if err := stream.Send(piece); err != nil {
			return err
		}
	}
	return b.err
}

func serveBackups(t *testing.T, b *backups) *weft.Client {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	weftv1.RegisterNodeServiceServer(server, b)
	go func() { _ = server.Serve(listener) }() // Stop waits for it
	t.Cleanup(server.Stop)
	client, err := weft.Connect(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestBackup(t *testing.T) {
	b := &backups{pieces: []*weftv1.BackupResponse{{Chunk: []byte("ab"), Size: 5}, {Chunk: []byte("cde")}}}
	client := serveBackups(t, b)
	var file bytes.Buffer
	var seen []int64
	if err := client.Backup(t.Context(), &file, func(written, size int64) { seen = append(seen, written, size) }, weft.Stale()); err != nil {
		t.Fatal(err)
	}
	if file.String() != "abcde" || len(seen) != 4 || seen[0] != 2 || seen[1] != 5 || seen[2] != 5 || seen[3] != 5 || !b.stale {
		t.Errorf("%q, progress %v, stale %v", file.String(), seen, b.stale)
	}

	b.pieces = b.pieces[:1]
	if err := client.Backup(t.Context(), &file, nil); err == nil || !strings.Contains(err.Error(), "2 of 5 bytes") {
		t.Errorf("an early end: %v", err)
	}
	b.err = status.Error(codes.Unavailable, "no leader")
	var failed *weft.Error
	if err := client.Backup(t.Context(), &file, nil); !errors.As(err, &failed) || failed.Code != codes.Unavailable {
		t.Errorf("an error in the middle: %v", err)
	}
	if err := client.Backup(t.Context(), fullWriter{}, nil); !errors.Is(err, errFull) {
		t.Errorf("a writer that fails: %v", err)
	}
}

var errFull = errors.New("full")

type fullWriter struct{}

func (fullWriter) Write([]byte) (int, error) { return 0, errFull }
