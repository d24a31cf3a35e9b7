package contract_test

import (
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/wit/contract"
	"github.com/weft-run/weft/wit/wittest"
)

// TestSeed carries the contracts of each golden case to another namespace, as `weft deploy --contract` does, where
// every revision must get the names and numbers that it has at home.
func TestSeed(t *testing.T) {
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			h := replay(t, filepath.Join("testdata", name))
			seeds := make(map[string]*weftv1.Contract)
			for pkg, c := range h.contracts {
				data, err := proto.Marshal(c)
				if err != nil {
					t.Fatal(err)
				}
				seeds[pkg] = new(weftv1.Contract)
				if err := proto.Unmarshal(data, seeds[pkg]); err != nil {
					t.Fatal(err)
				}
			}
			last := h.revisions[len(h.revisions)-1]
			built, err := contract.Build(contract.Input{Function: function, World: last.world, Seeds: seeds})
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(built.Services, last.services) {
				t.Error("the numbers are others")
			}
			for _, c := range built.Changed {
				if c.GetVersion() != 1 || built.Base[c.GetPackage()] != 0 {
					t.Errorf("version of %s is %d", c.GetPackage(), c.GetVersion())
				}
				c = proto.CloneOf(c)
				c.Version = seeds[c.GetPackage()].GetVersion()
				if !proto.Equal(c, seeds[c.GetPackage()]) {
					t.Errorf("%s is not what was carried over", c.GetPackage())
				}
			}
			stored := make(map[string]*weftv1.Contract)
			for _, c := range built.Contracts {
				stored[c.GetPackage()] = c
			}
			if len(stored) < len(h.contracts) {
				return // the revisions are of different packages
			}
			for i, r := range h.revisions {
				if services, err := contract.Bind(function, r.world, stored); err != nil || !reflect.DeepEqual(services, r.services) {
					t.Errorf("revision %d has other numbers: %v", i+1, err)
				}
			}
		})
	}
}

const shop = `package demo:shop { interface shop {
	enum size { small, large }
	record item { name: string, size: size, tags: list<string> }
	variant answer { yes(u32), no }
	buy: func(item: item) -> result<answer, string>;
} } world w { export demo:shop/shop; }`

// TestStoredFirst checks that a seed counts only where nothing is stored.
func TestStoredFirst(t *testing.T) {
	world := wittest.MustParse(shop)
	built, err := contract.Build(contract.Input{Function: function, World: world})
	if err != nil {
		t.Fatal(err)
	}
	stored := map[string]*weftv1.Contract{"demo.shop": built.Contracts[0]}
	seeds := map[string]*weftv1.Contract{"demo.shop": {Package: "damaged"}}
	again, err := contract.Build(contract.Input{Function: function, World: world, Stored: stored, Seeds: seeds})
	if err != nil || len(again.Changed) > 0 {
		t.Errorf("%v, %v", err, again)
	}
}

// protoFirst is what somebody wrote by hand, without claims: other numbers, a zero that is a case, a field that
// the component does not have.
const protoFirst = `
	package: "demo.shop"
	files {
		name: "demo/shop/shop.proto" package: "demo.shop" syntax: "proto3"
		options { go_package: "example.com/shop" java_package: "com.example.shop" }
		message_type {
			name: "Item"
			field { name: "size" number: 7 label: LABEL_OPTIONAL type: TYPE_ENUM type_name: ".demo.shop.Size" }
			field { name: "name" number: 3 label: LABEL_OPTIONAL type: TYPE_STRING }
			field { name: "weight" number: 9 label: LABEL_OPTIONAL type: TYPE_DOUBLE }
			reserved_range { start: 10 end: 12 }
		}
		message_type { name: "BuyRequest" field { name: "item" number: 4 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".demo.shop.Item" } }
		message_type { name: "BuyResponse" }
		enum_type { name: "Size" value { name: "SIZE_SMALL" number: 0 } value { name: "SIZE_LARGE" number: 5 } }
		service { name: "Shop" method { name: "Buy" input_type: ".demo.shop.BuyRequest" output_type: ".demo.shop.BuyResponse" } }
	}`

