package wasmtime

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/weft-run/weft/wit"
)

// caller calls the import f: func(x: u32) -> string and returns what it gave.
var caller = echo(&wit.Type{Kind: wit.String})

var errLimit = errors.New("limit")

func TestHostErrors(t *testing.T) {
	for _, tt := range []struct {
		name, message string
		f             HostFunc
		is            error
	}{
		{"error", "reading: limit", func(*HostCall) error { return fmt.Errorf("reading: %w", errLimit) }, errLimit},
		{"panic", "panic: oh", func(*HostCall) error { panic("oh") }, nil},
		{"panic of an error", "panic: limit", func(*HostCall) error { panic(errLimit) }, errLimit},
		{"nil pointer", "nil pointer", func(*HostCall) error { var i *Instance; return i.fault }, nil},
		{"message with NUL and bad UTF-8", "a\x00\uFFFDb", func(*HostCall) error { return errors.New("a\x00\xffb") }, nil},
		{"wrong kind read", "value is a string, not a u8", func(c *HostCall) error { c.Args().At(0).U8(); return nil }, nil},
		{"argument out of range", "out of range", func(c *HostCall) error { c.Args().At(1); return nil }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tmpl := prepare(t, caller, map[string]HostFunc{"f": tt.f}, "run")
			err := callString(t, tmpl, "x")
			trap := trapOf(t, err)
			if trap.Kind != TrapHost || !strings.Contains(trap.Message, tt.message) {
				t.Errorf("trap is %d, %q", trap.Kind, trap.Message)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("%v does not wrap %v", err, tt.is)
			}
			if len(trap.Frames) == 0 {
				t.Error("no backtrace")
			}
		})
	}
}

