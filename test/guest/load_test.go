// Package guest holds the test of what Go components stand on, wit/guest: that nothing traps and nothing grows however
// often one instance is called, whatever it allocates, and from however many goroutines it calls imports.
package guest

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/test/components"
)

var calls = flag.Int("calls", 5000, "how often TestLoad calls its component")

const (
	load = "test:load/load"
	// memory is what the component may use; with a leak of 100 bytes in each call 100,000 of them would need more.
	memory = 64 << 20
	// Of so many calls, one sends and gets a megabyte, and one calls imports from goroutines.
	everyEcho, everyGather = 100, 20

	goroutines, rounds = 4, 4
)

func TestLoad(t *testing.T) {
	i := instance(t, components.Bytes(t, "load-go"), []wasmtime.Export{
		{Interface: load, Function: "turn"}, {Interface: load, Function: "echo"}, {Interface: load, Function: "gather"},
		{Interface: load, Function: "state"},
	}, func(text []byte) { t.Logf("%s", text) })
	arena := wasmtime.NewArena()
	defer arena.Free()
	call := func(export int, write func(wasmtime.Values), n int, read func(wasmtime.Value)) {
		t.Helper()
		write(arena.Args(n))
		result, err := i.Call(export, arena)
		if err != nil {
			t.Fatal(err)
		}
		defer result.Close()
		v, _ := result.Value()
		read(v)
	}

	names, err := wasmtime.NewNames([]string{"name", "weights", "note"})
	if err != nil {
		t.Fatal(err)
	}
	megabyte := []byte(strings.Repeat("weft", 1<<18))
	var collections uint32
	var size uint64
	state := func() {
		call(3, func(wasmtime.Values) {}, 0, func(v wasmtime.Value) {
			collections, size = v.Fields().At(0).U32(), v.Fields().At(1).U64()
		})
	}
	started, warm, imports := time.Now(), uint64(0), uint32(0)
	for n := range *calls {
		switch {
		case n%everyEcho == 0:
			call(1, func(args wasmtime.Values) { set(t, arena, args.At(0), string(megabyte)) }, 1, func(v wasmtime.Value) {
				if string(v.Bytes()) != string(megabyte) {
					t.Fatalf("call %d: the megabyte came back changed", n)
				}
			})
		case n%everyGather == 1:
			call(2, func(args wasmtime.Values) {
				arena.SetU32(args.At(0), goroutines)
				arena.SetU32(args.At(1), rounds)
			}, 2, func(v wasmtime.Value) {
				payload, _, ok := v.Result()
				if !ok {
					t.Fatalf("call %d: %s", n, payload.Bytes())
				}
				imports += payload.U32()
			})
		default:
			call(0, func(args wasmtime.Values) { entries(t, arena, args.At(0), names, n) }, 1, func(v wasmtime.Value) { turned(t, v, n) })
		}
		if n == *calls/5 {
			state()
			warm = size
		}
	}
	state()
	t.Logf("%d calls, %d of imports from %d goroutines, %d collections, memory %d KiB after a fifth and %d KiB at the end, in %v",
		*calls, imports, goroutines, collections, warm>>10, size>>10, time.Since(started).Round(time.Millisecond))
	if size > warm+warm/4 {
		t.Errorf("memory grew from %d to %d bytes", warm, size)
	}
	if collections < 5 {
		t.Errorf("the collector ran %d times: this shows nothing", collections)
	}
}

const entryCount = 10

// entries writes the argument of turn.
func entries(t *testing.T, arena *wasmtime.Arena, v wasmtime.Value, names *wasmtime.Names, n int) {
	t.Helper()
	list := arena.SetList(v, entryCount)
	for at := range entryCount {
		fields := arena.SetRecord(list.At(at), names)
		set(t, arena, fields.At(0), fmt.Sprintf("entry %d of %d", at, n))
		weights := arena.SetList(fields.At(1), at)
		for w := range at {
			arena.SetU32(weights.At(w), uint32(n+w))
		}
		if note := at%2 == 0; note {
			set(t, arena, arena.SetOption(fields.At(2), note), strings.Repeat("note", at))
		} else {
			arena.SetOption(fields.At(2), note)
		}
	}
}

// turned checks the result of turn.
func turned(t *testing.T, v wasmtime.Value, n int) {
	t.Helper()
	list := v.List()
	for at := range entryCount {
		fields := list.At(entryCount - 1 - at).Fields()
		if want := fmt.Sprintf("entry %d of %d", at, n); string(fields.At(0).Bytes()) != want {
			t.Fatalf("call %d: %q, want %q", n, fields.At(0).Bytes(), want)
		}
		weights := fields.At(1).List()
		if weights.Len() != at || at > 0 && weights.At(at-1).U32() != uint32(n+at-1) {
			t.Fatalf("call %d: the weights of entry %d came back changed", n, at)
		}
		if note, some := fields.At(2).Option(); some != (at%2 == 0) || some && string(note.Bytes()) != strings.Repeat("note", at) {
			t.Fatalf("call %d: the note of entry %d came back changed", n, at)
		}
	}
}

func set(t *testing.T, arena *wasmtime.Arena, v wasmtime.Value, text string) {
	t.Helper()
	if err := arena.SetString(v, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// instance makes an instance of a component, with the imports that tests provide.
func instance(t *testing.T, wasm []byte, exports []wasmtime.Export, stderr func([]byte)) *wasmtime.Instance {
	t.Helper()
	e, err := wasmtime.NewEngine(wasmtime.Config{MaxInstances: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	c, err := e.Compile(wasm)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	l := e.NewLinker()
	t.Cleanup(l.Close)
	if err := l.AddWASI(); err != nil {
		t.Fatal(err)
	}
	if err := l.Define("test:load/words", "list-words", listWords); err != nil {
		t.Fatal(err)
	}
	ignore := func(*wasmtime.HostCall) error { return nil }
	if err := l.Define("wasi:logging/logging@0.1.0-draft", "log", ignore); err != nil {
		t.Fatal(err)
	}
	template, err := l.Prepare(c, exports)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(template.Close)
	i, err := template.NewInstance(wasmtime.InstanceConfig{
		Memory: memory, Stderr: stderr,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(i.Close)
	return i
}

func listWords(c *wasmtime.HostCall) error {
	first, count := string(c.Args().At(0).Bytes()), int(c.Args().At(1).U32())
	list := c.Arena().SetList(c.Result(), count)
	for n := range count {
		if err := c.Arena().SetString(list.At(n), fmt.Appendf(nil, "%s-%d", first, n)); err != nil {
			return err
		}
	}
	return nil
}
