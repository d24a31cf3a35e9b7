package component_test

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/weft-run/weft/wit/component"
)

// TestPreamble says what a file is that is no component.
func TestPreamble(t *testing.T) {
	for _, test := range []struct {
		data string
		is   error
		want string
	}{
		{"", component.ErrNotWasm, "preamble section, offset 0x0: the file is empty"},
		{"\x00as", component.ErrNotWasm, "preamble section, offset 0x0: the file ends after a part of the preamble"},
		{"PK\x03\x04", component.ErrNotWasm, "preamble section, offset 0x0: not a WebAssembly binary"},
		{" \n(component)", component.ErrNotWasm, "preamble section, offset 0x0: this is WebAssembly text; convert it with `wasm-tools parse`"},
		{strings.Repeat("\x00", 1<<20), component.ErrNotWasm, "preamble section, offset 0x0: not a WebAssembly binary"},
		{"\x00asm\x01\x00\x00\x00", component.ErrCoreModule, "preamble section, offset 0x4: a core WebAssembly module, not a component; make a component of it with `wasm-tools component new`, or with your toolchain's target for components (wasm32-wasip2)"},
		{"\x00asm\x0d", nil, "preamble section, offset 0x5: the file ends after 5 bytes"},
		{"\x00asm\x0c\x00\x01\x00", nil, "preamble section, offset 0x4: version 12 of the component format is not supported, only 13; build it with newer tools"},
		{"\x00asm\x0d\x00\x02\x01", nil, "preamble section, offset 0x6: layer 258 is neither a core module nor a component"},
	} {
		_, err := component.Decode([]byte(test.data))
		if err == nil || err.Error() != "component: "+test.want {
			t.Errorf("%.20q: got %v\nwant %s", test.data, err, test.want)
		}
		for _, sentinel := range []error{component.ErrNotWasm, component.ErrCoreModule} {
			if errors.Is(err, sentinel) != (test.is == sentinel) {
				t.Errorf("%.20q: errors.Is(%v) is %v", test.data, sentinel, errors.Is(err, sentinel))
			}
		}
	}
}

