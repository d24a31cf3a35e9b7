package keyvaluetest

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/weft-run/weft/internal/testlog"
	"github.com/weft-run/weft/services/keyvalue"
)

// fillUp stores values of a size until the quota ends it, and gives how many there are.
func fillUp(t testing.TB, s *keyvalue.Store, b keyvalue.Bucket, prefix string, size int) int {
	t.Helper()
	for i := range 10_000 {
		err := s.Set(t.Context(), b, fmt.Sprint(prefix, i), make([]byte, size))
		if err != nil {
			want[*keyvalue.QuotaError](t, err, "quota exceeded", b.Function.Namespace+"/"+b.Function.Name, "--keyvalue-quota")
			return i
		}
	}
	t.Fatal("there is no end")
	return 0
}

// stored is how many bytes of keys and values are in a bucket.
func stored(t testing.TB, s *keyvalue.Store, b keyvalue.Bucket) (n int64) {
	t.Helper()
	for _, key := range listed(t, s, b, nil) {
		e, err := s.Get(t.Context(), b, key)
		must(t, err)
		n += int64(len(key) + len(e.Value))
	}
	return n
}

func testQuota(t *testing.T, s *keyvalue.Store) {
	ctx, b := t.Context(), Bucket(t)
	n := fillUp(t, s, b, "k", 1000)
	if n < 8 || n > 9 { // 10,000 bytes, with 71 to 150 for each pair besides its value
		t.Errorf("%d values of 1,000 bytes fit", n)
	}
	if got := stored(t, s, b); got > 10_000 {
		t.Errorf("%d bytes are stored", got)
	}
	other := b
	other.Name = "other"
	want[*keyvalue.QuotaError](t, s.Set(ctx, other, "k", make([]byte, 2000))) // buckets share the quota
	elsewhere := b
	elsewhere.Function.Created++
	must(t, s.Set(ctx, elsewhere, "k", make([]byte, 2000))) // functions do not

	// What does not grow is always possible.
	must(t, s.Set(ctx, b, "k0", make([]byte, 1000)))
	must(t, s.Set(ctx, b, "k1", make([]byte, 10)))
	must(t, s.Delete(ctx, b, "k0"))
	must(t, s.Set(ctx, b, "k0", make([]byte, 1000)))
	fillUp(t, s, b, "small", 1)
	if _, err := s.Increment(ctx, b, "a number with a long name", 1); err != nil {
		want[*keyvalue.QuotaError](t, err)
		if found, err := s.Exists(ctx, b, "a number with a long name"); err != nil || found {
			t.Errorf("an increment over the quota stored something: %v", err)
		}
	}
	e, err := s.Get(ctx, b, "k1")
	must(t, err)
	want[*keyvalue.QuotaError](t, s.Swap(ctx, b, "k1", e.Version, make([]byte, 5000)))
	err = s.SetMany(ctx, b, []keyvalue.Pair{{Key: "m1", Value: make([]byte, 4000)}, {Key: "m2", Value: make([]byte, 4000)}})
	want[*keyvalue.QuotaError](t, err)
	if got := stored(t, s, b); got > 10_000 {
		t.Errorf("%d bytes are stored", got)
	}

	keys := listed(t, s, b, nil)
	must(t, s.DeleteMany(ctx, b, keys))
	if used, err := s.Usage(ctx, b.Function); err != nil || used != 0 {
		t.Errorf("an empty function uses %d bytes, %v", used, err)
	}
	if again := fillUp(t, s, b, "k", 1000); again != n {
		t.Errorf("%d values fit, and %d after all were deleted", n, again)
	}
}

func testQuotaRace(t *testing.T, tested Tested) {
	ctx, b := t.Context(), Bucket(t)
	const quota = 20_000
	s := atOnce(t, tested, quota, func(s *keyvalue.Store, worker int) {
		for i := range 20 {
			err := s.Set(ctx, b, fmt.Sprint(worker, "-", i), make([]byte, 500))
			if _, full := errors.AsType[*keyvalue.QuotaError](err); err != nil && !full {
				t.Error(err)
			}
			if i%5 == 4 {
				if err := s.Delete(ctx, b, fmt.Sprint(worker, "-", i-2)); err != nil {
					t.Error(err)
				}
			}
		}
	})
	if got := stored(t, s, b); got > quota || got < quota/2 {
		t.Errorf("%d bytes are stored of %d", got, quota)
	}
	used, err := s.Usage(ctx, b.Function)
	must(t, err)
	if used > quota || used < stored(t, s, b) {
		t.Errorf("%d bytes are counted, %d stored, of %d", used, stored(t, s, b), quota)
	}
}

func testQuotaRestart(t *testing.T, tested Tested) {
	ctx, b := t.Context(), Bucket(t)
	s := keyvalue.New(tested.Open(t, 10_000), testlog.New(t, slog.LevelWarn), nil)
	n := fillUp(t, s, b, "k", 1000)
	used, err := s.Usage(ctx, b.Function)
	must(t, err)
	must(t, s.Close())
	s = store(t, tested, 10_000)
	want[*keyvalue.QuotaError](t, s.Set(ctx, b, fmt.Sprint("k", n), make([]byte, 1000)))
	if again, err := s.Usage(ctx, b.Function); err != nil || again != used {
		t.Errorf("%d bytes are used, and %d after opening again, %v", used, again, err)
	}
}

// testQuotaShrank has what is stored be more than the quota: it can be read and deleted, and not grow.
func testQuotaShrank(t *testing.T, tested Tested) {
	ctx, b := t.Context(), Bucket(t)
	s := keyvalue.New(tested.Open(t, 10_000), testlog.New(t, slog.LevelWarn), nil)
	must(t, s.Set(ctx, b, "a", make([]byte, 3000)))
	must(t, s.Set(ctx, b, "b", make([]byte, 3000)))
	must(t, s.Close())
	s = store(t, tested, 4000)
	e, err := s.Get(ctx, b, "b")
	must(t, err)
	if len(e.Value) != 3000 {
		t.Errorf("%d bytes", len(e.Value))
	}
	want[*keyvalue.QuotaError](t, s.Set(ctx, b, "c", make([]byte, 1000)))
	must(t, s.DeleteMany(ctx, b, []string{"a", "b"}))
	must(t, s.Set(ctx, b, "c", make([]byte, 1000)))
}

func testDrop(t *testing.T, s *keyvalue.Store) {
	ctx, b := t.Context(), Bucket(t)
	other := b
	other.Name = "other"
	kept := b
	kept.Function.Created++
	must(t, s.Drop(ctx, b.Function)) // there is nothing yet
	for _, b := range []keyvalue.Bucket{b, other, kept} {
		must(t, s.Set(ctx, b, "k", []byte("v")))
	}
	must(t, s.Drop(ctx, b.Function))
	for _, b := range []keyvalue.Bucket{b, other} {
		if found, err := s.Exists(ctx, b, "k"); err != nil || found {
			t.Errorf("%s is there after a drop, %v", b.Name, err)
		}
	}
	if found, err := s.Exists(ctx, kept, "k"); err != nil || !found {
		t.Errorf("another function's pair is gone, %v", err)
	}
	used, err := s.Usage(ctx, b.Function)
	must(t, err)
	if used != 0 {
		t.Errorf("%d bytes are counted after a drop", used)
	}
	must(t, s.Set(ctx, b, "k", []byte("v")))
}
