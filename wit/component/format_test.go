package component_test

import (
	"strings"
	"testing"

	"github.com/weft-run/weft/wit/component"
)

// inside makes a component that imports an interface of the declarations.
func inside(decls ...string) []byte {
	return asm(sec(typeSection, instance(decls...)), sec(importSection, plain("a:b/c")+asInstance(0)))
}

// with makes a component that imports a function of a parameter of a type.
func with(t string) []byte {
	return inside(declType(t), declExport("t", asEq(0)), declType(function("", field("p", "\x01"))), declExport("f", asFunc(2)))
}

// TestTypes decodes each form of type, also those that weft refuses.
func TestTypes(t *testing.T) {
	for _, test := range []struct{ name, typ, want string }{
		{"list", list(primU8), "list<u8>"},
		{"fixed-length list", "\x67" + primU8 + "\x80\x04", "list<u8, 512>"},
		{"map", "\x63" + primString + primU32, "map<string, u32>"},
		{"tuple", tuple(primU8, primBool), "tuple<u8, bool>"},
		{"option", "\x6b" + primU8, "option<u8>"},
		{"result", "\x6a\x00\x00", "result<_, _>"},
		{"result of both", "\x6a\x01" + primU8 + "\x01" + primBool, "result<u8, bool>"},
		{"stream", "\x66\x01" + primU8, "stream<u8>"},
		{"stream of nothing", "\x66\x00", "stream<_>"},
		{"future", "\x65\x01" + primString, "future<string>"},
		{"future of nothing", "\x65\x00", "future<_>"},
		{"error context", "\x64", "error-context"},
		{"primitive", primString, "string"},
		{"record", record(field("a", primU8), field("B-2", primBool)), "a:b/c#t"},
		{"variant", "\x71" + vec(str("a")+"\x00\x00", str("b")+"\x01"+primU8+"\x00"), "a:b/c#t"},
		{"enum", enum("a", "b"), "a:b/c#t"},
		{"flags", "\x6e" + vec(str("a"), str("b")), "a:b/c#t"},
		{"padded numbers", "\x70\xfd\x80\x80\x80\x00", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, err := component.Decode(with(test.typ))
			if test.want == "" {
				if err == nil {
					t.Error("accepted")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := dumpType(w.Imports[0].Functions[0].Params[0].Type); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
	handles := inside(declExport("r", asResource), declType("\x69\x00"), declType("\x68\x00"),
		declType("\x43"+vec(field("a", "\x01"), field("b", "\x02"))+"\x00\x01"), declExport("f", asFunc(3)))
	if got, want := dump(decode(t, handles)), "import a:b/c\n\ttype r = resource\n"+
		"\tf: async func(a: own<a:b/c#r>, b: borrow<a:b/c#r>) -> own<a:b/c#r>\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestNames decodes each form of a name.
func TestNames(t *testing.T) {
	empty := sec(typeSection, instance())
	for _, test := range []struct{ encoded, want string }{
		{plain("a:b/c@1.2.3"), "a:b/c@1.2.3|a|b|c|1.2.3|"},
		{plain("wasi-2:http-x/types-A@0.2.0-rc-2023.11.10+b.1"), "wasi-2:http-x/types-A@0.2.0-rc-2023.11.10+b.1|wasi-2|http-x|types-A|0.2.0-rc-2023.11.10+b.1|"},
		{plain("a:b/c@1"), "a:b/c@1|a|b|c|1|"},
		{plain("plain-name"), "plain-name|||plain-name||"},
		{"\x01" + str("a:b/c"), "a:b/c|a|b|c||"},
		{"\x02" + str("a:b/c@0.2") + vec("\x01"+str(".7-rc.1")), "a:b/c@0.2.7-rc.1|a|b|c|0.2.7-rc.1|"},
		{"\x02" + str("primary") + vec("\x00"+str("a:b/c@1.0"), "\x01"+str(".3"), "\x02"+str("any text")), "primary|||primary||a:b/c@1.0.3"},
		{"\x02" + str("x") + vec(), "x|||x||"},
		{plain("url=<https://example.org/x>"), "url=<https://example.org/x>|||url=<https://example.org/x>||"},
	} {
		w, err := component.Decode(asm(empty, sec(importSection, test.encoded+asInstance(0))))
		if err != nil {
			t.Errorf("%q: %v", test.encoded, err)
			continue
		}
		i := w.Imports[0]
		if got := strings.Join([]string{i.ID, i.Namespace, i.Package, i.Name, i.Version, i.Implements}, "|"); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
	for _, name := range []string{
		"", "-", "a-", "1a", "aB", "a_b", "a b", "é", "A:b/c", "a:B/c", "a:b", "a:b/", "a:b/c/d", "a:b:c/d", "a:b/c@", "a:b/c@x",
		"a:b/c@1.2.3.4", "a:b/c@01.2.3", "a:b/c@1.2.3-", "a:b/c@1.2.3-a..b", "a:b/c@1.2-x", "[method]a", "[method]a.b.c", "[static].b",
		"[constructor]a.b", "[constructor][get]a", "[get]", "[other]a", "url=\n", strings.Repeat("a", 10_001),
	} {
		if _, err := component.Decode(asm(empty, sec(importSection, plain(name)+asInstance(0)))); err == nil {
			t.Errorf("%.40q is accepted", name)
		}
	}
	for _, name := range []string{"[method]a.b", "[static]a-1.b", "[constructor]a", "[get]a", "[method][set]a.b", "[static][get]a.b"} {
		f := asm(sec(typeSection, function("")), sec(importSection, plain(name)+asFunc(0)))
		if w, err := component.Decode(f); err != nil || w.ImportFunctions[0].Name != name {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestCanonicalFunctions: of all canonical functions only lift makes a function of the component.
func TestCanonicalFunctions(t *testing.T) {
	others := []string{
		"\x01\x00\x00" + vec("\x03\x00", "\x04\x00", "\x00"), // lower
		"\x02\x00", "\x03\x00", "\x04\x00", "\x05", "\x06\x00", "\x08", "\x09\x00" + primU8 + vec(), "\x09\x01\x00" + vec("\x06"),
		"\x0a\x7f\x00", "\x0b\x7f\x01", "\x0c\x00", "\x0d", "\x0e\x00", "\x0f\x00" + vec("\x07\x00"), "\x10\x00" + vec(), "\x11\x00\x01",
		"\x12\x00\x01", "\x13\x00", "\x14\x00", "\x15\x00", "\x16\x00" + vec(), "\x17\x00" + vec(), "\x18\x00\x00", "\x19\x00\x00", "\x1a\x00",
		"\x1b\x00", "\x1c" + vec("\x01"), "\x1d" + vec("\x02"), "\x1e", "\x1f", "\x20\x00\x00", "\x21\x00\x00", "\x22", "\x23", "\x24", "\x25",
		"\x26", "\x27\x00\x00", "\x28", "\x29\x00", "\x2a\x00", "\x2b\x00", "\x2c\x00", "\x2d\x00", "\x2e\x00", "\x2f\x00", "\x40\x00",
		"\x41\x00\x00", "\x42",
	}
	lift := "\x00\x00\x00" + vec("\x05\x00", "\x08\x00", "\x09") + "\x00"
	w := decode(t, asm(sec(typeSection, function(primU8)), sec(canonSection, append(others, lift)...), sec(exportSection, exportFunc("f", 0))))
	if got, want := dump(w), "export f: func() -> u8\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestCoreTypes: core types inside an instance type are read over.
func TestCoreTypes(t *testing.T) {
	core := func(def string) string { return "\x00" + def }
	fn := "\x60" + vec("\x7f", "\x7e", "\x64\x70") + vec("\x63\x00")
	module := "\x50" + vec(
		"\x01"+fn, "\x02\x10\x01\x01\x00",
		"\x00"+str("env")+str("f")+"\x00\x00",
		"\x03"+str("t")+"\x01\x70\x01\x00\x05",
		"\x03"+str("m")+"\x02\x04\xff\xff\xff\xff\xff\x01",
		"\x03"+str("p")+"\x02\x08\x01\x00",
		"\x03"+str("g")+"\x03\x7f\x01",
		"\x03"+str("x")+"\x04\x00\x00",
	)
	w := decode(t, inside(core(fn), core(module), "\x04"+plain("m")+"\x00\x11\x01", declType(function("")), declExport("f", asFunc(0))))
	if got, want := dump(w), "import a:b/c\n\tf: func()\nimport other a:b/c/m\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestSkipped: sections of core code are not read.
func TestSkipped(t *testing.T) {
	for _, id := range []byte{0, 1, 2, 3, 9, 12} {
		w := decode(t, asm(raw(id, "\xff\xff\xff"), sec(typeSection, function("")), sec(importSection, plain("f")+asFunc(0))))
		if got, want := dump(w), "import f: func()\n"; got != want {
			t.Errorf("section %d: got %s, want %s", id, got, want)
		}
	}
}