// TestMalformed names the section and the offset of what is wrong.
func TestMalformed(t *testing.T) {
	unit := sec(typeSection, function(""))
	imports := func(s string) []byte { return asm(unit, sec(importSection, s)) }
	types := func(t ...string) []byte { return asm(sec(typeSection, t...)) }
	nested := func(sections ...string) string { return raw(componentSection, body(sections...)) }
	for _, test := range []struct {
		data []byte
		want string
	}{
		// Sections.
		{asm("\x0d\x00"), "preamble section, offset 0x8: unknown section 0x0d"},
		{asm("\x07"), "type section, offset 0x9: unexpected end"},
		{asm("\x07\x05\x01"), "type section, offset 0x8: the section has 5 bytes, but the component ends after 1"},
		{asm("\x07\xff\xff\xff\xff\x0f"), "type section, offset 0x8: the section has 4294967295 bytes, but the component ends after 0"},
		{asm("\x07\xff\xff\xff\xff\x1f"), "type section, offset 0x9: this number does not fit 32 bits"},
		{asm("\x07\x80\x80\x80\x80\x80\x00"), "type section, offset 0x9: this number does not fit 32 bits"},
		{asm(raw(typeSection, "\x01\x7f\x00")), "type section, offset 0xc: 1 bytes too many in this section"},
		{asm(raw(typeSection, "\x90\xce\x00")), "type section, offset 0xa: 10000 types can not be in the 0 bytes that follow"},
		{asm(raw(componentSection, "\x00asm\x01\x00\x00\x00")), "component section, offset 0xa: a nested component does not begin like a component of version 13"},
		{asm(raw(componentSection, "\x00asm")), "component section, offset 0xa: a nested component does not begin like a component of version 13"},
		// Types.
		{types("\x6c\x00"), "type section, offset 0xb: unknown type 0x6c"},
		{types("\x00"), "type section, offset 0xb: unknown type 0x00"},
		{types(list("\x00")), "type section, offset 0xc: type 0 does not exist: there are 0"},
		{types(list("\x6c")), "type section, offset 0xc: unknown value type 0x6c"},
		{types(list("\x80\x7f")), "type section, offset 0xc: unknown value type 0x80"},
		{types(list("\x80\x80\x80\x80\x10")), "type section, offset 0xc: this type index does not fit 32 bits"},
		{types(list("\x80\x80\x80\x80\x08")), "type section, offset 0xc: type 2147483648 does not exist: there are 0"},
		{types(function(""), list("\x00")), "type section, offset 0x10: this type is not the type of a value"},
		{types(record()), "type section, offset 0xb: record without members"},
		{types(enum()), "type section, offset 0xb: enum without members"},
		{types(tuple()), "type section, offset 0xb: tuple without members"},
		{types(record(field("a", primU8), field("A", primU8))), "type section, offset 0x10: field \"A\" is given twice"},
		{types(record(field("a_b", primU8))), "type section, offset 0xd: name \"a_b\" of a field is not in kebab case"},
		{types(enum("a", "a")), "type section, offset 0xf: case \"a\" is given twice"},
		{types("\x71" + vec(str("a")+"\x00\x01")), "type section, offset 0x10: unknown byte where zero is required 0x01"},
		{types("\x71" + vec(str("a")+"\x02\x00")), "type section, offset 0xf: unknown mark of an optional type 0x02"},
		{types(function("", field("a", primU8), field("a", primU8))), "type section, offset 0x10: parameter \"a\" is given twice"},
		{types("\x40\x00\x01\x01" + str("a") + primU8), "type section, offset 0xe: results with names are of an older format; build the component with newer tools"},
		{types("\x40\x00\x02"), "type section, offset 0xd: unknown form of results 0x02"},
		{types(primU8, "\x69\x00"), "type section, offset 0xd: this type is not a resource"},
		{types("\x3f\x7d\x00"), "type section, offset 0xc: unknown representation of a resource 0x7d"},
		{types("\x3f\x7f\x02"), "type section, offset 0xd: unknown mark of a destructor 0x02"},
		{types(enum("\xff")), "type section, offset 0xe: a name is not UTF-8"},
		{types("\x6d\x01\x0a" + "abc"), "type section, offset 0xd: 10 bytes of a name can not be in the 3 bytes that follow"},
		// Instance types.
		{types(instance("\x05")), "type section, offset 0xd: unknown declaration in a type 0x05"},
		{types(instance("\x03" + plain("a") + asFunc(0))), "type section, offset 0xd: an instance type can not import"},
		{types(instance(declOuter(2, 0))), "type section, offset 0x10: an alias leads out of the component"},
		{types(primU8, instance(declOuter(1, 1))), "type section, offset 0x12: outer type 1 does not exist: there are 1"},
		{types(instance(declExport("r", asResource), declExport("R", asResource))), "type section, offset 0x14: export \"R\" is given twice"},
		{types(instance("\x00\x5f\x00")), "type section, offset 0xe: unknown core type 0x5f"},
		// Imports and exports.
		{imports("\x03" + str("a") + asFunc(0)), "import section, offset 0x12: unknown form of a name 0x03"},
		{imports(plain("a") + "\x06"), "import section, offset 0x15: unknown sort of import or export 0x06"},
		{imports(plain("a") + asFunc(1)), "import section, offset 0x16: type 1 does not exist: there are 1"},
		{imports(plain("a") + asInstance(0)), "import section, offset 0x16: this type is not of the sort that is needed"},
		{imports(plain("a") + "\x03\x02"), "import section, offset 0x16: unknown bound of a type 0x02"},
		{imports(plain("a") + "\x00\x10"), "import section, offset 0x16: unknown sort of core item 0x10"},
		{imports("\x02" + str("a") + vec("\x03")), "import section, offset 0x16: unknown option of a name 0x03"},
		{imports("\x02" + str("a") + vec("\x02\x00", "\x02\x00") + asFunc(0)), "import section, offset 0x18: option 2 of a name is given twice"},
		{imports("\x02" + str("a") + vec("\x00"+str("b")) + asFunc(0)), "import section, offset 0x13: name \"b\" is not of the form namespace:package/interface@version"},
		{asm(unit, sec(importSection, plain("a")+asFunc(0), plain("A")+asFunc(0))), "import section, offset 0x17: import \"A\" is given twice"},
		{asm(sec(exportSection, exportFunc("a", 0))), "export section, offset 0xf: function 0 does not exist: there are 0"},
		{asm(sec(exportSection, plain("a")+"\x06\x00\x00")), "export section, offset 0xe: unknown sort of item 0x06"},
		{asm(unit, sec(importSection, plain("a")+asFunc(0)), sec(exportSection, plain("b")+"\x01\x00\x02")), "export section, offset 0x1f: unknown mark of an export's type 0x02"},
		{asm(unit, sec(importSection, plain("a")+asFunc(0)), sec(exportSection, plain("b")+"\x01\x00\x01"+asEq(0))), "export section, offset 0x20: a function stands where the type says type"},
		// Instances and aliases.
		{asm(sec(instanceSection, "\x02")), "instance section, offset 0xb: unknown kind of instance 0x02"},
		{asm(sec(instanceSection, "\x00\x00\x00")), "instance section, offset 0xc: component 0 does not exist: there are 0"},
		{asm(unit, sec(importSection, plain("a")+asFunc(0)), nested(), sec(instanceSection, "\x00\x00"+vec(str("x")+"\x01\x00", str("x")+"\x01\x00"))),
			"instance section, offset 0x2b: argument \"x\" is given twice"},
		{asm(nested(unit, sec(importSection, plain("a")+asFunc(0))), sec(instanceSection, "\x00\x00\x00")),
			"import section, offset 0x1c: the component is instantiated without its import \"a\""},
		{asm(sec(instanceSection, "\x01\x00"), sec(aliasSection, "\x01\x00\x00"+str("f"))), "alias section, offset 0x10: the instance has no export \"f\""},
		{asm(sec(aliasSection, "\x01\x03")), "alias section, offset 0xc: unknown target of an alias 0x03"},
		{asm(sec(aliasSection, "\x03\x02\x01\x00")), "alias section, offset 0xd: an alias leads out of the component"},
		{asm(sec(aliasSection, "\x05\x02\x00\x00")), "alias section, offset 0xb: an alias of an outer item can not be of sort 0x05"},
		{asm(sec(typeSection, instance(declExport("t", "\x03\x01"))), sec(importSection, plain("i")+asInstance(0)), sec(aliasSection, "\x01\x00\x00"+str("t"))),
			"alias section, offset 0x1e: export \"t\" of the instance is a type, not of sort 0x01"},
		{asm(sec(canonSection, "\x43")), "canon section, offset 0xb: unknown canonical function 0x43"},
		{asm(sec(canonSection, "\x1c"+vec("\x0a"))), "canon section, offset 0xd: unknown option of a canonical function 0x0a"},
		{asm(sec(typeSection, primU8), sec(canonSection, "\x00\x00\x00\x00\x00")), "canon section, offset 0x13: this type is not a function type"},
		// Types without a name that a function uses.
		{asm(sec(typeSection, record(field("a", primU8)), function("", field("p", "\x00"))), sec(importSection, plain("f")+asFunc(1))),
			"import section, offset 0x1a: function \"f\" uses a record that has no name"},
		{asm(sec(typeSection, "\x3f\x7f\x00", "\x69\x00", function("\x01")), sec(importSection, plain("f")+asFunc(2))),
			"import section, offset 0x17: function \"f\" uses a resource that has no name"},
	} {
		_, err := component.Decode(test.data)
		if err == nil || err.Error() != "component: "+test.want {
			t.Errorf("%q:\ngot  %v\nwant component: %s", test.data, err, test.want)
		}
		var e *component.Error
		if errors.As(err, &e) && (e.Offset < 0 || e.Offset > int64(len(test.data))) {
			t.Errorf("%q: offset %d is outside", test.data, e.Offset)
		}
	}
}

