package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weft-run/weft/cmd/weft/project"
)

// buildTime bounds a build that may have to install its toolchain, and a deploy that compiles what came of it, on a busy machine.
const buildTime = 10 * time.Minute

// ownBuilds gives a test a cache directory that has the user's toolchains and no builds but its own.
func ownBuilds(t *testing.T) {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	toolchains := filepath.Join(cache, "weft", "toolchains")
	own := t.TempDir()
	if err := errors.Join(
		os.MkdirAll(toolchains, 0o755), os.MkdirAll(filepath.Join(own, "weft"), 0o755),
		os.Symlink(toolchains, filepath.Join(own, "weft", "toolchains")),
	); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOCACHE", filepath.Join(cache, "go-build")) // where it is anyhow
	t.Setenv("XDG_CACHE_HOME", own)
}

// TestProjects goes from weft new to an answer, in each language.
func TestProjects(t *testing.T) {
	ownBuilds(t)
	s := startServer(t)
	for _, lang := range project.Languages() {
		t.Run(lang, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "hello-"+lang)
			weftWith(t, "", "new", "--lang", lang, dir).ok().prints(filepath.Join(dir, "README.md"))
			built := weftWithin(t, buildTime, "", "build", dir, "--install").ok()
			file := filepath.Join(dir, "hello-"+lang+".wasm")
			built.prints(file, "--contract")
			weftWithin(t, buildTime, "", "deploy", file, "--name", "hello-"+lang, "--wit", filepath.Join(dir, "wit"),
				"--contract", filepath.Join(dir, "wit", "contract.binpb"), "--wait", "5m", "--addr", s.addr).ok()

			method := "demo.hello_" + lang + ".v1.Greetings/Greet"
			s.weft("call", method, `{"name": "Zoë"}`).ok().prints(`"Hello, Zoë!"`, `"letters": 3`)
			s.weft("call", method, `{"name": "Ada", "tone": "TONE_FORMAL"}`).ok().prints(`"Good day, Ada."`)
			s.weft("call", method, `{"name": " "}`).exits(exitFailure).complains("INVALID_ARGUMENT", "the name is empty")
		})
	}
}

// TestBuildKeepsTheContract changes the types of a project in a way that callers would not survive.
// TestNewGoNames: the program imports the bindings from where they are, whatever Go makes of the name.
func TestNewGoNames(t *testing.T) {
	for _, name := range []string{"word-count", "main", "init", "in-it", "error", "append"} {
		dir := filepath.Join(t.TempDir(), name)
		weftWith(t, "", "new", "--lang", "go", dir).ok()
		program, err := os.ReadFile(filepath.Join(dir, "main.go"))
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(program), `"example.com/`+name+"/")
		imported, _, ok := strings.Cut(rest, `"`)
		if info, err := os.Stat(filepath.Join(dir, imported)); !ok || err != nil || !info.IsDir() {
			t.Errorf("%s: %q is imported: %v", name, imported, err)
		}
	}
}

func TestBuildKeepsTheContract(t *testing.T) {
	ownBuilds(t)
	dir := filepath.Join(t.TempDir(), "hello")
	weftWith(t, "", "new", "--lang", "c", dir).ok()
	weftWithin(t, buildTime, "", "build", dir, "--install").ok()
	if again := weftWith(t, "", "build", dir).ok(); strings.Contains(again.err, "building") {
		t.Errorf("the second time it builds what did not change:\n%s", again.err)
	}
	change(t, filepath.Join(dir, "wit", "function.wit"), "letters: u32", "letters: u64")
	weftWith(t, "", "build", dir).exits(exitFailure).complains("demo.hello.v1.Greeting.letters", "--allow-breaking")
	weftWith(t, "", "build", dir, "--allow-breaking").ok().prints("letters")
}

func change(t *testing.T, file, from, to string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(text), from, to)), 0o600); err != nil {
		t.Fatal(err)
	}
}
