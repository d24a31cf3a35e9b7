//go:build weft_faults

package disk

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Variable names the directory of the files that say what is wrong with the disk.
const Variable = "WEFT_TEST_FAULTS"

var lossy = active("lossy")

func active(fault string) bool {
	dir := os.Getenv(Variable)
	if dir == "" {
		return false
	}
	_, err := os.Lstat(filepath.Join(dir, fault))
	return err == nil
}

// Wait waits while the disk is stalled.
func Wait() {
	for active("stall") {
		time.Sleep(2 * time.Millisecond)
	}
}

// Write is what to do before a write to a file: it waits while the disk is stalled and fails if it is full.
func Write(name string) error {
	Wait()
	if active("full") {
		return &os.PathError{Op: "write", Path: name, Err: syscall.ENOSPC}
	}
	return nil
}

// File is a file that is written. Its methods are those of os.File.
type File struct {
	file *os.File

	mu      sync.Mutex
	pending []patch // guarded by mu; what was written since the last sync, on a lossy disk
	offset  int64   // guarded by mu; of the next Write, on a lossy disk
}

type patch struct {
	at   int64
	data []byte
}

// OpenFile is os.OpenFile.
func OpenFile(name string, flag int, perm os.FileMode) (*File, error) {
	if flag&os.O_CREATE != 0 {
		if err := Write(name); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &File{file: f}, nil
}

// CreateTemp is os.CreateTemp.
func CreateTemp(dir, pattern string) (*File, error) {
	if err := Write(filepath.Join(dir, pattern)); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(dir, pattern)
	if err != nil {
		return nil, err
	}
	return &File{file: f}, nil
}

// Rename is os.Rename.
func Rename(from, to string) error {
	Wait()
	return os.Rename(from, to)
}

// SyncDir syncs a directory.
func SyncDir(dir string) error {
	Wait()
	return syncDir(dir)
}

// Name is os.File's.
func (f *File) Name() string { return f.file.Name() }

// Write is os.File's.
func (f *File) Write(p []byte) (int, error) {
	if err := Write(f.Name()); err != nil {
		return 0, err
	}
	if !lossy {
		return f.file.Write(p)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.keep(p, f.offset)
	f.offset += int64(len(p))
	return len(p), nil
}

// WriteString is os.File's.
func (f *File) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

// WriteAt is os.File's.
func (f *File) WriteAt(p []byte, at int64) (int, error) {
	if err := Write(f.Name()); err != nil {
		return 0, err
	}
	if !lossy {
		return f.file.WriteAt(p, at)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.keep(p, at)
	return len(p), nil
}

func (f *File) keep(p []byte, at int64) {
	f.pending = append(f.pending, patch{at: at, data: append([]byte(nil), p...)})
}

// ReadAt is os.File's. It sees what is not synced yet, as a reader of a page cache does.
func (f *File) ReadAt(p []byte, at int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.file.ReadAt(p, at)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, err
	}
	for _, w := range f.pending {
		if end := min(w.at+int64(len(w.data)), at+int64(len(p))); w.at < at+int64(len(p)) && end > at {
			begin := max(w.at, at)
			copy(p[begin-at:end-at], w.data[begin-w.at:])
			n = max(n, int(end-at))
		}
	}
	if n == len(p) {
		err = nil
	}
	return n, err
}

// Seek is os.File's.
func (f *File) Seek(offset int64, whence int) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.flush(); err != nil {
		return 0, err
	}
	at, err := f.file.Seek(offset, whence)
	f.offset = at
	return at, err
}

// Truncate is os.File's.
func (f *File) Truncate(size int64) error {
	if err := Write(f.Name()); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return errors.Join(f.flush(), f.file.Truncate(size))
}

// Sync is os.File's.
func (f *File) Sync() error {
	Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	return errors.Join(f.flush(), f.file.Sync())
}

// Close is os.File's. What is not synced is written, since nobody kills the process through a file that is closed.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return errors.Join(f.flush(), f.file.Close())
}

// flush writes what is pending. The caller holds mu.
func (f *File) flush() error {
	for len(f.pending) > 0 {
		w := f.pending[0]
		if _, err := f.file.WriteAt(w.data, w.at); err != nil {
			return err
		}
		f.pending = f.pending[1:]
	}
	f.pending = nil
	return nil
}
