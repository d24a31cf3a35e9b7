package embedded

import (
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/weft-run/weft/services/keyvalue"
)

// TestRefusedFile: a file that can't be opened costs operations an error that names it, until it can.
func TestRefusedFile(t *testing.T) {
	path, b := filled(t)
	away := path + ".away"
	if err := errors.Join(os.Rename(path, away), os.Mkdir(path, 0o700)); err != nil { // root may open any file, but no directory
		t.Fatal(err)
	}
	s := Open(path, 1<<30)
	defer func() { _ = s.Close() }()
	pair := keyvalue.Pair{Key: "key-0500", Value: []byte("new")}
	_, read := s.Get(t.Context(), b, []string{pair.Key}, keyvalue.MaxValue)
	for _, err := range []error{read, s.Set(t.Context(), b, []keyvalue.Pair{pair})} {
		if _, ok := errors.AsType[*keyvalue.UnavailableError](err); !ok || !strings.Contains(err.Error(), path+" must be a file") {
			t.Error(err)
		}
	}
	if err := errors.Join(os.Remove(path), os.Rename(away, path)); err != nil {
		t.Fatal(err)
	}
	if err := s.Set(t.Context(), b, []keyvalue.Pair{pair}); err != nil {
		t.Error(err)
	}
	if entries, err := s.Get(t.Context(), b, []string{"key-0499", pair.Key}, keyvalue.MaxValue); err != nil || !entries[0].Exists() ||
		string(entries[1].Value) != "new" {
		t.Errorf("%v, %v", entries, err)
	}
}

// TestInUse expects a file to be opened once another process has closed it.
func TestInUse(t *testing.T) {
	path, b := filled(t)
	first, second := Open(path, 1<<30), Open(path, 1<<30)
	defer func() { _ = second.Close() }()
	if err := second.Drop(t.Context(), b.Function); err == nil || !strings.Contains(err.Error(), path+" is in use by another process") {
		t.Error(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := second.Drop(t.Context(), b.Function); err != nil {
		t.Error(err)
	}
}

// TestReplacedFile expects nothing to be written to what takes the place of a damaged file before the node is started again.
func TestReplacedFile(t *testing.T) {
	path, b := filled(t)
	if err := os.WriteFile(path, make([]byte, 4*pageSize), 0o600); err != nil {
		t.Fatal(err)
	}
	s := Open(path, 1<<30)
	defer func() { _ = s.Close() }()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := s.Drop(t.Context(), b.Function); err == nil || !strings.Contains(err.Error(), path+" can not be opened") {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("it is there again", err)
	}
}

// TestNoRoom makes a file where there is room for a part of it only, and then for all.
func TestNoRoom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pairs.db")
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var all syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &all); err != nil {
		t.Fatal(err)
	}
	room := func(limit syscall.Rlimit) {
		t.Helper()
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
	}
	room(syscall.Rlimit{Cur: pageSize, Max: all.Max})
	s := Open(path, 1<<30)
	defer func() { _ = s.Close() }()
	_, err := s.Functions(t.Context())
	room(all)
	if !errors.Is(err, syscall.EFBIG) || !strings.Contains(err.Error(), path+" can not be made") {
		t.Error(err)
	}
	if _, err := s.Functions(t.Context()); err != nil {
		t.Error(err)
	}
}
