package consensus

import (
	"errors"
	"log/slog"
	"os"
	"testing"

	"github.com/hashicorp/raft"
)

// TestFlippedSnapshotMeta flips each bit of what raft knows of a snapshot: none of it is believed.
func TestFlippedSnapshotMeta(t *testing.T) {
	store, err := openSealedSnapshots(t.TempDir(), newRaftLogger(slog.New(slog.DiscardHandler), "raft"))
	if err != nil {
		t.Fatal(err)
	}
	_, transport := raft.NewInmemTransport("")
	configuration := raft.Configuration{Servers: []raft.Server{{ID: "0123456789", Address: "0123456789"}}}
	sink, err := store.Create(1, 5, 2, configuration, 1, transport)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sink.Write([]byte("state")); err != nil {
		t.Fatal(err)
	}
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
	open := func() error {
		_, r, err := store.Open(sink.ID())
		if err == nil {
			err = r.Close()
		}
		return err
	}
	if err := open(); err != nil {
		t.Fatal(err)
	}
	sealed := store.(sealedSnapshots)
	path := sealed.metaPath(sink.ID())
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range 8 * len(good) {
		bad := append([]byte(nil), good...)
		bad[bit/8] ^= 1 << (bit % 8)
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := open(); !errors.Is(err, ErrDamaged) {
			t.Fatalf("bit %d: %v", bit, err)
		}
	}
	// A snapshot from before there were checksums.
	if err := errors.Join(os.WriteFile(path, good, 0o600), os.Remove(sealed.sumPath(sink.ID()))); err != nil {
		t.Fatal(err)
	}
	if err := open(); err != nil {
		t.Error(err)
	}
}
