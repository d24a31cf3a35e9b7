// Package keyvaluetest tests backends of key-value storage: one table for all, against the real servers.
package keyvaluetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weft-run/weft/internal/testlog"
	"github.com/weft-run/weft/services/keyvalue"
)

// Tested is a backend that is tested.
type Tested struct {
	// Open opens it, with a quota for each function. It is the same storage each time. What it returns is closed by whoever
	// asked.
	Open func(t testing.TB, quota int64) keyvalue.Backend
	// Exclusive: it can be open only once at a time.
	Exclusive bool
}

// Run runs the table against a backend.
func Run(t *testing.T, tested Tested) {
	t.Run("pairs", func(t *testing.T) { testPairs(t, store(t, tested, keyvalue.DefaultQuota)) })
	t.Run("isolation", func(t *testing.T) { testIsolation(t, store(t, tested, keyvalue.DefaultQuota)) })
	t.Run("bounds", func(t *testing.T) { testBounds(t, store(t, tested, keyvalue.DefaultQuota)) })
	t.Run("batches", func(t *testing.T) { testBatches(t, store(t, tested, keyvalue.DefaultQuota)) })
	t.Run("listing", func(t *testing.T) { testListing(t, store(t, tested, keyvalue.DefaultQuota)) })
	t.Run("listing while keys go", func(t *testing.T) { testListingDeletes(t, store(t, tested, keyvalue.DefaultQuota)) })
	t.Run("numbers", func(t *testing.T) { testNumbers(t, store(t, tested, keyvalue.DefaultQuota)) })
	t.Run("increments at once", func(t *testing.T) { testIncrements(t, tested) })
	t.Run("swaps", func(t *testing.T) { testSwaps(t, store(t, tested, keyvalue.DefaultQuota)) })
	t.Run("swaps at once", func(t *testing.T) { testSwapRace(t, tested) })
	t.Run("quota", func(t *testing.T) { testQuota(t, store(t, tested, 10_000)) })
	t.Run("quota of writers at once", func(t *testing.T) { testQuotaRace(t, tested) })
	t.Run("quota after a restart", func(t *testing.T) { testQuotaRestart(t, tested) })
	t.Run("quota that shrank", func(t *testing.T) { testQuotaShrank(t, tested) })
	t.Run("drop", func(t *testing.T) { testDrop(t, store(t, tested, keyvalue.DefaultQuota)) })
	t.Run("caller leaves", func(t *testing.T) { testLeaving(t, store(t, tested, keyvalue.DefaultQuota)) })
}