// TestTruncated cuts a real component everywhere. It is an error each time, but where a section ends.
func TestTruncated(t *testing.T) {
	for _, name := range components {
		data := build(t, name)
		ends := sectionEnds(data)
		for n := range data {
			_, err := component.Decode(data[:n])
			var e *component.Error
			switch {
			case err == nil && !ends[n]:
				t.Errorf("%s: the first %d bytes are accepted", name, n)
			case err != nil && (!errors.As(err, &e) || e.Offset > int64(n) || e.Section == ""):
				t.Errorf("%s: the first %d bytes: %v", name, n, err)
			}
		}
	}
}

// sectionEnds returns the offsets at which a component may end.
func sectionEnds(data []byte) map[int]bool {
	ends := map[int]bool{8: true}
	for pos := 8; pos < len(data); {
		size, shift := 0, 0
		pos++
		for {
			b := data[pos]
			pos++
			size |= int(b&0x7f) << shift
			if shift += 7; b < 0x80 {
				break
			}
		}
		pos += size
		ends[pos] = true
	}
	return ends
}

// hostile are components that are small and would be large.
func hostile() map[string][]byte {
	deepType := []string{list(primU8)}
	wideType := []string{tuple(primU8, primU8)}
	for i := range 200 {
		deepType = append(deepType, list(index(i)))
		wideType = append(wideType, tuple(index(i), index(i)))
	}
	// Each component instantiates the one before it twice.
	bomb := body()
	for range 60 {
		bomb = body(raw(componentSection, bomb), sec(instanceSection, "\x00\x00\x00", "\x00\x00\x00"))
	}
	// Each instance type has two instances of the one before it.
	instances := []string{instance(declExport("r", asResource))}
	for i := range 60 {
		instances = append(instances, instance(declOuter(1, i), declExport("a", asInstance(0)), declExport("b", asInstance(0))))
	}
	nested, declarations := body(), instance()
	for range 150 {
		nested = body(raw(componentSection, nested), sec(instanceSection, "\x00\x00\x00"))
		declarations = instance(declType(declarations))
	}
	// A component that instantiates its outer self can not be: the alias sees what is defined before.
	self := asm(raw(componentSection, body(sec(aliasSection, "\x04\x02\x01\x00"))), sec(instanceSection, "\x00\x00\x00"))
	return map[string][]byte{
		"a deep type":                    asm(sec(typeSection, deepType...)),
		"a wide type":                    asm(sec(typeSection, wideType...)),
		"instances that double":          []byte(bomb),
		"instance types that double":     asm(sec(typeSection, instances...)),
		"deep components":                []byte(nested),
		"deep instance types":            asm(sec(typeSection, declarations)),
		"a component inside itself":      self,
		"many types":                     asm(sec(typeSection, many(1<<20, list(primU8))...)),
		"many cases":                     asm(sec(typeSection, many(1<<19, enum("a"))...)),
		"many exports":                   asm(sec(typeSection, instance(declarationsOf(1<<18)...))),
		"a name again and again":         asm(sec(typeSection, many(1000, enum(strings.Repeat("a", 9999)))...)),
		"a long name":                    asm(sec(typeSection, enum(strings.Repeat("a", 10_001)))),
		"a gigabyte of nothing, claimed": asm("\x07\x80\x80\x80\x80\x04"),
	}
}

