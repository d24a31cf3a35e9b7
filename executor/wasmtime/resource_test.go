package wasmtime

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// jars is a component that imports an interface with a resource, and a second one that uses it. Its exports do what their
// names say with jars that it gets from open, each opened with the number 7; what a function returns is a sum.
const jars = `(component
  (import "test:jars/store" (instance $store
    (export "jar" (type $jar (sub resource)))
    (export "lid" (type $lid (sub resource)))
    (export "open" (func (param "n" u32) (result (result (own $jar)))))
    (export "open-lid" (func (result (own $lid))))
    (export "[method]jar.get" (func (param "self" (borrow $jar)) (result u32)))
    (export "swap" (func (param "jar" (own $jar)) (result (own $jar))))))
  (alias export $store "jar" (type $jar))
  (import "test:jars/more" (instance $more
    (alias outer 1 $jar (type $outer))
    (export "jar" (type $own-jar (eq $outer)))
    (export "add" (func (param "a" (borrow $own-jar)) (param "b" (borrow $own-jar)) (result u32)))))
  (core module $libc (memory (export "memory") 1))
  (core instance $libc (instantiate $libc))
  (core func $open (canon lower (func $store "open") (memory $libc "memory")))
  (core func $open-lid (canon lower (func $store "open-lid")))
  (core func $get (canon lower (func $store "[method]jar.get")))
  (core func $swap (canon lower (func $store "swap")))
  (core func $add (canon lower (func $more "add")))
  (core func $drop (canon resource.drop $jar))
  (core module $m
    (import "" "memory" (memory 1))
    (import "" "open" (func $low-open (param i32 i32)))
    (import "" "open-lid" (func $open-lid (result i32)))
    (import "" "get" (func $get (param i32) (result i32)))
    (import "" "swap" (func $swap (param i32) (result i32)))
    (import "" "add" (func $add (param i32 i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func $open (result i32)
      (call $low-open (i32.const 7) (i32.const 64))
      (if (i32.load8_u (i32.const 64)) (then unreachable))
      (i32.load (i32.const 68)))
    (func (export "keep") (result i32) (call $get (call $open)))
    (func (export "drop") (result i32) (local $h i32)
      (local.set $h (call $open))
      (call $get (local.get $h))
      (call $drop (local.get $h)))
    (func (export "add") (result i32) (call $add (call $open) (call $open)))
    (func (export "swap") (result i32) (call $get (call $swap (call $open))))
    (func (export "forge") (result i32) (drop (call $open)) (call $get (i32.const 1000)))
    (func (export "reuse") (result i32) (local $h i32)
      (local.set $h (call $open))
      (call $drop (local.get $h))
      (call $get (local.get $h)))
    (func (export "moved") (result i32) (local $h i32)
      (local.set $h (call $open))
      (drop (call $swap (local.get $h)))
      (call $drop (local.get $h))
      (call $drop (local.get $h))
      (i32.const 0))
    (func (export "mix") (result i32) (call $get (call $open-lid)))
    (func (export "hoard") (result i32) (loop (drop (call $open)) (br 0)) (i32.const 0)))
  (core instance $i (instantiate $m (with "" (instance
    (export "memory" (memory $libc "memory")) (export "open" (func $open)) (export "open-lid" (func $open-lid))
    (export "get" (func $get)) (export "swap" (func $swap)) (export "add" (func $add)) (export "drop" (func $drop))))))
  (func (export "keep") (result u32) (canon lift (core func $i "keep")))
  (func (export "drop") (result u32) (canon lift (core func $i "drop")))
  (func (export "add") (result u32) (canon lift (core func $i "add")))
  (func (export "swap") (result u32) (canon lift (core func $i "swap")))
  (func (export "forge") (result u32) (canon lift (core func $i "forge")))
  (func (export "reuse") (result u32) (canon lift (core func $i "reuse")))
  (func (export "moved") (result u32) (canon lift (core func $i "moved")))
  (func (export "mix") (result u32) (canon lift (core func $i "mix")))
  (func (export "hoard") (result u32) (canon lift (core func $i "hoard"))))`

