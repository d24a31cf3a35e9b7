package consensus

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func at(node string, incarnation uint64, port int) Address {
	return Address{Node: node, Incarnation: incarnation, Cluster: fmt.Sprint("10.0.0.1:", port), GRPC: fmt.Sprint("10.0.0.1:", port+1)}
}

// reopen opens a book in a directory as the node "self".
func reopen(t *testing.T, dir string, port int, removed ...string) *book {
	t.Helper()
	isRemoved := func(node string) bool { return slices.Contains(removed, node) }
	b := openBook(bookPath(dir), at("self", 0, port), isRemoved, testLog(t))
	t.Cleanup(func() {
		select {
		case <-b.done:
		default:
			_ = b.close()
		}
	})
	return b
}

func TestBook(t *testing.T) {
	dir := t.TempDir()
	b := reopen(t, dir, 1, "gone")
	changed := b.news()
	b.learn([]Address{at("b", 3, 10), at("a", 1, 20), at("gone", 9, 30), at("b", 2, 40)})
	select {
	case <-changed:
	default:
		t.Error("news without a word")
	}
	want := []Address{at("a", 1, 20), at("b", 3, 10), at("self", 1, 1)}
	if got := b.all(); !reflect.DeepEqual(got, want) {
		t.Errorf("the book has %v, want %v", got, want)
	}
	changed = b.news()
	b.learn([]Address{at("b", 3, 11), at("b", 1, 12), at("self", 0, 99)}) // all old
	select {
	case <-changed:
		t.Error("no news, and a word")
	default:
	}
	if err := b.close(); err != nil {
		t.Fatal(err)
	}

	// It comes back from disk, and the own incarnation grows.
	b = reopen(t, dir, 2, "a")
	want = []Address{at("a", 1, 20), at("b", 3, 10), at("self", 2, 2)}
	if got := b.all(); !reflect.DeepEqual(got, want) {
		t.Errorf("after a restart the book has %v, want %v", got, want)
	}
	b.expel()
	if _, ok := b.address("a"); ok {
		t.Error("the book keeps a removed node")
	}
	if got, ok := b.address("self"); !ok || got != at("self", 2, 2) {
		t.Errorf("self is at %v", got)
	}
	b.move("10.0.0.9:9")
	if got, _ := b.address("self"); got.Incarnation != 3 || got.GRPC != "10.0.0.9:9" {
		t.Errorf("after a move self is at %v", got)
	}
}

// TestBookDefendsItself: others remember more of this node than its own directory does.
func TestBookDefendsItself(t *testing.T) {
	b := reopen(t, t.TempDir(), 1)
	own := func() Address { a, _ := b.address("self"); return a }
	for _, theirs := range []uint64{1, 7, 8} {
		b.learn([]Address{at("self", theirs, 50)})
		if got := own(); got != at("self", theirs+1, 1) {
			t.Errorf("others held incarnation %d; self is %v", theirs, got)
		}
	}
	before := own()
	b.learn([]Address{before, at("self", 3, 50), at("self", math.MaxUint64, 50)})
	if got := own(); got != before {
		t.Errorf("self became %v, was %v", got, before)
	}
}

func TestBookIsDamaged(t *testing.T) {
	for name, content := range map[string]string{
		"empty": "", "cut off": `{"format":1,"addresses":[{"no`, "newer": `{"format":2}`, "another": `[1,2]`,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(bookPath(dir), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		b := reopen(t, dir, 1)
		if got := b.all(); !reflect.DeepEqual(got, []Address{at("self", 1, 1)}) {
			t.Errorf("%s: the book has %v", name, got)
		}
		b.learn([]Address{at("a", 1, 20)})
		if err := b.close(); err != nil {
			t.Fatal(err)
		}
		if file, err := readBook(bookPath(dir)); err != nil || len(file.Addresses) != 1 {
			t.Errorf("%s: it was not begun anew: %v, %v", name, file, err)
		}
	}
	// A disk that takes nothing is no reason not to know.
	b := reopen(t, filepath.Join(t.TempDir(), "missing"), 1)
	b.learn([]Address{at("a", 1, 20)})
	if got := b.all(); len(got) != 2 {
		t.Errorf("the book has %v", got)
	}
}

func TestBookIsBounded(t *testing.T) {
	b := reopen(t, t.TempDir(), 1)
	many := make([]Address, maxAddresses+5)
	for i := range many {
		many[i] = at(fmt.Sprint("n", i), 1, 20)
	}
	b.learn(many)
	if got := len(b.all()); got != maxAddresses+1 {
		t.Errorf("the book has %d addresses", got)
	}
	b.learn([]Address{at("n3", 2, 21)}) // who is in may move
	if got, _ := b.address("n3"); got != at("n3", 2, 21) {
		t.Errorf("n3 is at %v", got)
	}
	small := reopen(t, t.TempDir(), 1)
	for _, a := range []Address{
		{}, {Node: "x"}, {Node: "x", Cluster: "nowhere"}, {Node: "x", Cluster: ":7"}, {Node: "x", Cluster: "h:0"}, {Node: "x", Cluster: "h:99999"},
		{Node: "x", Cluster: "h:1", GRPC: "h"}, {Node: strings.Repeat("x", 301), Cluster: "h:1"}, {Node: "x", Cluster: strings.Repeat("h", 300) + ":1"},
	} {
		if small.learn([]Address{a}); len(small.all()) != 1 {
			t.Fatalf("%v was taken", a)
		}
	}
	if small.learn([]Address{{Node: "x", Cluster: "[fd00::1]:7072"}}); len(small.all()) != 2 {
		t.Error("an address without a gRPC port was not taken")
	}
}
