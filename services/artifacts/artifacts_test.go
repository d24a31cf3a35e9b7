package artifacts

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"time"
)

const plenty = 1 << 30

func open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "artifacts"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t *testing.T, s *Store, data []byte) Digest {
	t.Helper()
	d, size, err := s.Put(t.Context(), bytes.NewReader(data), plenty)
	if err != nil || size != int64(len(data)) || d != sha256.Sum256(data) {
		t.Fatalf("put: %x, %d bytes, %v", d, size, err)
	}
	return d
}

func random(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(b)
	return b
}

// files returns the paths of all files in the store.
func files(t *testing.T, s *Store) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(s.dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestPutAndPath(t *testing.T) {
	for _, size := range []int{0, 1, 256 << 10, 3<<20 + 7} {
		s := open(t)
		data := random(size)
		d := put(t, s, data)
		path, err := s.Path(d)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%d bytes: the file differs: %v", size, err)
		}
		if again := put(t, s, data); again != d || len(files(t, s)) != 1 {
			t.Fatalf("%d bytes: put twice: %v", size, files(t, s))
		}
		reopened, err := Open(s.dir)
		if err != nil {
			t.Fatal(err)
		}
		if path, err = reopened.Path(d); err != nil || path != s.path(d) {
			t.Fatalf("%d bytes: after opening again: %q, %v", size, path, err)
		}
	}
}

func TestPermissions(t *testing.T) {
	s := open(t)
	put(t, s, []byte("private"))
	err := filepath.WalkDir(s.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPutRefusals(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	broken := errors.New("client went away")
	for name, tt := range map[string]struct {
		ctx   func() context.Context
		r     io.Reader
		limit int64
		want  error
	}{
		"too large":        {t.Context, bytes.NewReader(make([]byte, 11)), 10, ErrTooLarge},
		"far too large":    {t.Context, bytes.NewReader(make([]byte, 1<<20)), 10, ErrTooLarge},
		"client went away": {t.Context, io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)), plenty, broken},
		"canceled":         {func() context.Context { return canceled }, strings.NewReader("x"), plenty, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			if _, _, err := s.Put(tt.ctx(), tt.r, tt.limit); !errors.Is(err, tt.want) || errors.Is(err, ErrStorage) {
				t.Fatalf("put: %v", err)
			}
			if left := files(t, s); len(left) != 0 {
				t.Fatalf("left behind: %v", left)
			}
		})
	}
	s := open(t)
	if _, _, err := s.Put(t.Context(), bytes.NewReader(make([]byte, 10)), 10); err != nil {
		t.Fatalf("exactly the limit: %v", err)
	}
}

// full is a file on a disk that fills up after some bytes, or at the sync.
type full struct {
	file
	left int
	sync bool
}

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, syscall.ENOSPC
	}
	return f.file.Write(p)
}

func (f *full) Sync() error {
	if f.sync {
		return syscall.ENOSPC
	}
	return f.file.Sync()
}

func TestDiskFull(t *testing.T) {
	for name, disk := range map[string]full{"writing": {left: 100 << 10}, "syncing": {left: plenty, sync: true}} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			s.open = func(path string) (file, error) {
				f, err := openAppend(path)
				disk.file = f
				return &disk, err
			}
			_, _, err := s.Put(t.Context(), bytes.NewReader(random(1<<20)), plenty)
			if !errors.Is(err, ErrStorage) || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "no space left") {
				t.Fatalf("put: %v", err)
			}
			if left := files(t, s); len(left) != 0 {
				t.Fatalf("left behind: %v", left)
			}
			s.open = openAppend
			put(t, s, random(1<<20))
		})
	}
	s := open(t)
	s.open = func(string) (file, error) { return nil, syscall.ENOSPC }
	if _, _, err := s.Put(t.Context(), strings.NewReader("x"), plenty); !errors.Is(err, ErrStorage) {
		t.Fatalf("no temporary file: %v", err)
	}
}

func TestNotFound(t *testing.T) {
	if _, err := open(t).Path(Digest{1}); !errors.Is(err, ErrNotFound) {
		t.Fatalf("path: %v", err)
	}
}

func TestCorruptIsSetAside(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"flipped":    func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"cut off":    func(b []byte) []byte { return b[:len(b)-1] },
		"empty":      func([]byte) []byte { return nil },
		"lengthened": func(b []byte) []byte { return append(b, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			data := random(1 << 20)
			d := put(t, s, data)
			if err := os.WriteFile(s.path(d), damage(bytes.Clone(data)), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Path(d); !errors.Is(err, ErrCorrupt) {
				t.Fatalf("path: %v", err)
			}
			if _, err := s.Path(d); !errors.Is(err, ErrNotFound) {
				t.Fatalf("path again: %v", err)
			}
			if left := files(t, s); len(left) != 1 || !strings.Contains(left[0], corruptDir) {
				t.Fatalf("files: %v", left)
			}
			put(t, s, data)
			if _, err := s.Path(d); err != nil {
				t.Fatalf("after putting it again: %v", err)
			}
			if err := s.Sweep(Policy{Wanted: func(got Digest) bool { return got == d }}); err != nil || len(files(t, s)) != 1 {
				t.Fatalf("sweep: %v, files %v", err, files(t, s))
			}
		})
	}
}

func TestPutHealsACorruptFile(t *testing.T) {
	s := open(t)
	data := random(1000)
	d := put(t, s, data)
	if err := os.WriteFile(s.path(d), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	put(t, s, data)
	if _, err := s.Path(d); err != nil {
		t.Fatal(err)
	}
}

func TestInterruptedPutIsSwept(t *testing.T) {
	s := open(t)
	for _, name := range []string{"put-1", "put-2"} {
		if err := os.WriteFile(filepath.Join(s.dir, tmpDir, name), random(100), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := put(t, s, []byte("kept"))
	s, err := Open(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	if left := files(t, s); len(left) != 1 || left[0] != s.path(d) {
		t.Fatalf("files: %v", left)
	}
}

func TestSweep(t *testing.T) {
	s := open(t)
	kept, gone := put(t, s, []byte("kept")), put(t, s, []byte("gone"))
	s.Release(gone, true)
	if _, err := s.Path(gone); err != nil {
		t.Fatal(err)
	}
	stranger := filepath.Join(filepath.Dir(s.path(kept)), "README")
	if err := os.WriteFile(stranger, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Sweep(Policy{Wanted: func(d Digest) bool { return d == kept }, Grace: time.Hour}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Path(kept); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Path(gone); !errors.Is(err, ErrNotFound) {
		t.Fatalf("path: %v", err)
	}
	if _, err := os.Stat(stranger); err != nil {
		t.Fatal("Sweep removed a file that is no artifact")
	}
}

func TestConcurrentUse(t *testing.T) {
	s := open(t)
	data := random(300 << 10)
	d := put(t, s, data)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for range 10 {
				if i%2 == 0 {
					if _, _, err := s.Put(t.Context(), bytes.NewReader(data), plenty); err != nil {
						t.Errorf("put: %v", err)
					}
				} else if _, err := s.Path(d); err != nil {
					t.Errorf("path: %v", err)
				}
			}
		})
	}
	wait.Wait()
}
