package bindgen_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/bindgen"
	"github.com/weft-run/weft/wit/component"
	"github.com/weft-run/weft/wit/doc"
	"github.com/weft-run/weft/wit/resolve"
)

var update = flag.Bool("update", false, "write golden files anew")

// generate makes the bindings of the one world in a directory of WIT, or of the named one.
func generate(t *testing.T, files map[string][]byte, world, pkg string) map[string][]byte {
	t.Helper()
	built, name, err := resolve.World(files, world)
	if err != nil {
		t.Fatal(err)
	}
	comments, err := doc.Parse(files)
	if err != nil {
		t.Fatal(err)
	}
	generated, err := bindgen.Generate(bindgen.Config{World: built, Name: name, Package: pkg, Comments: comments})
	if err != nil {
		t.Fatal(err)
	}
	return generated
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	for name, data := range files {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func run(t *testing.T, dir string, env []string, name string, args ...string) {
	t.Helper()
	c := exec.Command(name, args...)
	c.Dir, c.Env = dir, append(os.Environ(), env...)
	if output, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", c, err, output)
	}
}

func TestGolden(t *testing.T) {
	generated := generate(t, map[string][]byte{"shop.wit": read(t, "testdata/golden.wit")}, "", "example.com/shop/gen")
	for name, data := range generated {
		if strings.HasPrefix(name, "guest/") {
			continue
		}
		golden := filepath.Join("testdata", "golden", name+".txt")
		if *update {
			write(t, filepath.Join("testdata", "golden"), map[string][]byte{name + ".txt": data})
		}
		if want := read(t, golden); !bytes.Equal(data, want) {
			t.Errorf("%s is not what %s says; run the test with -update and look at the difference\n%s", name, golden, data)
		}
	}
}

// TestCommitted checks that the bindings in the repository are what the generator writes: run make generate.
func TestCommitted(t *testing.T) {
	for dir, pkg := range map[string]string{
		"examples/report":                 "example.com/report",
		"examples/shop/checkout":          "example.com/checkout",
		"test/components/conformance-go":  "github.com/weft-run/weft/test/components/conformance-go",
		"test/components/load-go":         "github.com/weft-run/weft/test/components/load-go",
		"test/components/cursors-go":      "github.com/weft-run/weft/test/components/cursors-go",
		"test/components/cursors-user-go": "github.com/weft-run/weft/test/components/cursors-user-go",
	} {
		root := filepath.Join("..", "..", filepath.FromSlash(dir))
		files, err := resolve.Files(os.DirFS(filepath.Join(root, "wit")))
		if err != nil {
			t.Fatal(err)
		}
		for name, data := range generate(t, files, "", pkg+"/gen") {
			if committed, err := os.ReadFile(filepath.Join(root, "gen", name)); err != nil || !bytes.Equal(committed, data) {
				t.Errorf("%s/gen/%s is not what the generator writes: run 'make generate'", dir, name)
			}
		}
	}
}

func TestDeterministic(t *testing.T) {
	files := map[string][]byte{"traps.wit": read(t, "testdata/traps.wit")}
	first := generate(t, files, "traps", "example.com/traps/gen")
	for range 5 {
		if !maps.EqualFunc(first, generate(t, files, "traps", "example.com/traps/gen"), bytes.Equal) {
			t.Fatal("the same WIT gave other bindings")
		}
	}
}

// TestTraps builds a component of a world with names and types that are easily got wrong. What the functions do is
// tested by test/conformance and test/guest; here the compiler, vet, and the componentizer, which compares each function's
// core type with the WIT, have to agree.
func TestTraps(t *testing.T) {
	text := read(t, "testdata/traps.wit")
	// A variant whose tag takes two bytes, and an enum likewise.
	var variant, enum []string
	for n := range 300 {
		variant = append(variant, fmt.Sprintf("c%d(u%d)", n, 8<<(n%4)))
		enum = append(enum, fmt.Sprintf("e%d", n))
	}
	text = bytes.Replace(text, []byte("interface shapes {"), fmt.Appendf(nil,
		"interface shapes {\nvariant big { %s }\nenum tall { %s }\nbig-one: func(v: big, w: list<tall>) -> option<big>;\n",
		strings.Join(variant, ", "), strings.Join(enum, ", ")), 1)
	dir := t.TempDir()
	files := map[string][]byte{"traps.wit": text}
	generated := generate(t, files, "traps", "example.com/traps/gen")
	imports := map[string]bool{}
	for name, data := range generated {
		write(t, filepath.Join(dir, "gen"), map[string][]byte{name: data})
		imports[path.Dir(name)] = true
	}
	main := "package main\n\n"
	for _, at := range slices.Sorted(maps.Keys(imports)) {
		main += fmt.Sprintf("import _ %q\n", "example.com/traps/gen/"+at)
	}
	write(t, dir, map[string][]byte{
		"go.mod": []byte("module example.com/traps\n\ngo 1.26\n"), "main.go": []byte(main + "\nfunc main() {}\n"), "wit/traps.wit": text,
	})
	run(t, dir, nil, "go", "vet", "./...")
	run(t, dir, []string{"GOOS=wasip1", "GOARCH=wasm"}, "go", "vet", "./...")
	run(t, dir, []string{"WIT_WORLD=traps"}, script(t, "go.sh"), "build", dir, filepath.Join(dir, "traps.wasm"))
}

func script(t *testing.T, name string) string {
	t.Helper()
	full, err := filepath.Abs(filepath.Join("..", "..", "examples", "toolchains", name))
	if err != nil {
		t.Fatal(err)
	}
	return full
}

// TestResolvedAsDecoded compares the world that package resolve reads with that of a component, in the bindings that they
// give.
func TestResolvedAsDecoded(t *testing.T) {
	out, err := exec.Command(script(t, "wasm-tools.sh")).Output()
	if err != nil {
		t.Fatal(err)
	}
	tools := strings.TrimSpace(string(out))
	for _, tt := range []struct{ name, dir, world string }{
		{"traps", "", "traps"},
		{"golden", "", "shop"},
		{"conformance", "../../test/components/conformance/wit", "conformance"},
		{"load", "../../test/components/load-go/wit", "load-go"},
		{"orders", "../../examples/orders/wit", ""},
		{"text", "../../examples/text/wit", ""},
		{"stats", "../../examples/stats/wit", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := tt.dir
			if dir == "" {
				dir = t.TempDir()
				write(t, dir, map[string][]byte{tt.name + ".wit": read(t, "testdata/"+tt.name+".wit")})
			}
			files, err := resolve.Files(os.DirFS(dir))
			if err != nil {
				t.Fatal(err)
			}
			resolved, name, err := resolve.World(files, tt.world)
			if err != nil {
				t.Fatal(err)
			}
			core, whole := filepath.Join(t.TempDir(), "core.wasm"), filepath.Join(t.TempDir(), "whole.wasm")
			run(t, "", nil, tools, "component", "embed", "--dummy", "--world", name, dir, "-o", core)
			run(t, "", nil, tools, "component", "new", core, "-o", whole)
			decoded, err := component.Decode(read(t, whole))
			if err != nil {
				t.Fatal(err)
			}
			want, got := bindings(t, decoded, name), bindings(t, resolved, name)
			for _, file := range slices.Sorted(maps.Keys(want)) {
				// A component has its types in another order.
				if g, w := lines(got[file]), lines(want[file]); !slices.Equal(g, w) {
					t.Errorf("%s differs:\n%s\n\ndecoded:\n%s", file, got[file], want[file])
				}
			}
			if len(got) != len(want) {
				t.Errorf("files %v, want %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
			}
		})
	}
}

// lines are the lines of a file, sorted.
func lines(file []byte) []string {
	list := strings.Split(string(file), "\n")
	for n := range list {
		list[n] = strings.Join(strings.Fields(list[n]), " ")
	}
	slices.Sort(list)
	return list
}

func bindings(t *testing.T, w *wit.World, name string) map[string][]byte {
	t.Helper()
	files, err := bindgen.Generate(bindgen.Config{World: w, Name: name, Package: "example.com/gen"})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestRefuses(t *testing.T) {
	for _, tt := range []struct{ wit, message string }{
		{`package a:b; world w { export f: func(v: stream<u8>); }`, "function f uses a stream"},
		{`package a:b; world w { export f: async func(); }`, "function f is async"},
		{`package a:b; world w { export f: func(v: map<string, u8>); }`, "function f uses a map"},
		{`package a:b; interface i { f: func(v: list<u8, 4>); } world w { import i; }`, "function f uses a"},
	} {
		w, name, err := resolve.World(map[string][]byte{"w.wit": []byte(tt.wit)}, "")
		if err != nil {
			t.Errorf("%s: %v", tt.wit, err)
			continue
		}
		if _, err := bindgen.Generate(bindgen.Config{World: w, Name: name, Package: "p"}); err == nil || !strings.Contains(err.Error(), tt.message) {
			t.Errorf("%s: error %v, want %q", tt.wit, err, tt.message)
		}
	}
}

func TestFiles(t *testing.T) {
	if _, err := resolve.Files(fstest.MapFS{"a.txt": {}}); err == nil {
		t.Error("a directory without WIT was read")
	}
}
