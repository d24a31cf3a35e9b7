package consensus

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"github.com/weft-run/weft/consensus/catalog"
)

// replica is a catalog with its local copy, driven as fsm drives it.
type replica struct {
	t   testing.TB
	dir string
	*localCopy
}

func openReplica(t testing.TB, dir string, minimum int64) *replica {
	t.Helper()
	l, err := openCopy(dir, catalog.New(), testLog(t), time.Millisecond, minimum)
	if err != nil {
		t.Fatal(err)
	}
	return &replica{t: t, dir: dir, localCopy: l}
}

// run applies commands at indexes from first to last.
func (r *replica) run(first, last uint64) {
	r.t.Helper()
	f := &fsm{catalog: r.catalog, copy: r.localCopy, applied: new(mark), trail: new(trail), halt: func(err error) { r.t.Error(err) }}
	for i := first; i <= last; i++ {
		entry, err := encodeEntry(deploy(fmt.Sprint("id-", i), fmt.Sprint("f", i%5)))
		if err != nil {
			r.t.Fatal(err)
		}
		f.Apply(&raft.Log{Type: raft.LogCommand, Index: i, Data: entry})
	}
}

// crash leaves the files as they are now, in a directory of their own.
func (r *replica) crash() string {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		dir := r.t.TempDir()
		err := os.CopyFS(dir, os.DirFS(r.dir))
		if errors.Is(err, os.ErrNotExist) {
			continue // a compaction took a file away meanwhile
		}
		if err != nil {
			r.t.Fatal(err)
		}
		return dir
	}
}

func (r *replica) shut() {
	r.t.Helper()
	if err := r.close(); err != nil {
		r.t.Error(err)
	}
}

func (r *replica) newestJournal() string {
	r.t.Helper()
	all, err := r.journals()
	if err != nil || len(all) == 0 {
		r.t.Fatal(all, err)
	}
	return all[len(all)-1]
}

func TestCopyHoldsWhatWasShown(t *testing.T) {
	r := openReplica(t, t.TempDir(), 1<<20)
	defer r.shut()
	for i := uint64(1); i <= 50; i++ {
		r.run(i, i)
		again := openReplica(t, r.crash(), 1<<20)
		if got := again.catalog.View(); got.Index() != i || !bytes.Equal(got.Hash(), r.catalog.View().Hash()) {
			t.Fatalf("the copy is at %d after %d was shown", got.Index(), i)
		}
		again.shut()
	}
}

// TestTornJournal cuts the journal at every length, and flips a bit in every byte: the copy ends at the last good
// record, and goes on from there.
func TestTornJournal(t *testing.T) {
	const entries = 6
	r := openReplica(t, t.TempDir(), 1<<20)
	states := [][]byte{r.catalog.View().Hash()}
	ends := []int{len(journalMagic)}
	for i := uint64(1); i <= entries; i++ {
		r.run(i, i)
		states = append(states, r.catalog.View().Hash())
		ends = append(ends, int(r.size))
	}
	whole, err := os.ReadFile(r.newestJournal())
	if err != nil {
		t.Fatal(err)
	}
	r.shut()
	base := r.crash()
	try := func(what string, journal []byte, want int) {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(base)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(r.newestJournal())), journal, 0o600); err != nil {
			t.Fatal(err)
		}
		again := openReplica(t, dir, 1<<20)
		if got := again.catalog.View(); got.Index() != uint64(want) || !bytes.Equal(got.Hash(), states[want]) {
			t.Fatalf("%s: the copy is at %d, want %d", what, got.Index(), want)
		}
		again.run(uint64(want)+1, entries)
		again.shut()
		last := openReplica(t, dir, 1<<20)
		if got := last.catalog.View(); !bytes.Equal(got.Hash(), states[entries]) {
			t.Fatalf("%s: the copy is at %d after going on", what, got.Index())
		}
		last.shut()
	}
	for n := range whole {
		good := 0
		for good < entries && ends[good+1] <= n {
			good++
		}
		if n%7 == 0 || slices.Contains(ends, n) {
			try(fmt.Sprintf("cut at %d", n), whole[:n], good)
		}
		if n%5 == 0 {
			flipped := bytes.Clone(whole)
			flipped[n] ^= 1 << (n % 8)
			try(fmt.Sprintf("flipped at %d", n), flipped, good)
		}
	}
}

func TestDamagedCopyIsMadeAnew(t *testing.T) {
	dir := t.TempDir()
	r := openReplica(t, dir, 1) // compacts all the time
	r.run(1, 20)
	eventually(t, "a copy with something in it", func() bool {
		info, err := os.Stat(r.path())
		return err == nil && info.Size() > 500
	})
	want := r.catalog.View().Hash()
	r.shut()
	flip(t, r.path(), 300)
	r = openReplica(t, dir, 1<<20)
	if _, err := os.Stat(r.path() + ".bad"); err != nil {
		t.Fatal("the damaged copy is not set aside")
	}
	if got := r.catalog.View().Index(); got != 0 {
		t.Fatalf("a damaged copy was loaded up to %d", got)
	}
	r.run(1, 20) // the log again
	r.shut()
	r = openReplica(t, dir, 1<<20)
	defer r.shut()
	if !bytes.Equal(r.catalog.View().Hash(), want) {
		t.Fatalf("the new copy is at %d", r.catalog.View().Index())
	}
}

