//go:build weft_faults

package disk

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// set makes a fault, and returns what ends it.
func set(t *testing.T, fault string) (end func()) {
	t.Helper()
	path := filepath.Join(os.Getenv(Variable), fault)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}

func open(t *testing.T) *File {
	t.Helper()
	f, err := OpenFile(filepath.Join(t.TempDir(), "file"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestFull(t *testing.T) {
	t.Setenv(Variable, t.TempDir())
	f := open(t)
	end := set(t, "full")
	if _, err := f.Write([]byte("a")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("write: %v", err)
	}
	if _, err := CreateTemp(t.TempDir(), "x"); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("create: %v", err)
	}
	end()
	if _, err := f.Write([]byte("a")); err != nil {
		t.Error(err)
	}
}

func TestStall(t *testing.T) {
	t.Setenv(Variable, t.TempDir())
	f := open(t)
	end := set(t, "stall")
	synced := make(chan error, 1)
	go func() { synced <- f.Sync() }()
	select {
	case err := <-synced:
		t.Fatalf("synced on a disk that is stalled: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	end()
	if err := <-synced; err != nil {
		t.Error(err)
	}
}

func TestLossy(t *testing.T) {
	lossy = true
	t.Cleanup(func() { lossy = false })
	f := open(t)
	for _, text := range []string{"one", "two"} {
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.WriteAt([]byte("T"), 3); err != nil {
		t.Fatal(err)
	}
	seen := make([]byte, 6)
	if _, err := f.ReadAt(seen, 0); err != nil || string(seen) != "oneTwo" {
		t.Errorf("read %q, %v", seen, err)
	}
	if b, err := os.ReadFile(f.Name()); err != nil || len(b) != 0 {
		t.Errorf("in the file before the sync: %q, %v", b, err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(f.Name()); err != nil || string(b) != "oneTwo" {
		t.Errorf("in the file after the sync: %q, %v", b, err)
	}
}
