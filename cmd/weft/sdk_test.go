package main

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/wit/contract"
	"github.com/weft-run/weft/wit/wittest"
)

// schemaOf is what a server says of a function that exports this.
func schemaOf(t *testing.T, world string) *weftv1.SchemaResponse {
	t.Helper()
	built, err := contract.Build(contract.Input{Function: "class", World: wittest.MustParse(world)})
	if err != nil {
		t.Fatal(err)
	}
	files, err := contract.Files(built.Contracts)
	if err != nil {
		t.Fatal(err)
	}
	return &weftv1.SchemaResponse{Contracts: built.Contracts, Files: files}
}

// TestPythonKeywords imports stubs of packages that are named by keywords, as the program does that comes with them.
func TestPythonKeywords(t *testing.T) {
	modules, err := exec.Command("../../examples/toolchains/clients.sh", "python").Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PYTHONPATH", strings.TrimSpace(string(modules)))
	schema := schemaOf(t, `package school:class@1.0.0 { interface types { record room { name: string } }
			interface roster { use types.{room}; count: func(room: room) -> u32; } }
		package school:people { interface people { find: func(name: string); } }
		world w { export school:class/roster@1.0.0; export school:people/people; export pass: func(); }`)
	function := &weftv1.Function{Name: "class", Services: []*weftv1.Service{{
		Name:    "school.class.v1.Roster",
		Methods: []*weftv1.Method{{Name: "Count", RequestType: "school.class.v1.CountRequest", Sample: `{"room":{"name":"1a"}}`}},
	}}}
	dir := t.TempDir()
	if err := (&app{out: io.Discard}).writeSDK(sdkLanguages["python"], dir, function, schema); err != nil {
		t.Fatal(err)
	}
	for module, want := range map[string]string{
		"main":                            "UNAVAILABLE",
		"class.functions_pb2_grpc":        "",
		"school.people.people_pb2_grpc":   "",
		"school.class.v1.types_pb2_grpc":  "",
		"school.class.v1.roster_pb2_grpc": "",
	} {
		command := exec.Command("python3", "-m", module, "127.0.0.1:1")
		command.Dir, command.Env = dir, append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
		out, err := command.CombinedOutput()
		if (err != nil) != (want != "") || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v\n%s", module, err, out)
		}
	}
	people, err := os.ReadFile(dir + "/school/people/people_pb2_grpc.py")
	if err != nil || !strings.Contains(string(people), "\nfrom school.people import people_pb2 as ") {
		t.Errorf("a package without keywords is not imported as usual: %v\n%s", err, people)
	}
}

func TestPythonKeywordMethods(t *testing.T) {
	for world, want := range map[string]string{
		`package demo:a { interface a { none: func(); } } world w { export demo:a/a; }`:      "demo.a.A/None can't have stubs in Python: None is a keyword there",
		`package demo:a { interface %true { f: func(); } } world w { export demo:a/%true; }`: "demo.a.True can't have stubs in Python: True is a keyword there",
	} {
		err := (&app{out: io.Discard}).writeSDK(sdkLanguages["python"], t.TempDir(), nil, schemaOf(t, world))
		if err == nil || err.Error() != want {
			t.Errorf("error is %v, want %s", err, want)
		}
	}
}
