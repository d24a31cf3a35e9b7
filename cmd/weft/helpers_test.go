package main

import (
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// interrupted is a component whose sender goes away after its first bytes.
type interrupted struct {
	head   []byte
	sent   int
	cancel func()
}

func (r *interrupted) Read(p []byte) (int, error) {
	if r.sent > 2<<20 {
		r.cancel()
	}
	n := len(p)
	if r.sent < len(r.head) {
		n = copy(p, r.head[r.sent:])
	} else {
		clear(p)
	}
	r.sent += n
	return n, nil
}

func deploySpec(name string) *weftv1.DeploySpec { return &weftv1.DeploySpec{Name: name} }

// artifactFiles are the files that the artifact store of a node holds.
func artifactFiles(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, "artifacts"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// waitUntil polls for something that happens in the background.
func waitUntil(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}
