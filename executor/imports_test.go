package executor

import (
	"slices"
	"strings"
	"testing"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/wasi"
	"github.com/weft-run/weft/wit/wittest"
)

// imported makes a world that imports an interface with some functions.
func imported(id string, functions ...string) *wit.World {
	i := &wit.Interface{ID: id}
	name, version, _ := strings.Cut(id, "@")
	i.Version = version
	i.Namespace, name, _ = strings.Cut(name, ":")
	i.Package, i.Name, _ = strings.Cut(name, "/")
	for _, f := range functions {
		i.Functions = append(i.Functions, &wit.Function{Name: f})
	}
	return &wit.World{Imports: []*wit.Interface{i}}
}

// exported makes a world that exports a function with a parameter of a type.
func exported(t *wit.Type) *wit.World {
	return &wit.World{Exports: []*wit.Interface{{ID: "demo:x/api", Namespace: "demo", Package: "x", Name: "api",
		Functions: []*wit.Function{{Name: "f", Params: []wit.Field{{Name: "v", Type: t}}}}}}}
}

func TestCheckImports(t *testing.T) {
	g := newExecutor(t, Config{})
	u8 := &wit.Type{Kind: wit.U8}
	in := func(t *wit.Type) *wit.Type {
		return &wit.Type{Kind: wit.Record, Fields: []wit.Field{{Name: "a", Type: u8}, {Name: "b", Type: &wit.Type{Kind: wit.List, Elem: t}}}}
	}
	withResource := imported("demo:db/db")
	withResource.Imports[0].Types = []wit.NamedType{{Name: "conn", Resource: &wit.Resource{Name: "conn"}}}
	logs := func(id string, functions ...*wit.Function) *wit.World {
		world := imported(id)
		world.Imports[0].Functions = functions
		return world
	}
	standard := func(id, name string, functions ...string) *wit.World {
		world := imported(id)
		for _, f := range wasi.Interfaces()[name].Functions {
			if slices.Contains(functions, f.Name) {
				world.Imports[0].Functions = append(world.Imports[0].Functions, f)
			}
		}
		return world
	}
	async := exported(u8)
	async.Exports[0].Functions[0].Async = true
	method := exported(u8)
	method.Exports[0].Functions[0].Name = "[method]bucket.get"
	for _, c := range []struct {
		name  string
		world *wit.World
		want  []string // nil: it can run
	}{
		{"nothing", &wit.World{}, nil},
		{"plain types", wittest.MustParse(`package demo:a { interface a { record r { a: u8, b: list<option<string>> } f: func(v: r) -> result<r, r>; } }
			world w { export demo:a/a; }`), nil},
		{"types only", imported("hidden:x/types"), nil},
		{"cli", standard("wasi:cli/environment@0.2.0", "cli/environment", "get-environment"), nil},
		{"later version", standard("wasi:filesystem/types@0.2.99", "filesystem/types", "[method]descriptor.open-at"), nil},
		{"sockets", standard("wasi:sockets/ip-name-lookup@0.2.3", "sockets/ip-name-lookup", "resolve-addresses"), nil},
		{"logging", logs("wasi:logging/logging", logging().Type.Functions...), nil},
		{"logging draft", logs("wasi:logging/logging@0.1.0-draft", logging().Type.Functions...), nil},
		{"wasi export", &wit.World{Exports: []*wit.Interface{{ID: "wasi:cli/run@0.2.0", Namespace: "wasi", Package: "cli", Name: "run",
			Functions: []*wit.Function{{Name: "run", Async: true}}}}}, nil},

		{"provider", imported("demo:inventory/stock@1.0.0", "take"), []string{"import demo:inventory/stock@1.0.0: nobody provides it", "compose"}},
		{"http", imported("wasi:http/outgoing-handler@0.2.0", "handle"), []string{"import wasi:http/outgoing-handler@0.2.0", "no outgoing HTTP", "this node provides", "disableFeatures"}},
		{"key-value", imported("wasi:keyvalue/store@0.2.0", "open"), []string{"wasi:keyvalue/store@0.2.0", "does not provide this part of WASI"}},
		{"wasi 0.3", imported("wasi:cli/environment@0.3.0", "get-environment"), []string{"WASI 0.2"}},
		{"wasi pre-release", imported("wasi:cli/environment@0.2.0-rc-2023-11-10", "get-environment"), []string{"WASI 0.2"}},
		{"unknown function", imported("wasi:clocks/wall-clock@0.2.0", "yesterday"), []string{"wasi:clocks/wall-clock@0.2.0", "no function yesterday; it has now, resolution"}},
		{"other types", imported("wasi:clocks/wall-clock@0.2.0", "now"), []string{"now -> result is nothing, where WASI has record"}},
		{"unknown part", imported("wasi:clocks/sundial@0.2.0", "now"), []string{"wasi:clocks/sundial@0.2.0", "monotonic-clock, wall-clock"}},
		{"logging of another kind", imported("wasi:logging/logging", "flush"), []string{"no function flush; it has log"}},
		{"logging of other types", imported("wasi:logging/logging", "log"), []string{"log() is a function of 0 parameters, where this node has 3"}},
		{"logging of another version", imported("wasi:logging/logging@0.2.0", "log"), []string{"in the versions 0.1.0-draft"}},
		{"resource", withResource, []string{"demo:db/db", "resource conn"}},
		{"function of the world", &wit.World{ImportFunctions: []*wit.Function{{Name: "now"}}}, []string{"import now"}},
		{"module", &wit.World{ImportOthers: []string{"libc"}}, []string{"import libc", "compose"}},

		{"async", async, []string{"export demo:x/api#f", "async"}},
		{"method", method, []string{"demo:x/api#[method]bucket.get", "method of the resource bucket"}},
		{"handle", exported(in(&wit.Type{Kind: wit.Own, Resource: &wit.Resource{Name: "cursor"}})), []string{"demo:x/api#f(v).b[]", "resource cursor"}},
		{"stream", exported(in(&wit.Type{Kind: wit.Stream})), []string{"demo:x/api#f(v).b[]", "stream"}},
		{"future", exported(&wit.Type{Kind: wit.Result, Err: &wit.Type{Kind: wit.Future}}), []string{"demo:x/api#f(v).err", "future"}},
		{"error context", exported(&wit.Type{Kind: wit.Option, Elem: &wit.Type{Kind: wit.ErrorContext}}), []string{"error-context"}},
		{"map", exported(&wit.Type{Kind: wit.Tuple, Fields: []wit.Field{{Type: &wit.Type{Kind: wit.Map, Key: u8, Elem: u8}}}}), []string{"f(v).f0", "map"}},
		{"fixed list", exported(&wit.Type{Kind: wit.Variant, Cases: []wit.Case{{Name: "four", Type: &wit.Type{Kind: wit.FixedList, Elem: u8}}}}), []string{"f(v).four", "fixed-length list"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := g.CheckImports(c.world)
			if c.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			refused(t, err, Unsupported, c.want...)
		})
	}
}

// TestCheckShared expects a walk over types that share their parts to end.
func TestCheckShared(t *testing.T) {
	g := newExecutor(t, Config{})
	typ := &wit.Type{Kind: wit.U8}
	for range 200 {
		typ = &wit.Type{Kind: wit.Tuple, Fields: []wit.Field{{Type: typ}, {Type: typ}}}
	}
	if err := g.CheckImports(exported(typ)); err != nil {
		t.Error(err)
	}
}
