package consensus

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// crashDir names the data directory to the process that is going to be killed.
const crashDir = "WEFT_TEST_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := applyUntilKilled(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// applyUntilKilled applies commands from some goroutines and prints "REQUEST-ID INDEX" for each that is acknowledged.
func applyUntilKilled(dir string) error {
	n, err := Open(Config{Dir: dir, snapshotEvery: 40, snapshotCheck: 5 * time.Millisecond, retry: 5 * time.Millisecond, journal: 4 << 10})
	if err != nil {
		return err
	}
	var out sync.Mutex
	failed := make(chan error)
	for w := range 4 {
		go func() {
			for i := 0; ; i++ {
				id := fmt.Sprint(os.Getpid(), "-", w, "-", i)
				result, err := n.Apply(context.Background(), deploy(id, fmt.Sprint("f", w)))
				for errors.Is(err, ErrStorage) || errors.Is(err, ErrOutcomeUnknown) { // the disk of the test may stall
					result, err = n.Apply(context.Background(), deploy(id, fmt.Sprint("f", w)))
				}
				if err != nil || result.GetRefusal() != nil {
					failed <- fmt.Errorf("apply: %v, %w", result, err)
					return
				}
				out.Lock()
				fmt.Println(id, result.GetIndex())
				out.Unlock()
			}
		}()
	}
	return <-failed
}

// TestKilled kills a process again and again in the middle of its writes. What it acknowledged is in the local copy at
// once, before any leader, and in the log.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	acknowledged := map[string]uint64{}
	for round := range 6 {
		last := killAfter(t, dir, 30+60*round, acknowledged)
		n := open(t, Config{Dir: dir})
		if got := n.Catalog().View().Index(); got < last {
			t.Fatalf("round %d: the catalog starts at %d; %d was acknowledged", round, got, last)
		}
		if err := n.Linearize(t.Context()); err != nil {
			t.Fatal(err)
		}
		for id, index := range acknowledged {
			if result, err := n.Apply(t.Context(), deploy(id, "never")); err != nil || result.GetIndex() != index {
				t.Fatalf("round %d: %s was acknowledged at %d, now: %v, %v", round, id, index, result, err)
			}
		}
		revisions := 0
		for f := range n.Catalog().View().All() {
			revisions += len(f.GetRevisions())
		}
		if status := n.Status(); status.Fork != nil || status.Fault != nil || revisions < len(acknowledged) {
			t.Fatalf("round %d: %d revisions for %d acknowledged, status %+v", round, revisions, len(acknowledged), status)
		}
		shut(t, n)
	}
}

// killAfter runs a process until it has acknowledged so many commands, kills it, and returns the highest index.
func killAfter(t *testing.T, dir string, commands int, acknowledged map[string]uint64) (last uint64) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashDir+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Wait() }()
	timeout := time.AfterFunc(time.Minute, func() { _ = child.Process.Kill() })
	defer timeout.Stop()
	lines, seen := bufio.NewScanner(out), 0
	for lines.Scan() { // what was written before the kill is read after it, too
		id, text, ok := strings.Cut(lines.Text(), " ")
		index, err := strconv.ParseUint(text, 10, 64)
		if !ok || err != nil {
			continue // a line that the kill cut off
		}
		acknowledged[id] = index
		last = max(last, index)
		if seen++; seen == commands {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if seen < commands {
		t.Fatalf("the process ended after %d of %d commands", seen, commands)
	}
	return last
}