func parseContract(t interface {
	Helper()
	Fatal(...any)
}, text string) *weftv1.Contract {
	t.Helper()
	c := new(weftv1.Contract)
	if err := prototext.Unmarshal([]byte(text), c); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestProtoFirst starts from a contract that was not made here: names match, numbers come from it.
func TestProtoFirst(t *testing.T) {
	built, err := contract.Build(contract.Input{
		Function: function,
		World:    wittest.MustParse(shop),
		Seeds:    map[string]*weftv1.Contract{"demo.shop": parseContract(t, protoFirst)},
	})
	if err != nil {
		t.Fatal(err)
	}
	item := built.Services[0].Methods[0].Params[0]
	if item.Number != 4 || item.Shape.Message != "demo.shop.Item" {
		t.Errorf("parameter is %+v", item)
	}
	// item, name, size, its values, tags
	if got, want := numbers(built.Services), []int32{4, 3, 7, 0, 5, 12}; !slices.Equal(got, want) {
		t.Errorf("numbers are %v, want %v", got, want)
	}
}

// TestNamesStay has a contract whose services would get other names today.
func TestNamesStay(t *testing.T) {
	contracts := map[string]*weftv1.Contract{"demo.shop": parseContract(t, `
		package: "demo.shop"
		files {
			name: "demo/shop/orders.proto" package: "demo.shop" syntax: "proto3"
			message_type { name: "PlaceRequest" } message_type { name: "PlaceResponse" }
			service { name: "Orders" method { name: "Place" input_type: ".demo.shop.PlaceRequest" output_type: ".demo.shop.PlaceResponse" } }
		}
		files {
			name: "demo/shop/new_orders.proto" package: "demo.shop" syntax: "proto3"
			message_type { name: "FindRequest" } message_type { name: "FindResponse" }
			service { name: "NewOrders" method { name: "Find" input_type: ".demo.shop.FindRequest" output_type: ".demo.shop.FindResponse" } }
		}`)}
	world := wittest.MustParse(`package demo:shop { interface orders { place: func(); } interface new-orders { find: func(); } }
		world w { export demo:shop/orders; export demo:shop/new-orders; }`)
	for range 2 { // as a seed, without claims, and as it was stored
		built, err := contract.Build(contract.Input{Function: function, World: world, Seeds: contracts})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{"demo.shop.NewOrders", "demo.shop.Orders"} {
			if got := built.Services[i].Name; got != want {
				t.Errorf("a service is called %s, want %s", got, want)
			}
		}
		contracts["demo.shop"] = built.Contracts[0]
	}
}

// TestDamagedSeed has contracts that users might give and that this package could not go on with.
func TestDamagedSeed(t *testing.T) {
	file := `name: "demo/shop/shop.proto" package: "demo.shop" syntax: "proto3"`
	tests := []struct{ name, seed, want string }{
		{"other package", `package: "demo.other"`, `demo.shop: the given contract is of package "demo.other"`},
		{"file of another package", `package: "demo.shop" files { name: "x.proto" package: "x" syntax: "proto3" }`, `demo.shop: the given contract has file x.proto of package "x"`},
		{"proto2", `package: "demo.shop" files { name: "x.proto" package: "demo.shop" }`, "demo.shop: the given contract has file x.proto, which is not proto3"},
		{"public import", `package: "demo.shop" files { ` + file + ` dependency: "a.proto" public_dependency: 0 }`, "demo.shop: the given contract has file demo/shop/shop.proto with extensions or public imports"},
		{"claimed twice", `package: "demo.shop" claims { item: "a#b" name: "B" } claims { item: "a#c" name: "B" }`, `demo.shop: the given contract is damaged: it claims "B" twice`},
		{"fields claimed twice", `package: "demo.shop" claims { item: "shop#item.name" name: "name" } claims { item: "shop#item.tags" name: "name" }`, `demo.shop: the given contract is damaged: it claims "name" twice`},
		{"missing import", `package: "demo.shop" files { ` + file + ` dependency: "gone.proto" message_type { name: "A" field { name: "a" number: 1 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".gone.B" } } }`,
			"gone.proto: no contract has this file, which others import"},
		{"streaming", `package: "demo.shop" files { ` + file + ` message_type { name: "BuyRequest" } message_type { name: "BuyResponse" } service { name: "Shop" method { name: "Buy" input_type: ".demo.shop.BuyRequest" output_type: ".demo.shop.BuyResponse" server_streaming: true } } }`,
			"demo:shop/shop#buy(): the contract's method demo.shop.Shop/Buy is not unary with messages of its own package"},
		{"a variant without oneof", `package: "demo.shop" files { ` + file + ` message_type { name: "Answer" field { name: "yes" number: 1 label: LABEL_OPTIONAL type: TYPE_UINT32 } } }`,
			"demo:shop/shop#answer.yes: the contract's field demo.shop.Answer.yes is not in the oneof that it should be in"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := contract.Build(contract.Input{
				Function: function,
				World:    wittest.MustParse(shop),
				Seeds:    map[string]*weftv1.Contract{"demo.shop": parseContract(t, test.seed)},
			})
			wantRefused(t, err, test.want)
		})
	}
}

// TestMangledSeed builds on contracts that were damaged at random, as anybody may give them. Whatever is accepted must
// be stable.
func TestMangledSeed(t *testing.T) { rapid.Check(t, mangled) }

func FuzzSeed(f *testing.F) { f.Fuzz(rapid.MakeFuzz(mangled)) }

