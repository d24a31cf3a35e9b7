package contract_test

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
	"github.com/weft-run/weft/wit/doc"
	"github.com/weft-run/weft/wit/wittest"
)

// function is the function that is deployed in these tests.
const function = "demo-fn"

var update = flag.Bool("update", false, "write the golden files")

// A history is what came of building the worlds of one directory of testdata, one after the other.
type history struct {
	contracts map[string]*weftv1.Contract
	log       strings.Builder
	revisions []revision
}

// A revision is a world with the shapes that it had when it was built.
type revision struct {
	world    *wit.World
	services []*contract.Service
}

// TestGolden builds 1.wit, 2.wit … of each directory of testdata on top of each other and compares the .proto files
// that come out at the end, and what each step changed.
func TestGolden(t *testing.T) {
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			h := replay(t, filepath.Join("testdata", name))
			got := printed(t, h)
			got["changes.txt"] = h.log.String()
			golden := filepath.Join("testdata", name, "golden")
			if *update {
				writeTree(t, golden, got)
			}
			want := readTree(t, golden)
			for path := range want {
				if _, ok := got[path]; !ok {
					t.Errorf("%s is not made any more; -update removes it", path)
				}
			}
			for path, text := range got {
				if want[path] != text {
					t.Errorf("%s differs (-update writes it):\n%s", path, text)
				}
			}
		})
	}
}

// cases are the directories of testdata.
func cases(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && e.Name() != "rapid" && e.Name() != "fuzz" {
			names = append(names, e.Name())
		}
	}
	return names
}

// replay builds the worlds of a directory.
func replay(t *testing.T, dir string) *history {
	t.Helper()
	h := &history{contracts: make(map[string]*weftv1.Contract)}
	files, err := filepath.Glob(filepath.Join(dir, "*.wit"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no .wit files in %s: %v", dir, err)
	}
	slices.Sort(files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&h.log, "%s\n", filepath.Base(file))
		h.deploy(t, string(text))
	}
	h.rebind(t)
	return h
}

// deploy builds one world on what there is, checks what must hold for any build, and keeps the result.
func (h *history) deploy(t *testing.T, text string) {
	t.Helper()
	world, err := wittest.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	comments, err := doc.Parse(map[string][]byte{"world.wit": []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	in := contract.Input{
		Function:      function,
		World:         world,
		Comments:      comments,
		Stored:        h.contracts,
		AllowBreaking: strings.HasPrefix(text, "// allow-breaking"),
	}
	before := cloneAll(h.contracts)
	built, err := contract.Build(in)
	for pkg, c := range before {
		if !proto.Equal(c, h.contracts[pkg]) {
			t.Fatalf("Build changed its input: %s", pkg)
		}
	}
	if breaking, ok := errors.AsType[*contract.BreakingError](err); ok {
		for _, c := range breaking.Changes {
			fmt.Fprintf(&h.log, "  refused: %s: %s\n", c.GetPath(), c.GetDescription())
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range built.Changes {
		kind := ""
		if c.GetBreaking() {
			kind = "breaking: "
		}
		fmt.Fprintf(&h.log, "  %s%s: %s\n", kind, c.GetPath(), c.GetDescription())
	}
	for _, c := range built.Changed {
		fmt.Fprintf(&h.log, "  %s is version %d\n", c.GetPackage(), c.GetVersion())
		if built.Base[c.GetPackage()] != before[c.GetPackage()].GetVersion() || c.GetVersion() != built.Base[c.GetPackage()]+1 {
			t.Errorf("version of %s is %d, base %d", c.GetPackage(), c.GetVersion(), built.Base[c.GetPackage()])
		}
	}
	for _, c := range built.Contracts {
		h.contracts[c.GetPackage()] = c
	}
	if twice := shared(built.Services); twice != "" {
		t.Errorf("two fields share a number: %s", twice)
	}
	h.revisions = append(h.revisions, revision{world, built.Services})
	again(t, in, built, h.contracts)
}

// rebind checks that every revision still has the numbers that it was built with.
func (h *history) rebind(t *testing.T) {
	t.Helper()
	for i, r := range h.revisions {
		services, err := contract.Bind(function, r.world, h.contracts)
		if err != nil {
			t.Errorf("revision %d: %v", i+1, err)
		} else if !reflect.DeepEqual(services, r.services) {
			t.Errorf("revision %d has other numbers now", i+1)
		}
	}
}

// shared returns a message two of whose fields have one number, or an enum with such values, "" if there is none.
func shared(services []*contract.Service) (twice string) {
	seen := make(map[*contract.Shape]bool)
	var fields func(message string, fields []contract.Field)
	fields = func(message string, all []contract.Field) {
		numbers := make(map[int32]bool)
		for _, f := range all {
			if numbers[f.Number] {
				twice = message + "." + f.Name
			}
			numbers[f.Number] = true
			if f.Shape == nil || seen[f.Shape] {
				continue
			}
			seen[f.Shape] = true
			values := make(map[int32]bool)
			for _, n := range f.Shape.Numbers {
				if values[n] {
					twice = f.Shape.Message
				}
				values[n] = true
			}
			fields(f.Shape.Message, f.Shape.Fields)
		}
	}
	for _, s := range services {
		for _, m := range s.Methods {
			fields(m.Request, m.Params)
			if m.Result != nil {
				fields(m.Response, []contract.Field{*m.Result})
			}
			if m.Error != nil && m.Error.Field == nil {
				fields(m.Error.Message, m.Error.Shape.Fields)
			}
		}
	}
	return twice
}

// again checks that a build gives the same bytes again, and that building on its result changes nothing.
func again(t *testing.T, in contract.Input, first *contract.Built, contracts map[string]*weftv1.Contract) {
	t.Helper()
	second, err := contract.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range first.Contracts {
		a, errA := proto.MarshalOptions{Deterministic: true}.Marshal(c)
		b, errB := proto.MarshalOptions{Deterministic: true}.Marshal(second.Contracts[i])
		if errA != nil || errB != nil || string(a) != string(b) {
			t.Errorf("two builds of %s differ", c.GetPackage())
		}
	}
	in.Stored, in.AllowBreaking = contracts, false
	idle, err := contract.Build(in)
	if err != nil {
		t.Fatalf("building on the result: %v", err)
	}
	if len(idle.Changed) > 0 || len(idle.Changes) > 0 {
		t.Errorf("building on the result changes it: %v %v", idle.Changes, idle.Changed)
	}
}

func cloneAll(contracts map[string]*weftv1.Contract) map[string]*weftv1.Contract {
	out := make(map[string]*weftv1.Contract, len(contracts))
	for pkg, c := range contracts {
		out[pkg] = proto.CloneOf(c)
	}
	return out
}

// printed returns the .proto files of all contracts.
func printed(t *testing.T, h *history) map[string]string {
	t.Helper()
	var all []*weftv1.Contract
	for _, c := range h.contracts {
		all = append(all, c)
	}
	set, err := contract.Files(all)
	if err != nil {
		t.Fatal(err)
	}
	text, err := contract.Print(set)
	if err != nil {
		t.Fatal(err)
	}
	delete(text, "buf.yaml")
	return text
}

func readTree(t *testing.T, root string) map[string]string {
	t.Helper()
	tree := make(map[string]string)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		rel, _ := filepath.Rel(root, path)
		tree[filepath.ToSlash(rel)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func writeTree(t *testing.T, root string, tree map[string]string) {
	t.Helper()
	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	for path, text := range tree {
		path = filepath.Join(root, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
