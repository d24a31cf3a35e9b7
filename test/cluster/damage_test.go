package cluster

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/test/wat"
)

// shown is what a node shows of calc: its revisions with their environment; nothing if there is no calc.
func (n *Node) shown(t *testing.T, consistency weftv1.Consistency) (string, error) {
	t.Helper()
	functions, err := n.Functions()
	check(t, err)
	r, err := functions.Get(t.Context(), &weftv1.GetRequest{Name: "calc", Consistency: consistency})
	if status.Code(err) == codes.NotFound {
		return "", nil
	}
	var text strings.Builder
	for _, revision := range r.GetFunction().GetRevisions() {
		fmt.Fprintln(&text, revision.GetNumber(), revision.GetEnvironment())
	}
	return text.String(), err
}

// TestDamagedFiles: a node whose files have changed refuses them, saying so, or mends them. It never shows anything that
// was not, and what it can't be sure of it does not call linearizable.
func TestDamagedFiles(t *testing.T) {
	for _, kind := range []Kind{Log, Snapshot, Copy, Journal, Artifact} {
		for name, change := range map[string]func(string) error{"flipped": Flip, "cut off": CutOff} {
			t.Run(fmt.Sprintf("%s %s", kind, name), func(t *testing.T) { testDamaged(t, kind, change) })
		}
	}
}

func testDamaged(t *testing.T, kind Kind, change func(string) error) {
	t.Helper()
	c := New(t)
	n := c.Found(Spec{Name: "alone", Env: []string{"WEFT_TEST_SNAPSHOTS=4"}})
	c.Leader()
	n.Must("deploy", wat.Guest{}.File(t), "--name", "calc")
	var states []string // that calc was in
	for i := range 12 {
		n.Must("update", "calc", "--env", fmt.Sprintf("A=%d", i), "--wait", "0s")
		text, err := n.shown(t, weftv1.Consistency_CONSISTENCY_STALE)
		check(t, err)
		states = append(states, text)
	}
	var files []string
	c.Eventually("files", func() (err error) {
		if files, err = n.Files(kind); err == nil && len(files) == 0 {
			err = fmt.Errorf("no %s", kind)
		}
		return err
	})
	n.Kill()
	files, err := n.Files(kind)
	check(t, err)
	for _, path := range files {
		check(t, change(path))
	}

	if err := n.TryRestart(); err != nil {
		if errors.Is(err, ErrNotReady) || !says(n.Log(), "damaged", "checksum", "corrupt") {
			t.Errorf("it refuses without a word: %v\n%s", err, tail(n.Log(), 5))
		}
		return
	}
	got, err := n.shown(t, weftv1.Consistency_CONSISTENCY_STALE)
	check(t, err)
	if !says(strings.Join(states, "|"), got) {
		t.Errorf("it shows what never was:\n%s", got)
	}
	last := states[len(states)-1]
	if got, err := n.shown(t, weftv1.Consistency_CONSISTENCY_LINEARIZABLE); err == nil && got != last {
		t.Errorf("it says that this is all:\n%s", got)
	} else if err != nil {
		s, statusErr := n.Status(t.Context())
		if statusErr != nil || s.GetFault() == "" {
			t.Errorf("no fault, but %v (%v)", err, statusErr)
		}
		return
	}
	if r := n.Weft("call", "Calc/Add", `{"a":1,"b":2}`); r.Code == 0 && !strings.Contains(r.Out, `"value": 3`) || r.Code != 0 && kind != Artifact {
		t.Errorf("a call: %s%s", r.Out, r.Err)
	}
}

// says tells whether a text has one of the words.
func says(text string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}
