package transcode_test

import (
	"bytes"
	"testing"

	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/test/components"
	"github.com/weft-run/weft/test/hostile"
	"github.com/weft-run/weft/wit/transcoder"
)

// TestHostile sends the methods of the conformance component what no encoder writes, both ways.
func TestHostile(t *testing.T) {
	p := newTwoPaths(t, engineOfBytes(t), "conformance", components.Bytes(t, "conformance"), "test.conformance.v1.Shapes", true)
	messages := hostile.Messages()
	for n := range p.methods {
		for _, message := range messages {
			p.compare(t, n, message, false)
		}
	}
	t.Logf("%d messages, %d methods", len(messages), len(p.methods))
}

// TestUnfolding sends lists that unfold to far more than their bytes. With 16 times the memory of the request, which is what the
// executor makes sure of, the transcoder answers, or leaves them to the plain path before they take more.
func TestUnfolding(t *testing.T) {
	p := newTwoPaths(t, engineOfBytes(t), "conformance", components.Bytes(t, "conformance"), "test.conformance.v1.Shapes", true)
	const size, memory = 1 << 20, 16 << 20
	argument, _ := transcoder.Argument(bytes.Repeat([]byte{0x0a, 0}, size/2), memory)
	refused := 0
	for n, m := range p.methods {
		i, err := p.wrapped.NewInstance(wasmtime.InstanceConfig{Memory: memory})
		must(err)
		r, err := i.CallBytes(n, wasmtime.ReturnsBytes, argument)
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
		} else {
			if r.Value()[0] == transcoder.Refused {
				refused++
			}
			r.Close()
		}
		i.Close()
	}
	if refused == 0 {
		t.Error("nothing was too much for the transcoder")
	}
}