func mangled(t *rapid.T) {
	world := wittest.MustParse(shop)
	seed := parseContract(t, protoFirst)
	if rapid.Bool().Draw(t, "claims") {
		// One that is made here, with something retired.
		before := wittest.MustParse(strings.Replace(shop, "tags: list<string>", "tags: string, gone: u32", 1))
		first, err := contract.Build(contract.Input{Function: function, World: before})
		if err != nil {
			t.Fatal(err)
		}
		stored := map[string]*weftv1.Contract{"demo.shop": first.Contracts[0]}
		built, err := contract.Build(contract.Input{Function: function, World: world, Stored: stored, AllowBreaking: true})
		if err != nil {
			t.Fatal(err)
		}
		seed = built.Contracts[0]
	}
	for range rapid.IntRange(1, 3).Draw(t, "damages") {
		mangle(t, seed.ProtoReflect())
	}
	in := contract.Input{
		Function:      function,
		World:         world,
		Seeds:         map[string]*weftv1.Contract{"demo.shop": seed},
		AllowBreaking: true,
	}
	built, err := contract.Build(in)
	if _, ok := errors.AsType[*contract.RefusedError](err); ok {
		return
	}
	if err != nil {
		t.Fatalf("%T: %v", err, err)
	}
	if twice := shared(built.Services); twice != "" {
		t.Fatalf("two fields share a number: %s", twice)
	}
	in.Stored = make(map[string]*weftv1.Contract)
	for _, c := range built.Contracts {
		in.Stored[c.GetPackage()] = c
	}
	idle, err := contract.Build(in)
	if err != nil || len(idle.Changed) > 0 || !reflect.DeepEqual(numbers(idle.Services), numbers(built.Services)) {
		t.Fatalf("building on the result changes it: %v", err)
	}
	set, err := contract.Files(built.Contracts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := contract.Print(set); err != nil && !strings.Contains(err.Error(), "can be printed") {
		t.Logf("not printed: %v", err)
	}
}

// mangle changes one thing somewhere in a message: removes it, doubles it, or gives it another value.
func mangle(t *rapid.T, m protoreflect.Message) {
	var set []protoreflect.FieldDescriptor
	m.Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		set = append(set, f)
		return true
	})
	slices.SortFunc(set, func(a, b protoreflect.FieldDescriptor) int { return int(a.Number() - b.Number()) })
	if len(set) == 0 {
		return
	}
	f := set[rapid.IntRange(0, len(set)-1).Draw(t, "field")]
	if rapid.IntRange(0, 9).Draw(t, "clear") == 0 {
		m.Clear(f)
		return
	}
	if !f.IsList() {
		if f.Message() != nil {
			mangle(t, m.Mutable(f).Message())
		} else {
			m.Set(f, scalar(t, f))
		}
		return
	}
	list := m.Mutable(f).List()
	i := rapid.IntRange(0, list.Len()-1).Draw(t, "element")
	switch what := rapid.IntRange(0, 9).Draw(t, "what"); {
	case what == 0:
		list.Append(list.Get(i))
	case what == 1:
		list.Set(i, list.Get(list.Len()-1))
		list.Truncate(list.Len() - 1)
	case f.Message() != nil:
		mangle(t, list.Get(i).Message())
	default:
		list.Set(i, scalar(t, f))
	}
}

func scalar(t *rapid.T, f protoreflect.FieldDescriptor) protoreflect.Value {
	number := rapid.SampledFrom([]int32{-1, 0, 1, 2, 3, 5, 7, 19_500, 1<<29 - 1, 1 << 29, 1<<31 - 1}).Draw(t, "number")
	switch f.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(rapid.SampledFrom([]string{"", "name", "tags", "size", "item", "Item", "Size", "Shop", "Buy",
			"Answer", "kind", "SIZE_LARGE", ".demo.shop.Item", ".demo.shop.Size", ".demo.shop.Gone", ".google.protobuf.Empty", "string", "u32",
			"value", "enum", "case", "shop", "shop#item", "shop#item.name", "shop#size.small", "shop#buy()", "shop#buy().request", "#", ".",
			"demo/shop/shop.proto", "google/protobuf/empty.proto", "9", "\x00", "1.2.3"}).Draw(t, "string"))
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(number)
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(uint64(number))
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(rapid.Bool().Draw(t, "bool"))
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(rapid.IntRange(0, 18).Draw(t, "enum")))
	default:
		panic(f.Kind())
	}
}

// numbers are the numbers of all fields that a component's requests lead to.
func numbers(services []*contract.Service) (out []int32) {
	var walk func([]contract.Field)
	walk = func(fields []contract.Field) {
		for _, f := range fields {
			out = append(out, f.Number)
			if f.Shape != nil {
				out = append(out, f.Shape.Numbers...)
				walk(f.Shape.Fields)
			}
		}
	}
	for _, s := range services {
		for _, m := range s.Methods {
			walk(m.Params)
		}
	}
	return out
}
