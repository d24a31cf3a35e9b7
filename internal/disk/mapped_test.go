package disk

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestMapped reads a mapped file beyond its end, as bbolt does one that was cut off.
func TestMapped(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "mapped"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := f.Truncate(1 << 16); err != nil {
		t.Fatal(err)
	}
	data, err := syscall.Mmap(int(f.Fd()), 0, 1<<16, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Munmap(data) }()
	if err := f.Truncate(0); err != nil {
		t.Fatal(err)
	}
	var read byte
	if err := Mapped(func() error { read = data[1<<15]; return nil }); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("%v, %d", err, read)
	}
	if err := Mapped(func() error { panic("a page is not what it says") }); err == nil || !strings.Contains(err.Error(), "a page is not") {
		t.Error(err)
	}
	want := errors.New("no more")
	if err := Mapped(func() error { return want }); !errors.Is(err, want) {
		t.Error(err)
	}
}
