package control

import (
	"encoding/json"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/weft-run/weft/test/wat"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/component"
	"github.com/weft-run/weft/wit/contract"
)

// everything is an interface with a parameter of every type.
func everything() *wit.World {
	api := &wit.Interface{ID: "demo:all/api@1.0.0", Namespace: "demo", Package: "all", Name: "api", Version: "1.0.0"}
	named := func(t wit.Type) *wit.Type {
		t.Interface = api
		api.Types = append(api.Types, wit.NamedType{Name: t.Name, Type: &t})
		return &t
	}
	of := func(k wit.Kind) *wit.Type { return &wit.Type{Kind: k} }
	level := named(wit.Type{Kind: wit.Enum, Name: "log-level", Cases: []wit.Case{{Name: "low"}, {Name: "high"}}})
	point := named(wit.Type{Kind: wit.Record, Name: "point", Fields: []wit.Field{{Name: "x-pos", Type: of(wit.S32)}, {Name: "level", Type: level}}})
	shape := named(wit.Type{Kind: wit.Variant, Name: "shape", Cases: []wit.Case{{Name: "dot"}, {Name: "at", Type: point}}})
	access := named(wit.Type{Kind: wit.Flags, Name: "access", Cases: []wit.Case{{Name: "read"}, {Name: "write"}}})
	list := func(t *wit.Type) *wit.Type { return &wit.Type{Kind: wit.List, Elem: t} }
	option := func(t *wit.Type) *wit.Type { return &wit.Type{Kind: wit.Option, Elem: t} }
	types := []*wit.Type{
		of(wit.Bool), of(wit.S8), of(wit.U8), of(wit.S64), of(wit.U64), of(wit.F32), of(wit.F64), of(wit.Char), of(wit.String),
		level, point, shape, access, list(of(wit.U8)), list(point), list(list(level)), option(of(wit.String)), list(option(point)),
		{Kind: wit.Tuple, Fields: []wit.Field{{Type: of(wit.Char)}, {Type: point}}},
		{Kind: wit.Result, Ok: point, Err: of(wit.String)}, {Kind: wit.Result},
		option(option(of(wit.U8))), option(list(of(wit.U8))),
	}
	f := &wit.Function{Name: "try"}
	for i, t := range types {
		f.Params = append(f.Params, wit.Field{Name: "p-" + string(rune('a'+i)), Type: t})
	}
	api.Functions = []*wit.Function{f}
	return &wit.World{Exports: []*wit.Interface{api}}
}

func build(t *testing.T, world *wit.World) *contract.Built {
	t.Helper()
	built, err := contract.Build(contract.Input{Function: "all", World: world})
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// TestSampleFits: a sample is accepted as JSON of the request's message, and has all that must be there.
func TestSampleFits(t *testing.T) {
	calc, err := component.Decode(wat.Guest{}.Bytes(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, world := range map[string]*wit.World{"every type": everything(), "calc": calc} {
		t.Run(name, func(t *testing.T) {
			built := build(t, world)
			set, err := contract.Files(built.Contracts)
			if err != nil {
				t.Fatal(err)
			}
			files, err := protodesc.NewFiles(set)
			if err != nil {
				t.Fatal(err)
			}
			samples := newSampler(built.Contracts)
			for _, m := range built.Services[0].Methods {
				text := samples.request(m)
				d, err := files.FindDescriptorByName(protoreflect.FullName(m.Request))
				if err != nil {
					t.Fatal(err)
				}
				message := dynamicpb.NewMessage(d.(protoreflect.MessageDescriptor))
				if err := protojson.Unmarshal([]byte(text), message); err != nil {
					t.Fatalf("%s: %v\n%s", m.Name, err, text)
				}
				for _, p := range m.Params {
					if p.Label == contract.Single && p.Shape.Required() && !message.Has(message.Descriptor().Fields().ByNumber(protoreflect.FieldNumber(p.Number))) {
						t.Errorf("%s: %s is missing in %s", m.Name, p.Name, text)
					}
				}
			}
		})
	}
}

func TestSampleIsReadable(t *testing.T) {
	built := build(t, everything())
	text := newSampler(built.Contracts).request(built.Services[0].Methods[0])
	var got map[string]any
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	point, ok := got["pK"].(map[string]any)
	if !ok || point["level"] != "LOG_LEVEL_LOW" || point["xPos"] != 1.0 {
		t.Errorf("a record is %v in %s", got["pK"], text)
	}
	if _, ok := got["pQ"]; ok {
		t.Errorf("an option is set in %s", text)
	}
}

// TestSampleIsBounded: types that double with each level can't make a sample long, nor its making.
func TestSampleIsBounded(t *testing.T) {
	api := &wit.Interface{ID: "demo:deep/api@1.0.0", Namespace: "demo", Package: "deep", Name: "api", Version: "1.0.0"}
	deep := &wit.Type{Kind: wit.U8}
	for i := range 40 {
		deep = &wit.Type{
			Kind: wit.Record, Name: "r" + strings.Repeat("x", i), Interface: api,
			Fields: []wit.Field{{Name: "a", Type: deep}, {Name: "b", Type: deep}},
		}
		api.Types = append(api.Types, wit.NamedType{Name: deep.Name, Type: deep})
	}
	api.Functions = []*wit.Function{{Name: "try", Params: []wit.Field{{Name: "deep", Type: deep}}}}
	built := build(t, &wit.World{Exports: []*wit.Interface{api}})
	if text := newSampler(built.Contracts).request(built.Services[0].Methods[0]); text != "" {
		t.Errorf("a sample of %d bytes", len(text))
	}
}
