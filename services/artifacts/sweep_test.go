package artifacts

import (
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// age makes an artifact look as if it had come a while ago, in another process.
func (n *testNode) age(t *testing.T, d Digest, by time.Duration) {
	t.Helper()
	age(t, n.store, d, by)
}

func age(t *testing.T, s *Store, d Digest, by time.Duration) {
	t.Helper()
	then := time.Now().Add(-by)
	if err := os.Chtimes(s.path(d), then, then); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.notes, d)
}

func sweep(t *testing.T, s *Store, wanted ...Digest) {
	t.Helper()
	want := map[Digest]bool{}
	for _, d := range wanted {
		want[d] = true
	}
	if err := s.Sweep(Policy{Wanted: func(d Digest) bool { return want[d] }, Grace: time.Hour}); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsHeldIsNotSwept(t *testing.T) {
	s := open(t)
	d := put(t, s, []byte("one"))
	put(t, s, []byte("one")) // another deploy of the same
	long := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(s.path(d), long, long); err != nil {
		t.Fatal(err)
	}
	sweep(t, s)
	s.Release(d, true)
	sweep(t, s)
	if !s.Contains(d) {
		t.Fatal("swept while it was held")
	}
	select {
	case <-s.released:
		t.Fatal("it is held still")
	default:
	}
	s.Release(d, true)
	select {
	case <-s.released:
	default:
		t.Fatal("nobody is told that it may be swept")
	}
	sweep(t, s)
	if s.Contains(d) {
		t.Error("a deploy that came to nothing leaves its artifact")
	}
	s.Release(d, true) // once too often
	if len(s.notes) != 0 {
		t.Errorf("notes %v", s.notes)
	}
}

func TestGrace(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		d := put(t, s, []byte("one"))
		if !s.keep(d, "b") {
			t.Fatal("it is not there")
		}
		s.Release(d, true)
		time.Sleep(59 * time.Minute)
		sweep(t, s)
		if !s.Contains(d) {
			t.Fatal("swept within the grace period")
		}
		if !s.keep(d, "b") { // another deploy
			t.Fatal("it is not there")
		}
		time.Sleep(59 * time.Minute)
		sweep(t, s)
		if !s.Contains(d) {
			t.Fatal("swept within the second grace period")
		}
		sweep(t, s, d)
		time.Sleep(2 * time.Minute)
		sweep(t, s, d)
		if !s.Contains(d) {
			t.Fatal("swept although it is wanted")
		}
		sweep(t, s)
		if s.Contains(d) || s.keep(d, "b") {
			t.Error("kept for ever")
		}
	})
}

// TestGraceOverARestart: what another process has kept is known by the time of its file.
func TestGraceOverARestart(t *testing.T) {
	s := open(t)
	d := put(t, s, []byte("one"))
	age(t, s, d, 59*time.Minute)
	s, err := Open(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	sweep(t, s)
	if !s.Contains(d) {
		t.Fatal("swept within the grace period")
	}
	age(t, s, d, 61*time.Minute)
	sweep(t, s)
	if s.Contains(d) {
		t.Error("kept for ever")
	}
}

// TestGraceDespiteTheClock: a clock that is set forward does not shorten the grace period.
func TestGraceDespiteTheClock(t *testing.T) {
	s := open(t)
	d := put(t, s, []byte("one"))
	s.keep(d, "b")
	s.Release(d, true)
	long := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(s.path(d), long, long); err != nil {
		t.Fatal(err)
	}
	sweep(t, s)
	if !s.Contains(d) {
		t.Error("swept within the grace period")
	}
}

func TestCacheIsBounded(t *testing.T) {
	s := open(t)
	var all []Digest
	for i := range 5 {
		d := put(t, s, random(1000+i))
		age(t, s, d, time.Duration(10-i)*time.Hour)
		all = append(all, d)
	}
	placed := all[0]
	err := s.Sweep(Policy{
		Wanted: func(d Digest) bool { return d == placed },
		Cached: func(Digest) bool { return true }, CacheBytes: 2500, Grace: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false, false, true, true} { // the oldest went
		if s.Contains(all[i]) != want {
			t.Errorf("artifact %d is there: %v", i, !want)
		}
	}
}

func TestPartsAreSwept(t *testing.T) {
	s := open(t)
	old, young, arriving := Digest{1}, Digest{2}, Digest{3}
	for _, d := range []Digest{old, young, arriving} {
		if err := os.WriteFile(s.partPath(d), []byte("part"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-2 * partialAge)
	for _, d := range []Digest{old, arriving} {
		if err := os.Chtimes(s.partPath(d), long, long); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.enter(t.Context(), arriving); err != nil {
		t.Fatal(err)
	}
	sweep(t, s)
	if s.partial(old) != 0 || s.partial(young) != 4 || s.partial(arriving) != 4 {
		t.Errorf("%d, %d, %d bytes are left", s.partial(old), s.partial(young), s.partial(arriving))
	}
	s.leave(arriving)
	if _, err := Open(s.dir); err != nil {
		t.Fatal(err)
	}
	if s.partial(young) != 4 || s.partial(arriving) != 0 {
		t.Errorf("after opening, %d and %d bytes are left", s.partial(young), s.partial(arriving))
	}
}

// TestArrivalIsGivenUpUntouched: an arrival that fails leaves what came, and nothing that looks like an artifact.
func TestArrivalIsGivenUpUntouched(t *testing.T) {
	s := open(t)
	data := random(3 * chunkSize)
	d := put(t, open(t), data)
	a, err := s.arrive(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.take(t.Context(), &chunks{rest: data[:chunkSize], next: func() ([]byte, error) { return nil, errTest }}, int64(len(data))); !errors.Is(err, errTest) {
		t.Fatalf("error %v", err)
	}
	a.close()
	if s.Contains(d) || s.partial(d) != chunkSize {
		t.Errorf("%d bytes are left", s.partial(d))
	}
}

// TestRehearsalAfterARestart: a deploy here that comes to nothing does not take away what another node has pushed, even if
// this process does not know of that.
func TestRehearsalAfterARestart(t *testing.T) {
	s := open(t)
	d := put(t, s, []byte("one"))
	s.keep(d, "b")
	s, err := Open(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, []byte("one"))
	s.Release(d, true)
	sweep(t, s)
	if !s.Contains(d) {
		t.Error("swept within the grace period")
	}
}

// TestUnknownOutcome: a deploy that may have come through keeps its artifact for the grace period.
func TestUnknownOutcome(t *testing.T) {
	s := open(t)
	d := put(t, s, []byte("one"))
	s.Release(d, false)
	sweep(t, s)
	if !s.Contains(d) {
		t.Error("swept, and a revision may name it any moment")
	}
}

// TestHold: a backup reads what functions that are deleted meanwhile have left.
func TestHold(t *testing.T) {
	s := open(t)
	d := put(t, s, []byte("one"))
	s.Release(d, true)
	if !s.Hold(d) || s.Hold(Digest{1}) {
		t.Fatal("what is there can be held, and nothing else")
	}
	sweep(t, s)
	if !s.Contains(d) {
		t.Fatal("swept while it was held")
	}
	s.Release(d, true)
	sweep(t, s)
	if s.Contains(d) {
		t.Error("kept for ever")
	}
}
