package embedded

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/weft-run/weft/services/keyvalue"
)

// killed is set in the process that is to be killed: it names the file.
const killed = "WEFT_TEST_KEYVALUE_KILLED"

func TestMain(m *testing.M) {
	if path := os.Getenv(killed); path != "" {
		if err := writeUntilKilled(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

var killedBucket = keyvalue.Bucket{Function: keyvalue.Function{Namespace: "test", Name: "killed", Created: 1}, Name: "default"}

// writers is how many goroutines write, each its own keys, all one number.
const writers = 4

// writeUntilKilled prints a line for each change that is acknowledged.
func writeUntilKilled(path string) error {
	s := Open(path, keyvalue.DefaultQuota)
	lines := make(chan string)
	failed := make(chan error)
	for w := range writers {
		go func() {
			for i := 0; ; i++ {
				key := fmt.Sprintf("%d-%d", w, i)
				if err := s.Set(context.Background(), killedBucket, []keyvalue.Pair{{Key: key, Value: []byte(key)}}); err != nil {
					failed <- err
					return
				}
				if _, err := s.Increment(context.Background(), killedBucket, "n", 1); err != nil {
					failed <- err
					return
				}
				lines <- key
			}
		}()
	}
	for {
		select {
		case line := <-lines:
			fmt.Println(line)
		case err := <-failed:
			return err
		}
	}
}

// TestKilled kills a process while it writes (SIGKILL): what it said is stored is there, and counted.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pairs.db")
	for round := range 3 {
		command := exec.Command(os.Args[0], "-test.run=^$")
		command.Env = append(os.Environ(), killed+"="+path)
		command.Stderr = os.Stderr
		output, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		acknowledged := map[string]bool{}
		lines := bufio.NewScanner(output)
		for lines.Scan() {
			acknowledged[lines.Text()] = true
			if len(acknowledged) == 50*(round+1) {
				_ = command.Process.Kill()
			}
		}
		_ = command.Wait()
		if len(acknowledged) < 50*(round+1) {
			t.Fatalf("it wrote %d keys only", len(acknowledged))
		}
		check(t, path, acknowledged)
	}
}

func check(t *testing.T, path string, acknowledged map[string]bool) {
	t.Helper()
	s := Open(path, keyvalue.DefaultQuota)
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	for key := range acknowledged {
		found, err := s.Get(t.Context(), killedBucket, []string{key}, keyvalue.MaxValue)
		if err != nil || string(found[0].Value) != key {
			t.Errorf("%s was acknowledged, and is %q, %v", key, found[0].Value, err)
		}
	}
	n, err := s.Increment(t.Context(), killedBucket, "n", 0)
	if err != nil || n < int64(len(acknowledged)) {
		t.Errorf("%d increments were acknowledged, and %d are counted, %v", len(acknowledged), n, err)
	}
	var cost int64
	page, err := s.List(t.Context(), killedBucket, "", 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range page.Keys {
		found, err := s.Get(t.Context(), killedBucket, []string{key}, keyvalue.MaxValue)
		if err != nil {
			t.Fatal(err)
		}
		cost += keyvalue.Cost(killedBucket, key, len(found[0].Value))
	}
	if used, err := s.Usage(t.Context(), killedBucket.Function); err != nil || used != cost {
		t.Errorf("%d bytes are counted, and the pairs cost %d, %v", used, cost, err)
	}
}
