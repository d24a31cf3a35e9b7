package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/gofrs/flock"

	"github.com/weft-run/weft/test/components"
)

// Binary is a build of weft.
type Binary string

const (
	// Faulty has a disk that fails on demand, a clock that can be set and rules that can be broken.
	Faulty Binary = "weft_faults"
	// Next is Faulty with a format level more than this version knows: what comes after it.
	Next Binary = "weft_faults,weft_next"
)

// builds are the binaries that this process has built, by build tags.
var builds sync.Map // Binary → func() (string, error)

// path builds the binary, unless it is built already, and returns where it is.
func (b Binary) path(tb testing.TB) string {
	tb.Helper()
	once, _ := builds.LoadOrStore(b, sync.OnceValues(b.build))
	path, err := once.(func() (string, error))()
	if err != nil {
		tb.Fatalf("cluster: build weft: %v", err)
	}
	return path
}

// build has the go command bring the binary up to date. Several test processes may do so at once.
func (b Binary) build() (string, error) {
	root, err := components.Root()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, "build", "cluster")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	lock := flock.New(filepath.Join(dir, "lock"))
	if err := lock.Lock(); err != nil {
		return "", err
	}
	defer func() { _ = lock.Unlock() }()
	path := filepath.Join(dir, map[Binary]string{Faulty: "weft-faulty", Next: "weft-next"}[b])
	command := exec.Command("go", "build", "-tags", string(b), "-o", path, "./cmd/weft")
	command.Dir = root
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, output)
	}
	return path, nil
}
