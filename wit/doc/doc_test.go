package doc_test

import (
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/doc"
)

// TestAll has each form of the grammar, and every comment that it holds.
func TestAll(t *testing.T) {
	src, err := os.ReadFile("testdata/all.wit")
	if err != nil {
		t.Fatal(err)
	}
	got, err := doc.Parse(map[string][]byte{"all.wit": src})
	if err != nil {
		t.Fatal(err)
	}
	compare(t, got, doc.Comments{
		"demo:orders":                                  "Orders of the demo shop.",
		"demo:orders/types":                            "What orders are made of.\nTwo lines.\nAnd one behind the gates.",
		"demo:orders/types#order":                      "An order.",
		"demo:orders/types#order.customer":             "Who ordered.",
		"demo:orders/types#order.record":               "In a block.",
		"demo:orders/types#item":                       "An item of an order,\n\n  with an indented line,\nand a column of stars.",
		"demo:orders/types#item.count":                 "How many.",
		"demo:orders/types#payment":                    "A block\nwithout stars:\n  indented.",
		"demo:orders/types#payment.free":               "Nothing to pay.",
		"demo:orders/types#payment.card":               "By card.",
		"demo:orders/types#payment.parts":              "In parts.",
		"demo:orders/types#level":                      "How urgent.",
		"demo:orders/types#level.low":                  "Not at all.",
		"demo:orders/types#terms":                      "What was agreed.",
		"demo:orders/types#terms.gift":                 "Gift wrapping.",
		"demo:orders/types#ids":                        "An alias.",
		"demo:orders/types#cursor":                     "A walk over orders.",
		"demo:orders/types#[constructor]cursor()":      "Starts.",
		"demo:orders/types#[constructor]cursor().from": "Where to start.",
		"demo:orders/types#[method]cursor.next()":      "Moves on.",
		"demo:orders/types#[static]cursor.open()":      "Opens another.",
		"demo:orders/types#[method][get]cursor.size()": "How many there are.",
		"demo:orders/types#[method][set]cursor.size()": "Sets it.",
		"demo:orders/types#[static][get]cursor.last()": "The last one.",
		"demo:orders/types#[method]cursor.wait()":      "Later.",
		"demo:orders/orders":                           "Placing orders.",
		"demo:orders/orders#place()":                   "Places an order.\n\n    indented code\nThe end.",
		"demo:orders/orders#place().order":             "The order.",
		"demo:orders/orders#func()":                    "Slow.",
		"demo:orders/orders#[get]total()":              "A property.",
		"demo:orders/orders#get()":                     "No accessor.",
		"demo:orders/shop":                             "The shop.",
		"#log()":                                       "What the world logs.",
		"#total()":                                     "The total.",
		"#[get]limit()":                                "A setting.",
		"#pair":                                        "A type of the world.",
		"admin":                                        "For administrators.",
		"admin#reset()":                                "Resets.",
		"admin#permit":                                 "What it takes.",
		"admin#permit.key":                             "Its key.",
		"demo:inner":                                   "A package inside.",
		"demo:inner/store":                             "Its interface.",
		"demo:inner/store#get()":                       "Gets.",
		"demo:innermost/deep":                          "Deep.",
	})
}

