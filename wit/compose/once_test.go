package compose_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/weft-run/weft/executor/wasmtime" //nolint:depguard // tests run what they compose
	"github.com/weft-run/weft/wit/compose"
)

// after is a component whose function traps once its result was read; more is other content of the component, before that function.
func after(more string) string {
	return fmt.Sprintf(`(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "run") (param i32) (result i32) (local.get 0))
    (func (export "after") (param i32) unreachable))
  (core instance $i (instantiate $m))
  %s
  (func (export "run") (param "n" u32) (result u32)
    (canon lift (core func $i "run") (memory $i "memory") string-encoding=utf8 (post-return (func $i "after")))))`, more)
}

// TestOnce expects that nothing runs behind the result of a part that is called once, if all who may call it are known.
func TestOnce(t *testing.T) {
	const (
		many = `(alias core export $i "after" (core func)) `
		// core code in a component inside, which might call the function
		inside = `(component (core module) (core instance (instantiate 0)))`
	)
	for name, tt := range map[string]struct {
		more        string
		once, traps bool
	}{
		"as it is":                   {"", false, true},
		"once":                       {"", true, false},
		"once, beside others":        {`(type $r (resource (rep i32))) (core func (canon resource.new $r)) (core func (canon resource.drop $r))`, true, false},
		"once, numbers of two bytes": {string(bytes.Repeat([]byte(many), 200)), true, false},
		"once, a component inside":   {`(component)`, true, false},
		"once, code inside":          {inside, true, true},
		"once, code deep inside":     {`(component ` + inside + `)`, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := text(t, "after", after(tt.more))
			before := bytes.Clone(p.Component)
			p.Once = tt.once
			data := composed(t, p)
			got, err := run(t, data, wasmtime.Export{Function: "run"}, 7)
			if tt.traps != (err != nil) || err == nil && got != 7 {
				t.Errorf("it returns %d, %v", got, err)
			}
			if !bytes.Equal(p.Component, before) {
				t.Error("the part was changed")
			}
			p.Once = false
			if len(composed(t, p)) != len(data) {
				t.Error("the size differs")
			}
			if placed, err := compose.Read(data); err != nil || placed[0].Size != int64(len(before)) {
				t.Errorf("it is read as %v, %v", placed, err)
			}
		})
	}
}
