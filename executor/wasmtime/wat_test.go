package wasmtime

import (
	"sync"
	"testing"
	"time"
)

// testEngine is the one engine of most tests, with a ticker.
var testEngine = sync.OnceValue(func() *Engine {
	e, err := NewEngine(Config{})
	if err != nil {
		panic(err)
	}
	go func() {
		for range time.Tick(time.Millisecond) {
			e.Tick()
		}
	}()
	return e
})

// effort is how often to repeat what takes n rounds when there is time.
func effort(n int) int {
	switch {
	case debugging:
		return max(1, n/30)
	case testing.Short():
		return max(1, n/5)
	}
	return n
}

// compile compiles the text of a component.
func compile(t testing.TB, e *Engine, text string) *Component {
	t.Helper()
	wasm, err := WatToWasm(text)
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.Compile(wasm)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// prepare makes a template of the text of a component, with WASI, and with functions of the world by name.
func prepare(t testing.TB, text string, funcs map[string]HostFunc, exports ...string) *Template {
	t.Helper()
	e := testEngine()
	l := e.NewLinker()
	t.Cleanup(l.Close)
	if err := l.AddWASI(); err != nil {
		t.Fatal(err)
	}
	for name, f := range funcs {
		if err := l.Define("", name, f); err != nil {
			t.Fatal(err)
		}
	}
	all := make([]Export, len(exports))
	for i, name := range exports {
		all[i].Function = name
	}
	tmpl, err := l.Prepare(compile(t, e, text), all)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tmpl.Close)
	return tmpl
}

// instance makes an instance that lives as long as the test.
func instance(t testing.TB, tmpl *Template, config InstanceConfig) *Instance {
	t.Helper()
	i, err := tmpl.NewInstance(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(i.Close)
	return i
}

// run calls export 0 of a new instance without arguments and returns the error.
func run(t testing.TB, tmpl *Template, config InstanceConfig) error {
	t.Helper()
	i := instance(t, tmpl, config)
	r, err := i.Call(0, nil)
	if err == nil {
		r.Close()
	}
	return err
}

// core wraps the body of a core function without parameters, named run, into a component that exports it.
func core(body string) string {
	return `(component
  (core module $m
    ` + body + `)
  (core instance $i (instantiate $m))
  (func (export "run") (canon lift (core func $i "run"))))`
}