func compare(t *testing.T, got, want doc.Comments) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if got[key] != want[key] {
			t.Errorf("%s: got %q, want %q", key, got[key], want[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[key]; !ok {
			t.Errorf("%s: got %q, want nothing", key, got[key])
		}
	}
}

// TestFiles shows how files make packages, and which comment wins.
func TestFiles(t *testing.T) {
	got, err := doc.Parse(map[string][]byte{
		"wit/b.wit": []byte("interface b { /// from b\n f: func(); }\n world w { /// mine\n export run: func(); }"),
		"wit/a.wit": []byte("package my:pkg;\n /// from a\n interface a {}"),
		// Files right in deps are packages of their own; directories in it are packages too.
		"wit/deps/one.wit":   []byte("package dep:one@1.0.0;\n /// one\n interface i {} world w { /// theirs\n export run: func(); }"),
		"wit/deps/two.wit":   []byte("package dep:two;\n /// two\n interface i {}"),
		"wit/deps/x/1.wit":   []byte("package dep:x@0.1.0; /// of x\n interface i {}"),
		"wit/deps/x/2.wit":   []byte("package dep:x@0.1.0; /// more of x\n interface j {}"),
		"wit/deps/y/new.wit": []byte("package dep:one@2.0.0;\n /// later by path\n interface i {}"),
		"other.wit":          []byte("package my:other { /// other\n interface i {} }"),
		"empty.wit":          []byte("\ufeff// nothing\r\n"),
	})
	if err != nil {
		t.Fatal(err)
	}
	compare(t, got, doc.Comments{
		"my:pkg/b#f()": "from b", "my:pkg/a": "from a", "#run()": "mine", "dep:one/i": "one", "dep:two/i": "two",
		"dep:x/i": "of x", "dep:x/j": "more of x", "my:other/i": "other",
	})
}

// TestText shows what becomes of the text of comments.
func TestText(t *testing.T) {
	for _, test := range []struct{ name, comment, want string }{
		{"no space", "///a\n///b", "a\nb"},
		{"common indentation", "///   a\n///     b", "a\n  b"},
		{"tabs", "///\ta\n///\t\tb", "a\n\tb"},
		{"empty lines", "///\n///\n/// a\n///\n/// b\n///", "a\n\nb"},
		{"windows", "/// a\r\n/// b\r\n", "a\nb"},
		{"a lone return", "/// a\rb", "a b"},
		{"with a gap", "/// a\n\n\n/// b", "a\nb"},
		{"around a plain comment", "/// a\n// x\n/* y */\n/// b", "a\nb"},
		{"four slashes", "//// a", ""},
		{"only space", "///   \n/**   */", ""},
		{"block", "/** a */", "a"},
		{"blocks and lines", "/// a\n/** b\n * c */\n/// d", "a\nb\nc\nd"},
		{"stars at some lines only", "/** a\n * b\n c */", "a\n* b\nc"},
		{"nested", "/** a /* b */ c */", "a /* b */ c"},
		{"empty blocks", "/**/ /***/ /****/", ""},
		{"not Latin", "/// Größe, Ωμέγα", "Größe, Ωμέγα"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := doc.Parse(map[string][]byte{"a.wit": []byte("package a:b;\n" + test.comment + "\ninterface c {}")})
			if err != nil {
				t.Fatal(err)
			}
			if got["a:b/c"] != test.want {
				t.Errorf("got %q, want %q", got["a:b/c"], test.want)
			}
		})
	}
}

// TestErrors shows what is refused, where, and how it is said.
func TestErrors(t *testing.T) {
	inside := func(s string) string { return "package a:b;\ninterface c { " + s + " }" }
	for _, test := range []struct{ src, want string }{
		{"interface a {}", "1:1: the package has no name; begin with `package NAMESPACE:NAME;`"},
		{"package a:b;\ninterface", "2:10: expected an identifier, found the end of the file"},
		{"package a:b;\n\n  x", "3:3: expected `interface`, `world`, `use` or `package`, found `x`"},
		{"package a;", "1:10: expected `:`, found `;`"},
		{"interface i {} package a:b;", "1:16: `package a:b;` must come first in its file"},
		{"package a:b@1.2;", "1:13: expected a version such as 1.2.0"},
		{"package a:b@01.2.3;", "1:13: expected a version such as 1.2.0"},
		{"package a:b@1.2.3-;", "1:13: expected an identifier after '-' in the version"},
		{"package a:b; /* /* */", "1:14: this comment does not end"},
		{"package a:b; é", "1:14: unexpected character 'é'"},
		{"package a:b; // é \x00", "1:19: control character U+0000 is not allowed"},
		{"package a:b; // \u202e", "1:17: control character U+202E is not allowed"},
		{"package a:b; // \xff", "1:17: the text is not UTF-8"},
		{inside("record r { option: u8 }"), "2:26: `option` is a keyword; write %option to use it as a name"},
		{inside("record r { a b }"), "2:28: expected `:`, found `b`"},
		{inside("record r { a: u8 b: u8 }"), "2:32: expected `}`, found `b`"},
		{inside("type t = list<u8;"), "2:31: expected `>`, found `;`"},
		{inside("type t = list<u8, a>;"), "2:33: expected a number, found `a`"},
		{inside("type t = record;"), "2:24: expected a type, found keyword `record`"},
		{inside("type t = \"a\";"), "2:24: expected a type, found a string"},
		{inside("type t = \"a"), "2:24: this string does not end"},
		{inside("type t = \"a\n\";"), "2:24: this string does not end"},
		{inside("type a--b = u8;"), "2:20: identifier \"a--b\" has an empty word"},
		{inside("type a-Bc = u8;"), "2:20: identifier \"a-Bc\" mixes cases in a word; WIT joins words with -"},
		{inside("type a_b = u8;"), "2:20: identifier \"a_b\" has an underscore; WIT joins words with -"},
		{inside("type %1a = u8;"), "2:20: identifier \"1a\" begins with a digit"},
		{inside("type % = u8;"), "2:20: identifier \"\" has an empty word"},
		{inside("f: func(a: u8"), "2:29: expected `)`, found `}`"},
		{inside("f: func() -> ;"), "2:28: expected a type, found `;`"},
		{inside("f: func() - 1;"), "2:25: identifier \"-\" has an empty word"},
		{inside("@new(a = b) f: func();"), "2:16: unknown annotation @new"},
		{inside("@since(1.0.0) f: func();"), "2:22: expected `version`, found `1`"},
		{inside("resource r { f: async static func(); }"), "2:37: expected `func`, found `static`"},
		{"package a:b; world w { export a/b; }", "1:32: expected `;`, found `/`"},
		{"package a:b; world w { record { } }", "1:31: expected an identifier, found `{`"},
		{"package a:b; world w { f: func(); }", "1:24: expected `import`, `export`, `include`, `use` or a type, found `f`"},
		{inside("type t = " + strings.Repeat("option<", 101)), "2:724: types are nested more than 100 deep"},
		{strings.Repeat("package a:b { ", 101), "1:1401: packages are nested more than 100 deep"},
	} {
		_, err := doc.Parse(map[string][]byte{"dir/a.wit": []byte(test.src)})
		if _, ok := errors.AsType[*doc.Error](err); !ok {
			t.Errorf("%q: got error %v", test.src, err)
			continue
		}
		if want := "wit: dir/a.wit:" + test.want; err.Error() != want {
			t.Errorf("%q:\ngot  %s\nwant %s", test.src, err, want)
		}
	}
}

