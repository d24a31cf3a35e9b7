package keyvaluetest

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"
	"testing"

	"github.com/weft-run/weft/services/keyvalue"
)

func testNumbers(t *testing.T, s *keyvalue.Store) {
	ctx, b := t.Context(), Bucket(t)
	increment := func(key string, delta, sum int64) {
		t.Helper()
		got, err := s.Increment(ctx, b, key, delta)
		must(t, err)
		e, err := s.Get(ctx, b, key)
		must(t, err)
		if got != sum || string(e.Value) != strconv.FormatInt(sum, 10) {
			t.Errorf("%d, stored as %q; want %d", got, e.Value, sum)
		}
	}
	increment("n", 5, 5)
	increment("n", -7, -2)
	increment("n", 0, -2)
	increment("new", 0, 0)
	increment("large", math.MaxInt64-1, math.MaxInt64-1) // more than a float has digits for
	increment("large", 1, math.MaxInt64)
	increment("small", math.MinInt64, math.MinInt64)
	must(t, s.Set(ctx, b, "set", []byte("41")))
	increment("set", 1, 42)

	_, err := s.Increment(ctx, b, "large", 1)
	want[*keyvalue.RefusedError](t, err, "64 bits", `"large"`)
	_, err = s.Increment(ctx, b, "small", -1)
	want[*keyvalue.RefusedError](t, err, "64 bits")
	increment("large", 0, math.MaxInt64)
	for _, text := range []string{"", "x", "1.5", " 1", "1 ", "+1", "01", "-0", "9223372036854775808", "\x00\x00\x00\x00\x00\x00\x00\x01"} {
		must(t, s.Set(ctx, b, "text", []byte(text)))
		_, err := s.Increment(ctx, b, "text", 1)
		want[*keyvalue.RefusedError](t, err, "no number", `"text"`)
		e, err := s.Get(ctx, b, "text")
		must(t, err)
		if string(e.Value) != text {
			t.Errorf("%q became %q", text, e.Value)
		}
	}
}

const workers = 8

// atOnce runs a function in many goroutines, half of them with one store and half with another, as on two nodes. A backend
// that can be open only once gives the same for both.
func atOnce(t *testing.T, tested Tested, quota int64, run func(s *keyvalue.Store, worker int)) *keyvalue.Store {
	t.Helper()
	stores := [2]*keyvalue.Store{store(t, tested, quota), nil}
	if stores[1] = stores[0]; !tested.Exclusive {
		stores[1] = store(t, tested, quota)
	}
	var group sync.WaitGroup
	for i := range workers {
		group.Go(func() { run(stores[i%2], i) })
	}
	group.Wait()
	return stores[0]
}

func testIncrements(t *testing.T, tested Tested) {
	ctx, b := t.Context(), Bucket(t)
	const each = 50
	s := atOnce(t, tested, keyvalue.DefaultQuota, func(s *keyvalue.Store, _ int) {
		for range each {
			if _, err := s.Increment(ctx, b, "n", 1); err != nil {
				t.Error(err)
			}
		}
	})
	e, err := s.Get(ctx, b, "n")
	must(t, err)
	if string(e.Value) != fmt.Sprint(workers*each) {
		t.Errorf("%d increments gave %s", workers*each, e.Value)
	}
}

func testSwaps(t *testing.T, s *keyvalue.Store) {
	ctx, b := t.Context(), Bucket(t)
	version := func(key string) keyvalue.Version {
		t.Helper()
		e, err := s.Get(ctx, b, key)
		must(t, err)
		return e.Version
	}
	changed := func(key string, v keyvalue.Version) {
		t.Helper()
		if err := s.Swap(ctx, b, key, v, []byte("no")); !errors.Is(err, keyvalue.ErrChanged) {
			t.Errorf("%v, want ErrChanged", err)
		}
	}
	absent := version("k")
	must(t, s.Swap(ctx, b, "k", absent, []byte("one")))
	changed("k", absent)
	one := version("k")
	must(t, s.Swap(ctx, b, "k", one, []byte("two")))
	changed("k", one)

	two := version("k")
	must(t, s.Set(ctx, b, "k", []byte("three")))
	must(t, s.Set(ctx, b, "k", []byte("two"))) // the value is as it was, and still it has changed
	changed("k", two)
	again := version("k")
	must(t, s.Delete(ctx, b, "k"))
	changed("k", again)
	must(t, s.Set(ctx, b, "k", []byte("two")))
	changed("k", again)
	same := version("k")
	must(t, s.Set(ctx, b, "other", []byte("x")))
	must(t, s.Swap(ctx, b, "k", same, []byte("end")))
	_, err := s.Increment(ctx, b, "n", 1)
	must(t, err)
	n := version("n")
	_, err = s.Increment(ctx, b, "n", 1)
	must(t, err)
	changed("n", n)
	changed("k", "no version of this backend")
	if e, err := s.Get(ctx, b, "k"); err != nil || string(e.Value) != "end" {
		t.Errorf("%q, %v", e.Value, err)
	}
}

// testSwapRace has goroutines add their letter to one value, each with a swap, and wants every letter.
func testSwapRace(t *testing.T, tested Tested) {
	ctx, b := t.Context(), Bucket(t)
	const each = 12
	s := atOnce(t, tested, keyvalue.DefaultQuota, func(s *keyvalue.Store, worker int) {
		for done := 0; done < each; {
			e, err := s.Get(ctx, b, "word")
			if err == nil {
				err = s.Swap(ctx, b, "word", e.Version, append(e.Value, byte('a'+worker)))
			}
			switch {
			case err == nil:
				done++
			case !errors.Is(err, keyvalue.ErrChanged):
				t.Error(err)
				return
			}
		}
	})
	e, err := s.Get(ctx, b, "word")
	must(t, err)
	letters := map[byte]int{}
	for _, c := range e.Value {
		letters[c]++
	}
	for i := range workers {
		if n := letters[byte('a'+i)]; n != each {
			t.Errorf("worker %d swapped %d times, and %d are seen in %q", i, each, n, e.Value)
		}
	}
}
