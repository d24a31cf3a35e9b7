package wasmtime

import (
	"errors"
	"testing"
)

func TestSmoke(t *testing.T) {
	for _, body := range []string{
		`(func $boom (export "run") unreachable)`,
		`(func $r (export "run") call $r)`,
		`(memory 1) (func (export "run") (drop (i32.load (i32.const -4))))`,
		`(func $_ZN4core9panicking5panic17h0123456789abcdefE (export "run") (drop (i32.div_u (i32.const 1) (i32.const 0))))`,
	} {
		err := run(t, prepare(t, core(body), nil, "run"), InstanceConfig{})
		var trap *Trap
		if !errors.As(err, &trap) {
			t.Fatal(err)
		}
		t.Logf("%d %q %d %+v", trap.Kind, trap.Message, len(trap.Frames), trap.Frames[:1])
	}
}