// TestHeaders refuses a directory of two packages at the second one's name.
func TestHeaders(t *testing.T) {
	_, err := doc.Parse(map[string][]byte{"d/a.wit": []byte("package a:b;"), "d/b.wit": []byte("\n  package a:c;")})
	if want := "wit: d/b.wit:2:3: package a:c in a directory of package a:b"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestLookup finds comments for the parts of a decoded world.
func TestLookup(t *testing.T) {
	comments := doc.Comments{
		"a:b/c": "interface", "a:b/c#t": "type", "a:b/c#t.m": "member", "a:b/c#r": "resource", "a:b/c#f()": "function",
		"a:b/c#f().p": "parameter", "#f()": "world's function", "#t": "world's type", "plain": "plain", "plain#f()": "plain's function",
		"": "nothing reads this",
	}
	i := &wit.Interface{ID: "a:b/c@1.2.3", Namespace: "a", Package: "b", Name: "c", Version: "1.2.3"}
	plain := &wit.Interface{ID: "plain", Name: "plain"}
	typ, own := &wit.Type{Kind: wit.Record, Name: "t", Interface: i}, &wit.Type{Kind: wit.Record, Name: "t"}
	f := &wit.Function{Name: "f"}
	for _, test := range []struct{ got, want string }{
		{comments.Interface(i), "interface"},
		{comments.Interface(plain), "plain"},
		{comments.Interface(nil), ""},
		{comments.Type(typ), "type"},
		{comments.Type(own), "world's type"},
		{comments.Member(typ, "m"), "member"},
		{comments.Member(typ, "n"), ""},
		{comments.Resource(&wit.Resource{Name: "r", Interface: i}), "resource"},
		{comments.Function(i, f), "function"},
		{comments.Function(nil, f), "world's function"},
		{comments.Function(plain, f), "plain's function"},
		{comments.Param(i, f, "p"), "parameter"},
		{doc.Comments(nil).Type(typ), ""},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

// FuzzParse checks that any text gives comments or an error with a place in it, and that the same text gives the same.
func FuzzParse(f *testing.F) {
	src, err := os.ReadFile("testdata/all.wit")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(src)
	f.Add([]byte("package a:b { interface c { f: func(); } } world w { import a:b/c@0.0.0-a.b; }"))
	f.Add([]byte("package a:b;\n/** a\n * b */ interface c { resource r { x: static get() -> list<u8, 2>; } }"))
	f.Fuzz(func(t *testing.T, src []byte) {
		files := map[string][]byte{"a.wit": src}
		comments, err := doc.Parse(files)
		if err != nil {
			var e *doc.Error
			if !errors.As(err, &e) || e.Line < 1 || e.Column < 1 || e.Line > 1+strings.Count(string(src), "\n") {
				t.Fatalf("error without a place: %v", err)
			}
			return
		}
		for key, text := range comments {
			if text == "" || strings.HasPrefix(text, "\n") || strings.HasSuffix(text, "\n") || strings.Contains(text, "\r") {
				t.Fatalf("%s: %q", key, text)
			}
			if key == "" || strings.ContainsAny(key, "% \n@") {
				t.Fatalf("key %q", key)
			}
		}
		again, err := doc.Parse(files)
		if err != nil || !maps.Equal(comments, again) {
			t.Fatalf("not the same again: %v", err)
		}
	})
}
