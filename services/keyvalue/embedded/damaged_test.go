package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weft-run/weft/services/keyvalue"
)

const pageSize = 4096

// filled makes a file with pairs on several levels of pages.
func filled(t *testing.T) (path string, b keyvalue.Bucket) {
	t.Helper()
	path, b = filepath.Join(t.TempDir(), "pairs.db"), keyvalue.Bucket{Function: keyvalue.Function{Namespace: "default", Name: "f"}, Name: "b"}
	s := Open(path, 1<<30)
	pairs := make([]keyvalue.Pair, 1000)
	for i := range pairs {
		pairs[i] = keyvalue.Pair{Key: fmt.Sprintf("key-%04d", i), Value: make([]byte, 100)}
	}
	if err := errors.Join(s.Set(t.Context(), b, pairs), s.Close()); err != nil {
		t.Fatal(err)
	}
	return path, b
}

// TestDamagedFile: pages that are not what they should be, and ones that are missing, cost the operations that need them an error, but not the
// process its life, nor other operations theirs.
func TestDamagedFile(t *testing.T) {
	whole, b := filled(t)
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	try := func(name string, data []byte) {
		path := filepath.Join(t.TempDir(), "pairs.db")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s := Open(path, 1<<30)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		for operation, run := range map[string]func() error{
			"get":       func() error { _, err := s.Get(ctx, b, []string{"key-0500"}, keyvalue.MaxValue); return err },
			"list":      func() error { _, err := s.List(ctx, b, "", 1000); return err },
			"usage":     func() error { _, err := s.Usage(ctx, b.Function); return err },
			"functions": func() error { _, err := s.Functions(ctx); return err },
			"set":       func() error { return s.Set(ctx, b, []keyvalue.Pair{{Key: "key-0500", Value: []byte("x")}}) },
			"drop":      func() error { return s.Drop(ctx, b.Function) },
		} {
			err := run()
			if err == nil {
				continue
			}
			if failed++; ctx.Err() != nil || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: %s: %v", name, operation, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: close: %v", name, err)
		}
	}
	for page := range len(data) / pageSize {
		damaged := append([]byte(nil), data...)
		for i := range damaged[page*pageSize : (page+1)*pageSize] {
			damaged[page*pageSize+i] ^= 0x55
		}
		try(fmt.Sprintf("page %d", page), damaged)
		if page >= 2 {
			try(fmt.Sprintf("cut off at page %d", page), data[:page*pageSize])
		}
	}
	if failed == 0 {
		t.Error("nothing that was damaged is read")
	}
}
