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
		{"", component.ErrNotWasm, "the file is empty (preamble section, offset 0x0)"},
		{"\x00as", component.ErrNotWasm, "the file ends after a part of the preamble (preamble section, offset 0x0)"},
		{"PK\x03\x04", component.ErrNotWasm, "not a WebAssembly binary (preamble section, offset 0x0)"},
		{" \n(component)", component.ErrNotWasm, "this is WebAssembly text; convert it with `wasm-tools parse` (preamble section, offset 0x0)"},
		{strings.Repeat("\x00", 1<<20), component.ErrNotWasm, "not a WebAssembly binary (preamble section, offset 0x0)"},
		{"\x00asm\x01\x00\x00\x00", component.ErrCoreModule, "a core WebAssembly module, not a component; make a component of it with `wasm-tools component new`, or use your toolchain's target for components, such as wasm32-wasip2 (preamble section, offset 0x4)"},
		{"\x00asm\x0d", nil, "the file ends after 5 bytes (preamble section, offset 0x5)"},
		{"\x00asm\x0c\x00\x01\x00", nil, "version 12 of the component format is not supported, only 13; build it with newer tools (preamble section, offset 0x4)"},
		{"\x00asm\x0d\x00\x02\x01", nil, "layer 258 is neither a core module nor a component (preamble section, offset 0x6)"},
	} {
		_, err := component.Decode([]byte(test.data))
		if err == nil || err.Error() != "component: "+test.want {
			t.Errorf("%.20q: got %v\nwant %s", test.data, err, test.want)
		}
		if errors.Unwrap(err) != test.is { //nolint:errorlint // the sentinel itself, or none
			t.Errorf("%.20q: is %v, want %v", test.data, errors.Unwrap(err), test.is)
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
		{asm("\x0d\x00"), "unknown section 0x0d (preamble section, offset 0x8)"},
		{asm("\x07"), "unexpected end (type section, offset 0x9)"},
		{asm("\x07\x05\x01"), "the section has 5 bytes, but the component ends after 1 (type section, offset 0x8)"},
		{asm("\x07\xff\xff\xff\xff\x0f"), "the section has 4294967295 bytes, but the component ends after 0 (type section, offset 0x8)"},
		{asm("\x07\xff\xff\xff\xff\x1f"), "this number does not fit 32 bits (type section, offset 0x9)"},
		{asm("\x07\x80\x80\x80\x80\x80\x00"), "this number does not fit 32 bits (type section, offset 0x9)"},
		{asm(raw(typeSection, "\x01\x7f\x00")), "1 bytes too many in this section (type section, offset 0xc)"},
		{asm(raw(typeSection, "\x90\xce\x00")), "10000 types can not be in the 0 bytes that follow (type section, offset 0xa)"},
		{asm(raw(componentSection, "\x00asm\x01\x00\x00\x00")), "a nested component does not begin like a component of version 13 (component section, offset 0xa)"},
		{asm(raw(componentSection, "\x00asm")), "a nested component does not begin like a component of version 13 (component section, offset 0xa)"},
		// Types.
		{types("\x6c\x00"), "unknown type 0x6c (type section, offset 0xb)"},
		{types("\x00"), "unknown type 0x00 (type section, offset 0xb)"},
		{types(list("\x00")), "type 0 does not exist: there are 0 (type section, offset 0xc)"},
		{types(list("\x6c")), "unknown value type 0x6c (type section, offset 0xc)"},
		{types(list("\x80\x7f")), "unknown value type 0x80 (type section, offset 0xc)"},
		{types(list("\x80\x80\x80\x80\x10")), "this type index does not fit 32 bits (type section, offset 0xc)"},
		{types(list("\x80\x80\x80\x80\x08")), "type 2147483648 does not exist: there are 0 (type section, offset 0xc)"},
		{types(function(""), list("\x00")), "this type is not the type of a value (type section, offset 0x10)"},
		{types(record()), "record without members (type section, offset 0xb)"},
		{types(enum()), "enum without members (type section, offset 0xb)"},
		{types(tuple()), "tuple without members (type section, offset 0xb)"},
		{types(record(field("a", primU8), field("A", primU8))), "field \"A\" is given twice (type section, offset 0x10)"},
		{types(record(field("a_b", primU8))), "name \"a_b\" of a field is not in kebab case (type section, offset 0xd)"},
		{types(enum("a", "a")), "case \"a\" is given twice (type section, offset 0xf)"},
		{types("\x71" + vec(str("a")+"\x00\x01")), "unknown byte where zero is required 0x01 (type section, offset 0x10)"},
		{types("\x71" + vec(str("a")+"\x02\x00")), "unknown mark of an optional type 0x02 (type section, offset 0xf)"},
		{types(function("", field("a", primU8), field("a", primU8))), "parameter \"a\" is given twice (type section, offset 0x10)"},
		{types("\x40\x00\x01\x01" + str("a") + primU8), "results with names are of an older format; build the component with newer tools (type section, offset 0xe)"},
		{types("\x40\x00\x02"), "unknown form of results 0x02 (type section, offset 0xd)"},
		{types(primU8, "\x69\x00"), "this type is not a resource (type section, offset 0xd)"},
		{types("\x3f\x7d\x00"), "unknown representation of a resource 0x7d (type section, offset 0xc)"},
		{types("\x3f\x7f\x02"), "unknown mark of a destructor 0x02 (type section, offset 0xd)"},
		{types(enum("\xff")), "a name is not UTF-8 (type section, offset 0xe)"},
		{types("\x6d\x01\x0a" + "abc"), "10 bytes of a name can not be in the 3 bytes that follow (type section, offset 0xd)"},
		// Instance types.
		{types(instance("\x05")), "unknown declaration in a type 0x05 (type section, offset 0xd)"},
		{types(instance("\x03" + plain("a") + asFunc(0))), "an instance type can not import (type section, offset 0xd)"},
		{types(instance(declOuter(2, 0))), "an alias leads out of the component (type section, offset 0x10)"},
		{types(primU8, instance(declOuter(1, 1))), "outer type 1 does not exist: there are 1 (type section, offset 0x12)"},
		{types(instance(declExport("r", asResource), declExport("R", asResource))), "export \"R\" is given twice (type section, offset 0x14)"},
		{types(instance("\x00\x5f\x00")), "unknown core type 0x5f (type section, offset 0xe)"},
		// Imports and exports.
		{imports("\x03" + str("a") + asFunc(0)), "unknown form of a name 0x03 (import section, offset 0x12)"},
		{imports(plain("a") + "\x06"), "unknown sort of import or export 0x06 (import section, offset 0x15)"},
		{imports(plain("a") + asFunc(1)), "type 1 does not exist: there are 1 (import section, offset 0x16)"},
		{imports(plain("a") + asInstance(0)), "this type is not of the sort that is needed (import section, offset 0x16)"},
		{imports(plain("a") + "\x03\x02"), "unknown bound of a type 0x02 (import section, offset 0x16)"},
		{imports(plain("a") + "\x00\x10"), "unknown sort of core item 0x10 (import section, offset 0x16)"},
		{imports("\x02" + str("a") + vec("\x03")), "unknown option of a name 0x03 (import section, offset 0x16)"},
		{imports("\x02" + str("a") + vec("\x02\x00", "\x02\x00") + asFunc(0)), "option 2 of a name is given twice (import section, offset 0x18)"},
		{imports("\x02" + str("a") + vec("\x00"+str("b")) + asFunc(0)), "name \"b\" is not of the form namespace:package/interface@version (import section, offset 0x13)"},
		{asm(unit, sec(importSection, plain("a")+asFunc(0), plain("A")+asFunc(0))), "import \"A\" is given twice (import section, offset 0x17)"},
		{asm(sec(exportSection, exportFunc("a", 0))), "function 0 does not exist: there are 0 (export section, offset 0xf)"},
		{asm(sec(exportSection, plain("a")+"\x06\x00\x00")), "unknown sort of item 0x06 (export section, offset 0xe)"},
		{asm(unit, sec(importSection, plain("a")+asFunc(0)), sec(exportSection, plain("b")+"\x01\x00\x02")), "unknown mark of an export's type 0x02 (export section, offset 0x1f)"},
		{asm(unit, sec(importSection, plain("a")+asFunc(0)), sec(exportSection, plain("b")+"\x01\x00\x01"+asEq(0))), "a function stands where the type says type (export section, offset 0x20)"},
		// Instances and aliases.
		{asm(sec(instanceSection, "\x02")), "unknown kind of instance 0x02 (instance section, offset 0xb)"},
		{asm(sec(instanceSection, "\x00\x00\x00")), "component 0 does not exist: there are 0 (instance section, offset 0xc)"},
		{asm(unit, sec(importSection, plain("a")+asFunc(0)), nested(), sec(instanceSection, "\x00\x00"+vec(str("x")+"\x01\x00", str("x")+"\x01\x00"))),
			"argument \"x\" is given twice (instance section, offset 0x2b)"},
		{asm(nested(unit, sec(importSection, plain("a")+asFunc(0))), sec(instanceSection, "\x00\x00\x00")),
			"the component is instantiated without its import \"a\" (import section, offset 0x1c)"},
		{asm(sec(instanceSection, "\x01\x00"), sec(aliasSection, "\x01\x00\x00"+str("f"))), "the instance has no export \"f\" (alias section, offset 0x10)"},
		{asm(sec(aliasSection, "\x01\x03")), "unknown target of an alias 0x03 (alias section, offset 0xc)"},
		{asm(sec(aliasSection, "\x03\x02\x01\x00")), "an alias leads out of the component (alias section, offset 0xd)"},
		{asm(sec(aliasSection, "\x05\x02\x00\x00")), "an alias of an outer item can not be of sort 0x05 (alias section, offset 0xb)"},
		{asm(sec(typeSection, instance(declExport("t", "\x03\x01"))), sec(importSection, plain("i")+asInstance(0)), sec(aliasSection, "\x01\x00\x00"+str("t"))),
			"export \"t\" of the instance is a type, not of sort 0x01 (alias section, offset 0x1e)"},
		{asm(sec(canonSection, "\x43")), "unknown canonical function 0x43 (canon section, offset 0xb)"},
		{asm(sec(canonSection, "\x1c"+vec("\x0a"))), "unknown option of a canonical function 0x0a (canon section, offset 0xd)"},
		{asm(sec(typeSection, primU8), sec(canonSection, "\x00\x00\x00\x00\x00")), "this type is not a function type (canon section, offset 0x13)"},
		// Types without a name that a function uses.
		{asm(sec(typeSection, record(field("a", primU8)), function("", field("p", "\x00"))), sec(importSection, plain("f")+asFunc(1))),
			"function \"f\" uses a record that has no name (import section, offset 0x1a)"},
		{asm(sec(typeSection, "\x3f\x7f\x00", "\x69\x00", function("\x01")), sec(importSection, plain("f")+asFunc(2))),
			"function \"f\" uses a resource that has no name (import section, offset 0x17)"},
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
			if _, ok := errors.AsType[*component.Error](err); !ok {
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
