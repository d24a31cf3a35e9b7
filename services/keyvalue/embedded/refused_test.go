package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"

	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/weft-run/weft/internal/disk"
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

// TestInUseByMany expects all that wait while another process has the file to be told so, and not one each second.
func TestInUseByMany(t *testing.T) {
	path, b := filled(t)
	synctest.Test(t, func(t *testing.T) {
		first, second := Open(path, 1<<30), Open(path, 1<<30)
		ctx, cancel := context.WithTimeout(t.Context(), keyvalue.OperationTime)
		defer cancel()
		var waiting sync.WaitGroup
		for range 20 {
			waiting.Go(func() {
				if err := second.Drop(ctx, b.Function); err == nil || !strings.Contains(err.Error(), path+" is in use by another process") {
					t.Error(err)
				}
			})
		}
		waiting.Wait()
		if err := errors.Join(first.Close(), second.Close()); err != nil {
			t.Error(err)
		}
	})
}

// TestReplacedFile expects nothing to be written to what takes the place of a damaged file before the node is started again.
func TestReplacedFile(t *testing.T) {
	for _, pages := range []int{1, 4} { // fewer than any file has, and as many as a new one
		path, b := filled(t)
		if err := os.WriteFile(path, make([]byte, pages*pageSize), 0o600); err != nil {
			t.Fatal(err)
		}
		s := Open(path, 1<<30)
		t.Cleanup(func() { _ = s.Close() })
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
}

// TestLink expects the data behind a link to be there again when what the link leads to is: the link stays.
func TestLink(t *testing.T) {
	target, b := filled(t)
	path, away := filepath.Join(t.TempDir(), "pairs.db"), filepath.Dir(target)+".away"
	if err := errors.Join(os.Symlink(target, path), os.Rename(filepath.Dir(target), away)); err != nil {
		t.Fatal(err)
	}
	s := Open(path, 1<<30)
	defer func() { _ = s.Close() }()
	get := func() ([]keyvalue.Entry, error) {
		return s.Get(t.Context(), b, []string{"key-0500"}, keyvalue.MaxValue)
	}
	if _, err := get(); err == nil || !strings.Contains(err.Error(), path+" must be a file") {
		t.Error(err)
	}
	if err := os.Rename(away, filepath.Dir(target)); err != nil {
		t.Fatal(err)
	}
	if entries, err := get(); err != nil || !entries[0].Exists() {
		t.Errorf("%v, %v", entries, err)
	}
}

// TestLinkToNewFile expects a file to be made where a link leads.
func TestLinkToNewFile(t *testing.T) {
	target, path := filepath.Join(t.TempDir(), "elsewhere.db"), filepath.Join(t.TempDir(), "pairs.db")
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
	s := Open(path, 1<<30)
	defer func() { _ = s.Close() }()
	if _, err := s.Functions(t.Context()); err != nil {
		t.Error(err)
	}
	if made, err := os.Lstat(target); err != nil || !made.Mode().IsRegular() {
		t.Error(made, err)
	}
}

// TestSystem tells what the system refuses, which may pass, from what is wrong with a file.
func TestSystem(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{&fs.PathError{Op: "open", Path: "pairs.db", Err: syscall.EACCES}, true},
		{syscall.ENOLCK, true},
		{syscall.EIO, true},
		{fmt.Errorf("unmap error: %w", syscall.ENOMEM), true},
		{bbolterrors.ErrInvalid, false},
		{bbolterrors.ErrChecksum, false},
		{bbolterrors.ErrVersionMismatch, false},
		{errors.New("file size too small 4096"), false},
		{disk.Mapped(func() error { panic(syscall.EIO) }), false},
	} {
		if got := system(c.err); got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}

// crowded is set in the process whose files have room for one page.
const crowded = "WEFT_TEST_KEYVALUE_CROWDED"

// TestNoRoom makes a file where there is room for a part of it only, and then for all. It does so in a process of its own, as go test
// has this one write to a file, too.
func TestNoRoom(t *testing.T) {
	if os.Getenv(crowded) == "" {
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNoRoom$", "-test.v")
		command.Env = append(os.Environ(), crowded+"=1")
		if output, err := command.CombinedOutput(); err != nil || !strings.Contains(string(output), "--- PASS: TestNoRoom") {
			t.Errorf("%v\n%s", err, output)
		}
		return
	}
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
