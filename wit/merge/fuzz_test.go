package merge_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/weft-run/weft/executor/wasmtime" //nolint:depguard // the engine says what is valid
	"github.com/weft-run/weft/wit/component"
	"github.com/weft-run/weft/wit/merge"
)

// FuzzComponent merges whatever it gets. Of a component that compiles comes one that compiles, with the same world.
func FuzzComponent(f *testing.F) {
	for _, text := range []string{built, all, pair("", "", "")} {
		f.Add(binary(f, text))
	}
	texts, err := filepath.Glob("../component/testdata/*.wat")
	if err != nil || len(texts) == 0 {
		f.Fatalf("no components of package component: %v", err)
	}
	for _, path := range texts {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(binary(f, string(text)))
	}
	engine, err := wasmtime.NewEngine(wasmtime.Config{Compiler: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(engine.Close)
	f.Fuzz(func(t *testing.T, before []byte) {
		after, err := merge.Component(before)
		if err != nil {
			if !errors.Is(err, merge.ErrAsItIs) {
				t.Fatal(err)
			}
			return
		}
		c, err := engine.Compile(before)
		if err != nil {
			return
		}
		c.Close()
		if c, err = engine.Compile(after); err != nil {
			t.Fatalf("merged: %v", err)
		}
		c.Close()
		want, err := component.Decode(before)
		if err != nil {
			return
		}
		if got, err := component.Decode(after); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("another world: %v", err)
		}
	})
}
