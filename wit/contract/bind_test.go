package contract_test

import (
	"slices"
	"strings"
	"testing"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
	"github.com/weft-run/weft/wit/wittest"
)

// TestMethods checks how results are bound: T as the response, E as a detail.
func TestMethods(t *testing.T) {
	world := wittest.MustParse(`
		package demo:m@1.0.0 { interface m {
			record problem { code: u32 }
			enum code { bad }
			nothing: func();
			plain: func() -> list<u32>;
			own: func(b: bool, a: option<u8>) -> result<u32, problem>;
			wrapped: func() -> result<_, list<code>>;
			no-error: func() -> result<option<string>>;
		} }
		world w {
			export demo:m/m@1.0.0;
			export hello: func() -> string;
		}`)
	built, err := contract.Build(contract.Input{Function: function, World: world})
	if err != nil {
		t.Fatal(err)
	}
	m, hello := built.Services[0], built.Services[1]
	if m.Name != "demo.m.v1.M" || m.Interface != "demo:m/m@1.0.0" || hello.Name != "demo_fn.Functions" || hello.Interface != "" {
		t.Errorf("services are %+v and %+v", m, hello)
	}
	nothing, plain, own, wrapped, noError := m.Methods[0], m.Methods[1], m.Methods[2], m.Methods[3], m.Methods[4]
	if nothing.Name != "Nothing" || nothing.Request != "demo.m.v1.NothingRequest" || nothing.Response != "demo.m.v1.NothingResponse" ||
		nothing.Result != nil || nothing.Fallible || nothing.Error != nil || nothing.Function.Name != "nothing" {
		t.Errorf("nothing is %+v", nothing)
	}
	if r := plain.Result; r.Name != "value" || r.Number != 1 || r.Label != contract.Repeated || r.Shape.Kind != wit.U32 || plain.Fallible {
		t.Errorf("plain returns %+v", r)
	}
	if e := own.Error; !own.Fallible || own.Result.Shape.Kind != wit.U32 || e.Message != "demo.m.v1.Problem" || e.Field != nil || e.Shape.Fields[0].Name != "code" {
		t.Errorf("own is %+v, error %+v", own, e)
	}
	if p := own.Params; p[0].Name != "b" || p[0].Number != 1 || p[1].Name != "a" || p[1].Number != 2 || p[1].Label != contract.Optional || p[1].Shape.Kind != wit.U8 {
		t.Errorf("parameters are %+v", p)
	}
	if e := wrapped.Error; wrapped.Result != nil || e.Message != "demo.m.v1.WrappedError" || e.Shape != nil || e.Field.Label != contract.Repeated ||
		e.Field.Shape.Message != "demo.m.v1.Code" || !slices.Equal(e.Field.Shape.Numbers, []int32{1}) {
		t.Errorf("wrapped is %+v, error %+v", wrapped, e)
	}
	if noError.Error != nil || !noError.Fallible || noError.Result.Label != contract.Optional {
		t.Errorf("no-error is %+v", noError)
	}
}

// TestUnion has two functions that know different parts of one interface: the contract has both, and each is bound by
// what it has.
func TestUnion(t *testing.T) {
	old := wittest.MustParse(`package demo:u@1.0.0 { interface u {
		enum e { b }
		record r { z: u32, a: string }
		f: func(r: r) -> e;
	} } world w { export demo:u/u@1.0.0; }`)
	grown := wittest.MustParse(`package demo:u@1.3.0 { interface u {
		enum e { a, b }
		record r { y: option<u32>, a: string, z: u32 }
		g: func();
		f: func(more: list<r>, r: r) -> e;
	} } world w { export demo:u/u@1.3.0; }`)
	stored := make(map[string]*weftv1.Contract)
	for _, world := range []*wit.World{old, grown, old} {
		built, err := contract.Build(contract.Input{Function: function, World: world, Stored: stored})
		if err != nil {
			t.Fatal(err)
		}
		stored["demo.u.v1"] = built.Contracts[0]
	}
	if v := stored["demo.u.v1"].GetVersion(); v != 2 {
		t.Errorf("version is %d after the old one came back, want 2", v)
	}
	tests := []struct {
		world   *wit.World
		methods []string
		numbers []int32 // of the parameters and their fields
		values  []int32
	}{
		{old, []string{"F"}, []int32{1, 1, 2}, []int32{1}},
		{grown, []string{"G", "F"}, []int32{2, 3, 2, 1, 1, 3, 2, 1}, []int32{2, 1}},
	}
	for _, test := range tests {
		services, err := contract.Bind(function, test.world, stored)
		if err != nil {
			t.Fatal(err)
		}
		var methods []string
		for _, m := range services[0].Methods {
			methods = append(methods, m.Name)
		}
		f := services[0].Methods[len(methods)-1]
		if got := numbers(services); !slices.Equal(methods, test.methods) || !slices.Equal(got, test.numbers) || !slices.Equal(f.Result.Shape.Numbers, test.values) {
			t.Errorf("methods %v, numbers %v, values %v; want %v, %v, %v", methods, got, f.Result.Shape.Numbers, test.methods, test.numbers, test.values)
		}
	}
}

// TestBindUnknown binds worlds that the contracts were not built from.
func TestBindUnknown(t *testing.T) {
	built, err := contract.Build(contract.Input{Function: function, World: wittest.MustParse(shop)})
	if err != nil {
		t.Fatal(err)
	}
	contracts := map[string]*weftv1.Contract{"demo.shop": built.Contracts[0]}
	tests := []struct{ old, new, want string }{
		{"demo:shop", "demo:other", "demo:other/shop: there is no contract for proto package demo.other"},
		{"buy:", "sell:", "demo:shop/shop#sell(): the contract of demo.shop does not know it"},
		{"small", "tiny", "demo:shop/shop#size.tiny: the contract of demo.shop has no value for it"},
		{"name: string", "name: u32", "demo:shop/shop#item.name: it is u32, and string in the contract of demo.shop"},
		{"record item", "record thing", "demo:shop/shop#thing: the contract of demo.shop does not know it"},
	}
	for _, test := range tests {
		text := strings.ReplaceAll(strings.ReplaceAll(shop, test.old, test.new), "item: item", "item: "+map[bool]string{true: "thing", false: "item"}[test.new == "record thing"])
		_, err := contract.Bind(function, wittest.MustParse(text), contracts)
		wantRefused(t, err, test.want)
	}
}

func TestBreakingError(t *testing.T) {
	change := func(path string) *weftv1.Change {
		return &weftv1.Change{Path: path, Description: "field removed", Breaking: true}
	}
	err := &contract.BreakingError{Changes: []*weftv1.Change{change("a.B.c"), change("a.B.d"), change("a.B.e"), change("a.B.f"), change("a.B.g")}}
	want := "a.B.c: field removed; a.B.d: field removed; a.B.e: field removed; and 2 more (callers would break; --allow-breaking accepts it)"
	if err.Error() != want {
		t.Errorf("message is %q, want %q", err, want)
	}
}
