package consensus

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
)

func testEntries() []*raft.Log {
	return []*raft.Log{
		{Index: 1, Term: 1, Type: raft.LogConfiguration, Data: []byte("a configuration of raft's own")},
		{Index: 2, Term: 1, Type: raft.LogNoop},
		{Index: 3, Term: 2, Type: raft.LogCommand, Data: bytes.Repeat([]byte("command "), 8)},
	}
}

func sameEntry(a, b *raft.Log) bool {
	return a.Index == b.Index && a.Term == b.Term && a.Type == b.Type && bytes.Equal(a.Data, b.Data) && len(a.Extensions) == len(b.Extensions)
}

func openedLog(t *testing.T, dir string) (logStore, error) {
	t.Helper()
	return openLog(dir, newRaftLogger(slog.New(slog.DiscardHandler), "raft"))
}

// TestFlippedLog flips each bit of what entries take up in the log, one at a time: no entry is ever read as another.
func TestFlippedLog(t *testing.T) {
	dir := t.TempDir()
	store, err := openedLog(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	want := testEntries()
	if err := store.StoreLogs(want); err != nil {
		t.Fatal(err)
	}
	if want[0].Extensions != nil {
		t.Error("raft's own entry was changed")
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	segments, err := filepath.Glob(filepath.Join(dir, "*.wal"))
	if err != nil || len(segments) != 1 {
		t.Fatalf("segments %v, %v", segments, err)
	}
	good, err := os.ReadFile(segments[0])
	if err != nil {
		t.Fatal(err)
	}
	end := len(bytes.TrimRight(good, "\x00"))
	if store, err = openedLog(t, dir); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	file, err := os.OpenFile(segments[0], os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	found := 0
	for bit := range 8 * end { // in the file under an open log, as a disk does it
		changed := []byte{good[bit/8] ^ 1<<(bit%8)}
		if _, err := file.WriteAt(changed, int64(bit/8)); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			var got raft.Log
			err := store.GetLog(w.Index, &got)
			switch {
			case err != nil:
				found++
			case !sameEntry(&got, w):
				t.Errorf("bit %d of byte %d: entry %d is read as %+v", bit%8, bit/8, w.Index, got)
			}
		}
		if _, err := file.WriteAt(good[bit/8:bit/8+1], int64(bit/8)); err != nil {
			t.Fatal(err)
		}
	}
	if found == 0 {
		t.Error("nothing was found")
	}
}

// TestStableValues: term and vote are read as they were written, or not at all; those of before there were checksums are
// read as well.
func TestStableValues(t *testing.T) {
	dir := t.TempDir()
	old, err := wal.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	key, vote := []byte("CurrentTerm"), []byte("LastVoteCand")
	if err := errors.Join(old.SetUint64(key, 7), old.Set(vote, []byte("0123456789abcdef0123")), old.StoreLogs(testEntries())); err != nil {
		t.Fatal(err)
	}
	c := checked{old}
	defer func() { _ = c.Close() }()
	expect := func(term uint64, candidate string) {
		t.Helper()
		if got, err := c.GetUint64(key); err != nil || got != term {
			t.Errorf("term %d, %v", got, err)
		}
		if got, err := c.Get(vote); err != nil || string(got) != candidate {
			t.Errorf("vote %q, %v", got, err)
		}
	}
	expect(7, "0123456789abcdef0123")
	for _, w := range testEntries() {
		var got raft.Log
		if err := c.GetLog(w.Index, &got); err != nil || !sameEntry(&got, w) {
			t.Errorf("an old entry: %+v, %v", got, err)
		}
	}
	if got, err := c.GetUint64([]byte("unset")); err != nil || got != 0 {
		t.Errorf("a number that is not there: %d, %v", got, err)
	}
	if err := errors.Join(c.SetUint64(key, 8), c.Set(vote, []byte("b"))); err != nil {
		t.Fatal(err)
	}
	expect(8, "b")
	for _, k := range [][]byte{key, vote} {
		stored, err := old.Get(k)
		if err != nil {
			t.Fatal(err)
		}
		stored = bytes.Clone(stored)
		stored[len(stored)-1] ^= 2
		if err := old.Set(k, stored); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := c.GetUint64(key); !errors.Is(err, ErrDamaged) {
		t.Errorf("a flipped term: %d, %v", got, err)
	}
	if got, err := c.Get(vote); !errors.Is(err, ErrDamaged) {
		t.Errorf("a flipped vote: %q, %v", got, err)
	}
}
