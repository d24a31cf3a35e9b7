package contract_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/descriptorpb"
	"pgregory.net/rapid"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
	"github.com/weft-run/weft/wit/wittest"
)

const toolchains = "../../examples/toolchains/"

// tools installs what the tests of this file run, and puts it on the PATH.
var tools = sync.OnceValue(func() error {
	bin, err := script("go-tools.sh", "buf", "protoc-gen-go", "protoc-gen-go-grpc")
	if err != nil {
		return err
	}
	_, err = script("apt.sh", "checking schemas with protoc and javac",
		"protobuf-compiler", "libprotobuf-dev", "default-jdk-headless", "libprotobuf-java")
	if err != nil {
		return err
	}
	return os.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
})

func script(name string, args ...string) (string, error) {
	c := exec.Command(toolchains+name, args...)
	c.Stderr = os.Stderr
	out, err := c.Output()
	return strings.TrimSpace(string(out)), err
}

// run runs a tool in a directory and fails the test with its output if the tool fails.
func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	if err := tools(); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(name, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out.Bytes())
	}
}

// goldens writes the files of all golden cases into one tree, with the buf.yaml of a schema, and returns it with
// its contracts.
var goldens = func(t *testing.T) (dir string, contracts []*weftv1.Contract) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range cases(t) {
		h := replay(t, filepath.Join("testdata", name))
		for _, pkg := range slices.Sorted(maps.Keys(h.contracts)) {
			if slices.ContainsFunc(contracts, func(c *weftv1.Contract) bool { return c.GetPackage() == pkg }) {
				t.Fatalf("two cases have package %s", pkg)
			}
			contracts = append(contracts, h.contracts[pkg])
		}
	}
	write(t, dir, contracts)
	return dir, contracts
}

func write(t *testing.T, dir string, contracts []*weftv1.Contract) {
	t.Helper()
	set, err := contract.Files(contracts)
	if err != nil {
		t.Fatal(err)
	}
	text, err := contract.Print(set)
	if err != nil {
		t.Fatal(err)
	}
	writeTree(t, dir, text)
}

// files lists the files below a directory with a suffix, relative to it.
func files(t *testing.T, dir, suffix string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, suffix) {
			rel, _ := filepath.Rel(dir, path)
			out = append(out, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestBuf(t *testing.T) {
	dir, _ := goldens(t)
	run(t, dir, "buf", "build")
	run(t, dir, "buf", "lint")
}

// TestProtoc compiles the printed text and compares what protoc makes of it with the contracts.
func TestProtoc(t *testing.T) {
	dir, contracts := goldens(t)
	args := append([]string{"--fatal_warnings", "--include_source_info", "--include_imports", "-oset.binpb"}, files(t, dir, ".proto")...)
	run(t, dir, "protoc", args...)
	data, err := os.ReadFile(filepath.Join(dir, "set.binpb"))
	if err != nil {
		t.Fatal(err)
	}
	var got descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	want, err := contract.Files(contracts)
	if err != nil {
		t.Fatal(err)
	}
	compiled := byName(&got)
	if len(compiled) != len(want.GetFile()) {
		t.Errorf("%d files, want %d", len(compiled), len(want.GetFile()))
	}
	for name, f := range byName(want) {
		if strings.HasPrefix(name, "google/") {
			continue
		}
		if diff := cmp.Diff(f, compiled[name], protocmp.Transform(), protocmp.IgnoreFields(&descriptorpb.FieldDescriptorProto{}, "json_name")); diff != "" {
			t.Errorf("%s: -contract +protoc\n%s", name, diff)
		}
	}
}

// byName returns the files of a set with only those parts of their source info that are comments.
func byName(set *descriptorpb.FileDescriptorSet) map[string]*descriptorpb.FileDescriptorProto {
	out := make(map[string]*descriptorpb.FileDescriptorProto)
	for _, f := range set.GetFile() {
		f = proto.CloneOf(f)
		var comments []*descriptorpb.SourceCodeInfo_Location
		for _, l := range f.GetSourceCodeInfo().GetLocation() {
			if l.LeadingComments != nil {
				l.Span = nil
				comments = append(comments, l)
			}
		}
		slices.SortFunc(comments, func(a, b *descriptorpb.SourceCodeInfo_Location) int { return slices.Compare(a.Path, b.Path) })
		f.SourceCodeInfo = &descriptorpb.SourceCodeInfo{Location: comments}
		out[f.GetName()] = f
	}
	return out
}

func TestJava(t *testing.T) {
	dir, _ := goldens(t)
	compileJava(t, dir)
}

func compileJava(t *testing.T, dir string) {
	t.Helper()
	out := t.TempDir()
	run(t, dir, "protoc", append([]string{"--java_out=" + out}, files(t, dir, ".proto")...)...)
	sources := strings.Join(files(t, out, ".java"), "\n")
	if err := os.WriteFile(filepath.Join(out, "sources"), []byte(sources), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, out, "javac", "-nowarn", "-proc:none", "-cp", "/usr/share/java/protobuf.jar", "-d", "classes", "@sources")
}

// TestGo builds the stubs that the file options lead to: one module for all packages.
func TestGo(t *testing.T) {
	dir, _ := goldens(t)
	compileGo(t, dir)
}

func compileGo(t *testing.T, dir string) {
	t.Helper()
	stubs := t.TempDir()
	args := []string{"--go_out=" + stubs, "--go_opt=module=weft.internal", "--go-grpc_out=" + stubs, "--go-grpc_opt=module=weft.internal"}
	run(t, dir, "protoc", append(args, files(t, dir, ".proto")...)...)
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		if name == "go.mod" {
			data = bytes.Replace(data, []byte("module github.com/weft-run/weft"), []byte("module weft.internal"), 1)
		}
		if err := os.WriteFile(filepath.Join(stubs, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run(t, stubs, "go", "build", "./...")
}

var (
	worlds = flag.Int("worlds", 24, "how many random worlds to compile")
	first  = flag.Int("first", 0, "the first of them")
)

// TestRandomCompiles puts random worlds, each in packages of its own, through all compilers at once.
func TestRandomCompiles(t *testing.T) {
	dir := t.TempDir()
	var contracts []*weftv1.Contract
	for seed := *first; seed < *first+*worlds; seed++ {
		namespace := fmt.Sprintf("random%d", seed)
		world := rapid.Custom(func(t *rapid.T) *wit.World { return wittest.World(t, namespace) }).Example(seed)
		built, err := contract.Build(contract.Input{Function: namespace, World: world})
		var refused *contract.RefusedError
		if errors.As(err, &refused) && strings.Contains(refused.Msg, "is held by") {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		contracts = append(contracts, built.Contracts...)
	}
	if len(contracts) < *worlds/2 {
		t.Fatalf("only %d packages came out", len(contracts))
	}
	write(t, dir, contracts)
	run(t, dir, "buf", "lint")
	compileJava(t, dir)
	compileGo(t, dir)
}