func many(n int, s string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = s
	}
	return out
}

func declarationsOf(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = declExport(fmt.Sprintf("r%d", i), asResource)
	}
	return out
}

// TestHostile: memory and time stay bounded. The numbers are what the package promises, with room for a slow machine.
func TestHostile(t *testing.T) {
	for name, data := range hostile() {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			start := time.Now()
			_, err := component.Decode(data)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			var e *component.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v", err)
			}
			allocated := (after.TotalAlloc - before.TotalAlloc) >> 20
			t.Logf("%d KiB: %v, %d MiB in all: %v", len(data)>>10, took.Round(time.Millisecond), allocated, err)
			if allocated > 128 {
				t.Errorf("%d MiB", allocated)
			}
			if took > 5*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// TestDeepWorldIsPrintable: types at the limits still print in bounded text.
func TestDeepWorldIsPrintable(t *testing.T) {
	types := []string{"\x01" + tuple(primU8, primU8)}
	for i := range 16 {
		types = append(types, declType(tuple(index(i), index(i))))
	}
	types = append(types, declType(function("", field("p", leb(16)))), declExport("f", asFunc(17)))
	w := decode(t, inside(types...))
	text := w.Imports[0].Functions[0].String()
	if len(text) > 4200 || !strings.HasPrefix(text, "f: func(p: tuple<tuple<") || !strings.HasSuffix(text, "…") {
		t.Errorf("%d bytes: %.60s", len(text), text)
	}
}

// FuzzDecode checks that any data gives a world that can be walked, or an error with a place.
func FuzzDecode(f *testing.F) {
	for _, name := range components {
		f.Add(build(f, name))
	}
	for _, data := range hostile() {
		if len(data) < 1<<16 {
			f.Add(data)
		}
	}
	f.Add(with("\x6a\x01" + primU8 + "\x01" + primBool))
	f.Add(with("\x63" + primString + primU32))
	if extra := os.Getenv("WEFT_FUZZ_COMPONENT"); extra != "" { // a component of your own to start from
		data, err := os.ReadFile(extra)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		w, err := component.Decode(data)
		if err != nil {
			var e *component.Error
			if !errors.As(err, &e) || e.Section == "" || e.Msg == "" || e.Offset < 0 || e.Offset > int64(len(data)) {
				t.Fatalf("error without a place: %v", err)
			}
			return
		}
		text := dump(w)
		again, err := component.Decode(data)
		if err != nil || dump(again) != text {
			t.Fatalf("not the same again: %v", err)
		}
	})
}
