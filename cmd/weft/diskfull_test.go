package main

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/weft-run/weft/test/wat"
)

// TestFullDisk needs the right to mount a file system.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256m"); err != nil {
		t.Skipf("a small file system can't be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	s := startServerIn(t, filepath.Join(dir, "data"))
	s.weft("deploy", wat.Guest{}.File(t), "--name", "calc").ok()
	before := len(artifactFiles(t, s.dir))

	filler := filepath.Join(dir, "filler")
	fill(t, filler)
	big := wat.Guest{}.Bytes(t)
	big = append(big, bytes.Repeat([]byte("\x00\x03\x01mx"), 1<<20)...) // custom sections, 5 MiB
	file := write(t, "big.wasm", big)
	s.weft("deploy", file, "--name", "big").exits(exitFailure).complains("RESOURCE_EXHAUSTED (DISK_FULL)", "no space left")
	s.weft("call", "Calc/Add", `{"a":1,"b":2}`).ok().prints(`"value": 3`)
	s.weft("describe", "big").exits(exitFailure).complains("NOT_FOUND")
	if n := len(artifactFiles(t, s.dir)); n != before {
		t.Errorf("%d artifacts, %d before", n, before)
	}

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "deploys work again", func() bool { return s.weft("deploy", file, "--name", "big").code == exitOK })
	s.weft("call", "Calc/Add", `{"a":1,"b":2}`, "--function", "big").ok().prints(`"value": 3`)
}

// fill writes a file until its disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 1<<20)
	for len(block) > 0 {
		if _, err := f.Write(block); err != nil {
			block = block[:len(block)/2] // what is left is less than this
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