// TestHostResultOfWrongType sets results that the component's type does not allow.
func TestHostResultOfWrongType(t *testing.T) {
	for name, f := range map[string]HostFunc{
		"not set": func(*HostCall) error { return nil },
		"u8":      func(c *HostCall) error { c.Arena().SetU8(c.Result(), 1); return nil },
		"list":    func(c *HostCall) error { c.Arena().SetList(c.Result(), 3); return nil },
	} {
		err := callString(t, prepare(t, caller, map[string]HostFunc{"f": f}, "run"), "x")
		if err == nil || !strings.Contains(err.Error(), "type mismatch") {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

// TestHostWithoutResult calls a function that returns nothing.
func TestHostWithoutResult(t *testing.T) {
	const text = `(component
  (import "f" (func $f (param "x" u32)))
  (core func $f (canon lower (func $f)))
  (core module $m (import "" "f" (func $f (param i32))) (func (export "run") (call $f (i32.const 7))))
  (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
  (func (export "run") (canon lift (core func $i "run"))))`
	got := uint32(0)
	if err := run(t, prepare(t, text, map[string]HostFunc{"f": func(c *HostCall) error {
		got = c.Args().At(0).U32()
		return nil
	}}, "run"), InstanceConfig{}); err != nil || got != 7 {
		t.Errorf("got %d, error %v", got, err)
	}
	err := run(t, prepare(t, text, map[string]HostFunc{"f": func(c *HostCall) error {
		c.Result()
		return nil
	}}, "run"), InstanceConfig{})
	if trapOf(t, err).Kind != TrapHost {
		t.Errorf("error is %v", err)
	}
}

// TestHostCallsGuest calls another instance from a host function.
func TestHostCallsGuest(t *testing.T) {
	inner := prepare(t, core(`(func (export "run") unreachable)`), nil, "run")
	outer := prepare(t, caller, map[string]HostFunc{"f": func(c *HostCall) error {
		if trapOf(t, oneCall(inner, InstanceConfig{})).Kind != TrapUnreachable {
			return errors.New("inner did not trap")
		}
		return c.Arena().SetString(c.Result(), c.Args().At(0).Bytes())
	}}, "run")
	if err := callString(t, outer, "deep"); err != nil {
		t.Error(err)
	}
}

// callString calls export 0 with a string.
func callString(t testing.TB, tmpl *Template, s string) error {
	t.Helper()
	a := NewArena()
	defer a.Free()
	if err := a.SetString(a.Args(1).At(0), []byte(s)); err != nil {
		t.Fatal(err)
	}
	r, err := instance(t, tmpl, InstanceConfig{}).Call(0, a)
	if err == nil {
		r.Close()
	}
	return err
}

func TestInterfaces(t *testing.T) {
	e := testEngine()
	l := e.NewLinker()
	defer l.Close()
	var log []string
	note := func(name string) HostFunc {
		return func(c *HostCall) error {
			log = append(log, fmt.Sprintf("%s %d %v", name, c.Args().At(0).U32(), c.Data()))
			return nil
		}
	}
	for _, d := range [][2]string{{"demo:log/log@1.0.0", "info"}, {"demo:log/log@1.0.0", "warn"}, {"demo:log/other", "info"}} {
		if err := l.Define(d[0], d[1], note(d[0]+"."+d[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Define("demo:log/other", "info", note("")); err == nil {
		t.Error("a second definition was accepted")
	}
	if err := l.Define("a\xff", "info", note("")); !errors.Is(err, ErrNotUTF8) {
		t.Errorf("error is %v", err)
	}
	tmpl, err := l.Prepare(compile(t, e, `(component
  (import "demo:log/log@1.0.0" (instance $log (export "info" (func (param "x" u32))) (export "warn" (func (param "x" u32)))))
  (import "demo:log/other" (instance $other (export "info" (func (param "x" u32)))))
  (core func $info (canon lower (func $log "info")))
  (core func $warn (canon lower (func $log "warn")))
  (core func $other (canon lower (func $other "info")))
  (core module $m
    (import "" "info" (func $info (param i32))) (import "" "warn" (func $warn (param i32)))
    (import "" "other" (func $other (param i32)))
    (func (export "run") (call $info (i32.const 1)) (call $warn (i32.const 2)) (call $other (i32.const 3))))
  (core instance $i (instantiate $m (with "" (instance (export "info" (func $info)) (export "warn" (func $warn)) (export "other" (func $other))))))
  (func $run (canon lift (core func $i "run")))
  (instance $api (export "run" (func $run)))
  (export "demo:api/api@0.1.0" (instance $api)))`), []Export{{"demo:api/api@0.1.0", "run"}})
	if err != nil {
		t.Fatal(err)
	}
	defer tmpl.Close()
	if err := l.Define("late", "f", note("")); err == nil {
		t.Error("the linker changed after it was used")
	}
	if err := run(t, tmpl, InstanceConfig{Data: "d"}); err != nil {
		t.Fatal(err)
	}
	want := "demo:log/log@1.0.0.info 1 d; demo:log/log@1.0.0.warn 2 d; demo:log/other.info 3 d"
	if got := strings.Join(log, "; "); got != want {
		t.Errorf("log is %s", got)
	}
}

func TestPrepareUnknownExport(t *testing.T) {
	e := testEngine()
	c := compile(t, e, `(component
  (core module $m (func (export "f")))
  (core instance $i (instantiate $m))
  (func $f (canon lift (core func $i "f")))
  (instance $api (export "f" (func $f)))
  (export "api" (instance $api))
  (type $t u8) (export "t" (type $t)))`)
	l := e.NewLinker()
	defer l.Close()
	for _, x := range []Export{{"", "f"}, {"api", "g"}, {"nope", "f"}, {"", "api"}, {"", "t"}, {"t", "f"}, {"api", ""}, {"a\xff", "f"}, {"api", "\xff"}} {
		if _, err := l.Prepare(c, []Export{{"api", "f"}, x}); err == nil {
			t.Errorf("%q was found", x)
		}
	}
}