// TestCompaction keeps the files small, and a crash at any time in between leaves all that was shown.
func TestCompaction(t *testing.T) {
	const minimum = 2 << 10
	r := openReplica(t, t.TempDir(), minimum)
	defer r.shut()
	for i := uint64(1); i <= 400; i++ {
		r.run(i, i)
		if i%50 == 0 {
			eventually(t, "a compaction", func() bool {
				r.mu.Lock()
				defer r.mu.Unlock()
				return r.size <= max(minimum, r.base)
			})
		}
		if i%7 == 0 {
			again := openReplica(t, r.crash(), minimum)
			if got := again.catalog.View(); got.Index() != i || !bytes.Equal(got.Hash(), r.catalog.View().Hash()) {
				t.Fatalf("the copy is at %d after %d was shown", got.Index(), i)
			}
			again.shut()
		}
	}
	eventually(t, "one short journal", func() bool {
		all, _ := r.journals()
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(all) == 1 && r.size <= max(minimum, r.base)
	})
}

// TestJournalWriteFails takes the journal's file away: the catalog goes on, and the copy follows when it can.
func TestJournalWriteFails(t *testing.T) {
	dir := t.TempDir()
	r := openReplica(t, dir, 1<<20)
	r.run(1, 3)
	r.mu.Lock()
	if err := r.journal.Close(); err != nil {
		t.Fatal(err)
	}
	r.mu.Unlock()
	r.run(4, 8)
	if got := r.catalog.View().Index(); got != 8 {
		t.Fatalf("the catalog is at %d", got)
	}
	eventually(t, "the copy has caught up", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.broken == nil && r.index == 8
	})
	r.run(9, 10)
	r.shut()
	r = openReplica(t, dir, 1<<20)
	defer r.shut()
	if got := r.catalog.View().Index(); got != 10 {
		t.Fatalf("the copy is at %d", got)
	}
}

// TestForkedCopy has a copy whose state is not the log's: the log wins, and the copy is made anew.
func TestForkedCopy(t *testing.T) {
	dir := t.TempDir()
	n := open(t, Config{Dir: dir})
	for i := range 5 {
		apply(t, n, deploy(fmt.Sprint(i), fmt.Sprint("f", i)))
	}
	want := n.Status()
	shut(t, n)
	other := catalog.New()
	for i := uint64(1); i <= want.Applied; i++ {
		other.Apply(i, deploy(fmt.Sprint("other-", i), "other"))
	}
	var b bytes.Buffer
	if err := other.Snapshot(&b); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "catalog", "copy"), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	n = open(t, Config{Dir: dir})
	if n.Catalog().View().Function("default", "other") == nil {
		t.Fatal("the copy was not loaded")
	}
	eventually(t, "the log wins", func() bool { return n.Status().Fork != nil && bytes.Equal(n.Status().Hash, want.Hash) })
	eventually(t, "the copy is made anew", func() bool {
		c := catalog.New()
		f, err := os.Open(filepath.Join(dir, "catalog", "copy"))
		if err != nil {
			return false
		}
		defer func() { _ = f.Close() }()
		return c.Restore(f) == nil && bytes.Equal(c.View().Hash(), want.Hash)
	})
	shut(t, n)
	n = open(t, Config{Dir: dir})
	if err := n.Linearize(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status := n.Status(); status.Fork != nil || !bytes.Equal(status.Hash, want.Hash) {
		t.Fatalf("status %+v", status)
	}
}

// FuzzJournal reads any bytes as a journal: no panic, little memory, and a copy that can be gone on with.
func FuzzJournal(f *testing.F) {
	entry, err := encodeEntry(deploy("a", "a"))
	if err != nil {
		f.Fatal(err)
	}
	good := appendRecord([]byte(journalMagic), 1, 0, entry)
	f.Add(good)
	f.Add(appendRecord(good, 2, 1, entry))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, journal []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "journal-00000000000000000000"), journal, 0o600); err != nil {
			t.Fatal(err)
		}
		r := openReplica(t, dir, 1<<20)
		at := r.catalog.Index()
		if at < 1<<60 {
			r.run(at+1, at+2)
		}
		r.shut()
	})
}

// FuzzEntry decodes any bytes as an entry of the log.
func FuzzEntry(f *testing.F) {
	entry, err := encodeEntry(deploy("a", "a"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(entry)
	f.Fuzz(func(_ *testing.T, entry []byte) {
		if cmd, err := decodeEntry(entry); err == nil {
			catalog.New().Apply(1, cmd)
		}
	})
}