func store(t testing.TB, tested Tested, quota int64) *keyvalue.Store {
	t.Helper()
	s := keyvalue.New(tested.Open(t, quota), testlog.New(t, slog.LevelWarn), nil)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// Bucket is the bucket of a test, which no other test uses.
func Bucket(t testing.TB) keyvalue.Bucket {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(t.Name()))
	return keyvalue.Bucket{Function: keyvalue.Function{Namespace: "test", Name: name[max(0, len(name)-60):], Created: uint64(time.Now().UnixNano())}, Name: "default"}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// want wants an error of a type, with some words.
func want[E error](t testing.TB, err error, words ...string) {
	t.Helper()
	if _, ok := errors.AsType[E](err); !ok {
		t.Fatalf("%v (%T), want a %T", err, err, *new(E))
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
}

func testPairs(t *testing.T, s *keyvalue.Store) {
	ctx, b := t.Context(), Bucket(t)
	absent := func(key string) {
		t.Helper()
		e, err := s.Get(ctx, b, key)
		must(t, err)
		found, err := s.Exists(ctx, b, key)
		must(t, err)
		if e.Exists() || found || e.Value != nil {
			t.Errorf("%q is there: %q", key, e.Value)
		}
	}
	present := func(key, value string) {
		t.Helper()
		e, err := s.Get(ctx, b, key)
		must(t, err)
		found, err := s.Exists(ctx, b, key)
		must(t, err)
		if !e.Exists() || !found || string(e.Value) != value || e.Value == nil {
			t.Errorf("%q: %q, %v; want %q", key, e.Value, found, value)
		}
	}
	absent("a")
	must(t, s.Delete(ctx, b, "a"))
	must(t, s.Set(ctx, b, "a", []byte("one")))
	present("a", "one")
	must(t, s.Set(ctx, b, "a", []byte("two")))
	present("a", "two")
	must(t, s.Set(ctx, b, "a", nil))
	present("a", "")
	must(t, s.Delete(ctx, b, "a"))
	absent("a")
	must(t, s.Delete(ctx, b, "a"))
	must(t, s.Set(ctx, b, "a", []byte("again")))
	present("a", "again")

	for _, key := range []string{"A", " ", "a.b", "*", ">", "a:{b}", "ключ", "\x00", "two\nlines", strings.Repeat("k", keyvalue.MaxKey)} {
		must(t, s.Set(ctx, b, key, []byte(key)))
		present(key, key)
	}
	present("a", "again")
	binary := make([]byte, 256)
	for i := range binary {
		binary[i] = byte(i)
	}
	must(t, s.Set(ctx, b, "binary", binary))
	present("binary", string(binary))
	large := strings.Repeat("v", keyvalue.MaxValue)
	must(t, s.Set(ctx, b, "large", []byte(large)))
	present("large", large)
}

func testIsolation(t *testing.T, s *keyvalue.Store) {
	ctx, b := t.Context(), Bucket(t)
	others := []keyvalue.Bucket{b, b, b, b}
	others[0].Name = "other"
	others[1].Function.Name = "x"
	others[2].Function.Namespace = "y"
	others[3].Function.Created++
	must(t, s.Set(ctx, b, "key", []byte("mine")))
	for i, other := range others {
		e, err := s.Get(ctx, other, "key")
		must(t, err)
		page, err := s.List(ctx, other, "")
		must(t, err)
		if e.Exists() || len(page.Keys) > 0 {
			t.Errorf("%v sees what is of %v", other, b)
		}
		must(t, s.Set(ctx, other, "key", fmt.Append(nil, i)))
		must(t, s.Delete(ctx, other, "none"))
	}
	for i, other := range others {
		e, err := s.Get(ctx, other, "key")
		must(t, err)
		if string(e.Value) != fmt.Sprint(i) {
			t.Errorf("%v: %q", other, e.Value)
		}
		must(t, s.Delete(ctx, other, "key"))
	}
	e, err := s.Get(ctx, b, "key")
	must(t, err)
	if string(e.Value) != "mine" {
		t.Errorf("%q", e.Value)
	}
}

func testBounds(t *testing.T, s *keyvalue.Store) {
	ctx, b := t.Context(), Bucket(t)
	long, large := strings.Repeat("k", keyvalue.MaxKey+1), make([]byte, keyvalue.MaxValue+1)
	for _, key := range []string{"", long, "a\xff"} {
		_, err := s.Get(ctx, b, key)
		want[*keyvalue.RefusedError](t, err)
		_, err = s.Exists(ctx, b, key)
		want[*keyvalue.RefusedError](t, err)
		_, err = s.Increment(ctx, b, key, 1)
		want[*keyvalue.RefusedError](t, err)
		_, err = s.GetMany(ctx, b, []string{"a", key})
		want[*keyvalue.RefusedError](t, err)
		want[*keyvalue.RefusedError](t, s.Set(ctx, b, key, nil))
		want[*keyvalue.RefusedError](t, s.Delete(ctx, b, key))
		want[*keyvalue.RefusedError](t, s.Swap(ctx, b, key, "", nil))
		want[*keyvalue.RefusedError](t, s.SetMany(ctx, b, []keyvalue.Pair{{Key: "a"}, {Key: key}}))
		want[*keyvalue.RefusedError](t, s.DeleteMany(ctx, b, []string{"a", key}))
	}
	want[*keyvalue.RefusedError](t, s.Set(ctx, b, "a", large), "1000001 bytes")
	want[*keyvalue.RefusedError](t, s.Swap(ctx, b, "a", "", large), "1000001 bytes")
	want[*keyvalue.RefusedError](t, s.SetMany(ctx, b, []keyvalue.Pair{{Key: "a", Value: large}}), "1000001 bytes")
	if found, err := s.Exists(ctx, b, "a"); err != nil || found {
		t.Errorf("a refused request stored something: %v", err)
	}
	for _, cursor := range []string{"-1", "x", "9999999999999999999999", long} {
		if _, err := s.List(ctx, b, cursor); err != nil { // a backend whose cursors are keys has a place for any
			want[*keyvalue.RefusedError](t, err)
		}
	}
}

func testBatches(t *testing.T, s *keyvalue.Store) {
	ctx, b := t.Context(), Bucket(t)
	must(t, s.SetMany(ctx, b, nil))
	must(t, s.DeleteMany(ctx, b, nil))
	if found, err := s.GetMany(ctx, b, nil); err != nil || len(found) > 0 {
		t.Fatalf("%v, %v", found, err)
	}
	pairs := []keyvalue.Pair{{Key: "twice", Value: []byte("first")}, {Key: "empty"}, {Key: "twice", Value: []byte("last")}}
	keys := []string{"twice", "none", "empty", "twice"}
	for i := range 300 {
		key := fmt.Sprintf("key-%03d", i)
		pairs = append(pairs, keyvalue.Pair{Key: key, Value: []byte(key)})
		keys = append(keys, key)
	}
	must(t, s.SetMany(ctx, b, pairs))
	found, err := s.GetMany(ctx, b, keys)
	must(t, err)
	for i, key := range keys {
		value, exists := key, true
		switch key {
		case "twice":
			value = "last"
		case "none":
			value, exists = "", false
		case "empty":
			value = ""
		}
		if e := found[i]; string(e.Value) != value || e.Exists() != exists {
			t.Errorf("%s: %q, %v", key, e.Value, e.Exists())
		}
	}
	must(t, s.DeleteMany(ctx, b, keys))
	page, err := s.List(ctx, b, "")
	must(t, err)
	if len(page.Keys) > 0 {
		t.Errorf("there are still %q", page.Keys)
	}

	want[*keyvalue.RefusedError](t, s.DeleteMany(ctx, b, make([]string, keyvalue.MaxBatch+1)), "1001 keys")
	big := make([]keyvalue.Pair, 3)
	for i := range big {
		big[i] = keyvalue.Pair{Key: fmt.Sprint("big", i), Value: make([]byte, keyvalue.MaxValue)}
	}
	want[*keyvalue.RefusedError](t, s.SetMany(ctx, b, big), "together")
	must(t, s.SetMany(ctx, b, big[:2]))
	must(t, s.SetMany(ctx, b, big[2:]))
	_, err = s.GetMany(ctx, b, []string{"big0", "big1", "big2"})
	want[*keyvalue.RefusedError](t, err, "together")
	two, err := s.GetMany(ctx, b, []string{"big0", "big1"})
	must(t, err)
	if len(two) != 2 || len(two[1].Value) != keyvalue.MaxValue {
		t.Errorf("%d entries", len(two))
	}
}

// listed gives all keys of a bucket, page by page. visit is called with each page.
func listed(t testing.TB, s *keyvalue.Store, b keyvalue.Bucket, visit func(keyvalue.Page)) []string {
	t.Helper()
	var keys []string
	cursor := ""
	for {
		page, err := s.List(t.Context(), b, cursor)
		must(t, err)
		if len(page.Keys) > keyvalue.PageSize {
			t.Fatalf("a page of %d keys", len(page.Keys))
		}
		if page.Next != "" && page.Next == cursor {
			t.Fatalf("the cursor %q leads to itself", cursor)
		}
		keys = append(keys, page.Keys...)
		if visit != nil {
			visit(page)
		}
		if cursor = page.Next; cursor == "" {
			return keys
		}
	}
}

// fill stores keys and gives them, ordered.
func fill(t testing.TB, s *keyvalue.Store, b keyvalue.Bucket, n int) []string {
	t.Helper()
	var keys []string
	var pairs []keyvalue.Pair
	for i := range n {
		keys = append(keys, fmt.Sprintf("key %05d", i))
		pairs = append(pairs, keyvalue.Pair{Key: keys[i], Value: []byte("v")})
	}
	for some := range slices.Chunk(pairs, keyvalue.MaxBatch) {
		must(t, s.SetMany(t.Context(), b, some))
	}
	return keys
}

func testListing(t *testing.T, s *keyvalue.Store) {
	ctx, b := t.Context(), Bucket(t)
	if keys := listed(t, s, b, nil); len(keys) > 0 {
		t.Fatalf("an empty bucket has %q", keys)
	}
	for _, n := range []int{1, keyvalue.PageSize, 2*keyvalue.PageSize + 1} {
		all := fill(t, s, b, n)
		pages := 0
		keys := listed(t, s, b, func(keyvalue.Page) { pages++ })
		slices.Sort(keys)
		if !slices.Equal(keys, all) {
			t.Fatalf("%d keys are listed, of %d", len(keys), n)
		}
		if least := (n + keyvalue.PageSize - 1) / keyvalue.PageSize; pages != least {
			t.Errorf("%d keys are %d pages", n, pages)
		}
	}
	must(t, s.Set(ctx, b, "key 00000", []byte("changed")))
	keys := listed(t, s, b, nil)
	slices.Sort(keys)
	if len(slices.Compact(slices.Clone(keys))) != len(keys) {
		t.Error("a key is listed twice")
	}
}

// testListingDeletes removes what it lists, as whoever clears a bucket does, and changes keys meanwhile.
func testListingDeletes(t *testing.T, s *keyvalue.Store) {
	ctx, b := t.Context(), Bucket(t)
	all := fill(t, s, b, 3*keyvalue.PageSize)
	seen := map[string]bool{}
	listed(t, s, b, func(p keyvalue.Page) {
		for _, key := range p.Keys {
			seen[key] = true
		}
		must(t, s.Set(ctx, b, all[len(all)-1], []byte("changed")))
		must(t, s.DeleteMany(ctx, b, slices.DeleteFunc(slices.Clone(p.Keys), func(key string) bool { return key == all[len(all)-1] })))
	})
	for _, key := range all {
		if !seen[key] {
			t.Fatalf("%q was never listed", key)
		}
	}
	if left := listed(t, s, b, nil); len(left) != 1 {
		t.Errorf("%d keys are left", len(left))
	}
}

func testLeaving(t *testing.T, s *keyvalue.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := Bucket(t)
	want[*keyvalue.UnavailableError](t, s.Set(ctx, b, "key", nil))
	_, err := s.Get(ctx, b, "key")
	want[*keyvalue.UnavailableError](t, err)
	_, err = s.Increment(ctx, b, "key", 1)
	want[*keyvalue.UnavailableError](t, err)
	must(t, s.Set(t.Context(), b, "key", nil))
}