// shelf is the host's side of jars: it counts.
type shelf struct {
	tmpl           *Template
	exports        []string
	opened         int
	dropped        []any
	refused        error
	jar, lid       *ResourceType
	failAfterwards error
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{exports: []string{"keep", "drop", "add", "swap", "forge", "reuse", "moved", "mix", "hoard"}}
	s.jar = NewResourceType("jar", func(v any) { s.dropped = append(s.dropped, v) })
	s.lid = NewResourceType("lid", nil)
	l := testEngine().NewLinker()
	t.Cleanup(l.Close)
	err := errors.Join(
		l.DefineResource("test:jars/store", "jar", s.jar), l.DefineResource("test:jars/store", "lid", s.lid),
		l.Define("test:jars/store", "open", s.open),
		l.Define("test:jars/store", "open-lid", func(c *HostCall) error { return c.SetResource(c.Result(), s.lid, "lid") }),
		l.Define("test:jars/store", "[method]jar.get", func(c *HostCall) error {
			v, err := c.Resource(0, s.jar)
			if err == nil {
				c.Arena().SetU32(c.Result(), uint32(v.(int)))
			}
			return err
		}),
		l.Define("test:jars/store", "swap", func(c *HostCall) error {
			v, err := c.Resource(0, s.jar)
			return errors.Join(err, c.SetResource(c.Result(), s.jar, v.(int)+1))
		}),
		l.Define("test:jars/more", "add", func(c *HostCall) error {
			a, err := c.Resource(0, s.jar)
			b, err2 := c.Resource(1, s.jar)
			c.Arena().SetU32(c.Result(), uint32(a.(int)+b.(int)))
			return errors.Join(err, err2)
		}))
	if err != nil {
		t.Fatal(err)
	}
	exports := make([]Export, len(s.exports))
	for i, name := range s.exports {
		exports[i].Function = name
	}
	s.tmpl, err = l.Prepare(compile(t, testEngine(), jars), exports)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.tmpl.Close)
	return s
}

func (s *shelf) open(c *HostCall) error {
	s.opened++
	err := c.SetResource(c.Arena().SetResult(c.Result(), true, true), s.jar, int(c.Args().At(0).U32()))
	if err != nil {
		s.refused = err
		return err
	}
	return s.failAfterwards
}

// call calls an export of a fresh instance.
func (s *shelf) call(t *testing.T, name string) (got uint32, atEnd int, err error) {
	t.Helper()
	i, err := s.tmpl.NewInstance(InstanceConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	r, err := i.Call(slices.Index(s.exports, name), nil)
	if err != nil {
		return 0, len(s.dropped), err
	}
	defer r.Close()
	v, _ := r.Value()
	return v.U32(), len(s.dropped), nil
}

func TestResources(t *testing.T) {
	for name, want := range map[string]struct {
		got     uint32
		opened  int
		atEnd   int   // how many are dropped when the call has returned
		dropped []any // when the instance is closed
	}{
		"keep": {7, 1, 0, []any{7}},
		"drop": {7, 1, 1, []any{7}},
		"add":  {14, 2, 0, []any{7, 7}},
		"swap": {8, 1, 1, []any{7, 8}},
	} {
		s := newShelf(t)
		got, atEnd, err := s.call(t, name)
		if err != nil || got != want.got || s.opened != want.opened || atEnd != want.atEnd || !slices.Equal(s.dropped, want.dropped) {
			t.Errorf("%s: got %d, error %v, %d opened, %d dropped at the end, then %v", name, got, err, s.opened, atEnd, s.dropped)
		}
	}
}

// TestResourceMisuse has guests use handles that they do not have.
func TestResourceMisuse(t *testing.T) {
	for name, message := range map[string]string{
		"forge": "unknown handle index 1000", "reuse": "unknown handle index", "moved": "unknown handle index",
		"mix": "handle index 1 used with the wrong type",
	} {
		s := newShelf(t)
		if _, _, err := s.call(t, name); err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%s: error is %v", name, err)
		}
		if jars := len(s.dropped); name != "mix" && jars < s.opened {
			t.Errorf("%s: %d of %d were dropped", name, jars, s.opened)
		}
	}
}

// TestResourceBound has a guest open resources for ever.
func TestResourceBound(t *testing.T) {
	s := newShelf(t)
	if _, _, err := s.call(t, "hoard"); !errors.Is(err, ErrTooManyResources) {
		t.Errorf("error is %v", err)
	}
	if s.opened != MaxResources+1 || len(s.dropped) != MaxResources {
		t.Errorf("%d opened, %d dropped", s.opened, len(s.dropped))
	}
}

// TestResourceOfFailedFunction has a function fail after it has made a resource.
func TestResourceOfFailedFunction(t *testing.T) {
	s := newShelf(t)
	s.failAfterwards = errLimit
	if _, _, err := s.call(t, "keep"); !errors.Is(err, errLimit) || len(s.dropped) != 1 {
		t.Errorf("error is %v, %d dropped", err, len(s.dropped))
	}
}
