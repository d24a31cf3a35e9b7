package wasmtime

import (
	"errors"
	"runtime"
	"testing"
)

// grow makes the goroutine's stack larger than what it needs, so that the next collection makes it smaller.
//
//go:noinline
func grow(frames int) int {
	if frames == 0 {
		return 0
	}
	return 1 + grow(frames-1)
}

// TestStackMoves has collections move goroutines' stacks while they are on their way into C and back: what C writes must not arrive
// where the stack was.
func TestStackMoves(t *testing.T) {
	const text = "(component)"
	e := testEngine()
	wasm, err := WatToWasm(text)
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.Compile(wasm)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	code, err := c.Serialize()
	if err != nil {
		t.Fatal(err)
	}
	_, refused := e.Compile([]byte("("))
	trapping := prepare(t, core(`(func (export "run") unreachable)`), nil, "run")
	for name, holds := range map[string]func() bool{
		"WatToWasm": func() bool { got, err := WatToWasm(text); return err == nil && string(got) == string(wasm) },
		"Serialize": func() bool { got, err := c.Serialize(); return err == nil && len(got) == len(code) },
		"an error":  func() bool { _, err := e.Compile([]byte("(")); return err != nil && err.Error() == refused.Error() },
		"a trap": func() bool {
			i, err := trapping.NewInstance(InstanceConfig{})
			if err != nil {
				return false
			}
			defer i.Close()
			_, err = i.Call(0, nil)
			trap, ok := errors.AsType[*Trap](err)
			return ok && trap.Kind == TrapUnreachable && len(trap.Frames) == 1
		},
	} {
		t.Run(name, func(t *testing.T) {
			over, ended := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(ended)
				for n := 1; ; n++ {
					if grow(300) != 300 || !holds() {
						t.Errorf("what the %d. call gave is not what it should be", n)
						return
					}
					select {
					case <-over:
						return
					default:
					}
				}
			}()
			for range 500 {
				runtime.GC()
			}
			close(over)
			<-ended
		})
	}
}
