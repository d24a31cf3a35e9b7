package wasmtime

import (
	"fmt"
	"strings"
	"testing"
)

// tree is functions of which each calls the next one in so many places.
func tree(levels, places int, call string) string {
	var b strings.Builder
	for n := range levels {
		fmt.Fprintf(&b, "(func $f%d %s)\n", n, strings.Repeat(fmt.Sprintf(call, n+1), places))
	}
	fmt.Fprintf(&b, "(func $f%d) (table funcref (elem", levels)
	for n := range levels + 1 {
		fmt.Fprintf(&b, " $f%d", n)
	}
	return b.String() + "))"
}

// endlessCalls are calls of $f0 that go on forever, or for longer than anybody waits, without a loop.
var endlessCalls = []struct{ name, text string }{
	{"of itself", `(func $f0 (return_call $f0))`},
	{"of three that call each other", `(func $f0 (return_call $f1)) (func $f1 (return_call $f2)) (func $f2 (return_call $f0))`},
	{"of another on the way", `(func $f0 (call $f1) (return_call $f0)) (func $f1)`},
	{"by a table", `(func $f0 (return_call_indirect (i32.const 0))) (table funcref (elem $f0))`},
	{"by a table, of one that goes there", `(func $f0 (return_call $f1)) (func $f1 (return_call_indirect (i32.const 0))) (table funcref (elem $f0))`},
	{"a tree of two branches", tree(60, 2, " (call $f%d)")},
	{"a tree of many branches", tree(12, 100, " (call $f%d)")},
	{"a tree by a table", tree(60, 2, " (call_indirect (i32.const %d))")},
}

// TestCallsEnd expects such calls to look at the epoch again and again, and to be stopped.
func TestCallsEnd(t *testing.T) {
	for _, c := range endlessCalls {
		t.Run(c.name, func(t *testing.T) {
			it := NewInterrupt()
			defer it.Close()
			tmpl := prepareOn(t, testEngine(), core(c.text+`(func (export "run") (call $f0))`))
			ended := make(chan error, 1)
			go func() { ended <- oneCall(tmpl, InstanceConfig{Interrupt: it}) }()
			if trap := stopped(t, it, ended); trap.Kind != TrapInterrupted {
				t.Errorf("trap is %d, %s", trap.Kind, trap.Message)
			}
		})
	}
}
