package compose_test

import (
	"testing"

	"github.com/weft-run/weft/executor/wasmtime" //nolint:depguard // tests run what they compose
	"github.com/weft-run/weft/test/components"
	"github.com/weft-run/weft/wit/compose"
)

// BenchmarkInstance makes and drops instances of a provider in Rust alone, and of a caller in Rust that is linked with it, with and without
// an environment of its own: what linking costs each call of the caller, whether it calls the provider or not.
//
//	go test ./wit/compose -run '^$' -bench Instance
func BenchmarkInstance(b *testing.B) {
	caller, provider := part(b, "caller", components.Bytes(b, "relay")), part(b, "provider", components.Bytes(b, "conformance"))
	for _, i := range caller.World.Imports {
		if i.Namespace == "test" && len(i.Functions) > 0 {
			caller.Links = append(caller.Links, same(i.ID, 1))
		}
	}
	own := provider
	own.HasEnvironment = true
	for name, parts := range map[string][]compose.Part{"provider": {provider}, "linked": {caller, provider}, "environment": {caller, own}} {
		b.Run(name, func(b *testing.B) { instances(b, composed(b, parts...)) })
	}
}

func instances(b *testing.B, data []byte) {
	b.Helper()
	engine, err := wasmtime.NewEngine(wasmtime.Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer engine.Close()
	c, err := engine.Compile(data)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	linker := engine.NewLinker()
	defer linker.Close()
	if err := linker.AddWASI(); err != nil {
		b.Fatal(err)
	}
	logs := func(*wasmtime.HostCall) error { return nil }
	if err := linker.Define("wasi:logging/logging@0.1.0-draft", "log", logs); err != nil {
		b.Fatal(err)
	}
	template, err := linker.Prepare(c, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer template.Close()
	for b.Loop() {
		interrupt := wasmtime.NewInterrupt()
		i, err := template.NewInstance(wasmtime.InstanceConfig{Interrupt: interrupt})
		if err != nil {
			b.Fatal(err)
		}
		i.Close()
		interrupt.Close()
	}
}
