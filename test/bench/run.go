package main

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/executor/wasmtime"
)

// run says what was measured, on what, and with what.
type run struct {
	Machine machine `json:"machine"`
	Engine  string  `json:"engine"` // "wasmtime 48.0.8 lts"
	Commit  string  `json:"commit"` // of weft; it ends in "-dirty" where more than documents was changed since
	// Versions are those of all that is measured or measures, by name: "go", "grpc-go", "node", "wasmtime serve".
	Versions map[string]string `json:"versions"`
	Rounds   int               `json:"rounds"`
	Seconds  float64           `json:"seconds"` // that the run took

	began time.Time
}

// String is a line about all of it.
func (r run) String() string {
	return fmt.Sprintf("weft %s, %s; %s; medians of %d rounds", r.Commit, r.Engine, r.Machine, r.Rounds)
}

// thisRun describes the run that begins now. The weft binary must have the engine that this program has.
func thisRun(o options) (run, error) {
	r := run{
		Machine: thisMachine(), Engine: executor.Engine, Commit: commit(), Rounds: o.rounds, began: time.Now(),
		Versions: map[string]string{"go": runtime.Version()},
	}
	if o.weft == "" { // nothing calls it
		return r, nil
	}
	info, err := buildinfo.ReadFile(o.weft)
	if err != nil {
		return r, fmt.Errorf("%s: %w; make build makes it", o.weft, err)
	}
	for _, dependency := range info.Deps {
		if dependency.Path == "google.golang.org/grpc" {
			r.Versions["grpc-go"] = dependency.Version
		}
	}
	engine := "stock"
	for _, setting := range info.Settings {
		if setting.Key == "-tags" && strings.Contains(setting.Value, "wasmtime_lts") {
			engine = "lts"
		}
	}
	if engine != wasmtime.Name {
		return r, fmt.Errorf("%s has the engine %s, and this program %s; make bench ENGINE=%s builds both with one", o.weft, engine, wasmtime.Name, engine)
	}
	return r, nil
}

// engineTag has the go command link the engine that this program has.
const engineTag = "-tags=wasmtime_" + wasmtime.Name

// commit is the one that is checked out, as far as git knows. Documents do not count as changes: the run before this one may have written them.
func commit() string {
	out, err := exec.Command("git", "rev-parse", "--short=12", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	id := strings.TrimSpace(string(out))
	changes, err := exec.Command("git", "status", "--porcelain", "--untracked-files=no", "--", ":/", ":(top,exclude)docs").Output()
	if err != nil || len(changes) > 0 {
		id += "-dirty"
	}
	return id
}

// programVersion is the first line that a program says of its version.
func programVersion(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line
}

// toolchain is what a script of examples/toolchains prints: where it has installed what it installs. It tells people what that is.
func toolchain(ctx context.Context, script string) (string, error) {
	path := filepath.Join("examples", "toolchains", script)
	cmd := exec.CommandContext(ctx, path)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return strings.TrimSpace(string(out)), nil
}
