package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// sources is where the function is in every language, below the repository, in which the benchmark is started.
const sources = "test/components/receipt"

// A language is one in which the function is written.
type language struct {
	name string // as people write it
	id   string // of its directory in sources and its component: receipt-ID.wasm
	// program makes the program that answers the same without weft, in a directory that is its own, and returns its command line.
	program func(ctx context.Context, source, dir string) ([]string, error)
	// version is a command that says in its first line by which tool the program is made or run.
	version []string
}

var languages = []language{
	{"Rust", "rust", rustProgram, []string{"rustc", "--version"}},
	{"C", "c", cProgram, []string{"gcc", "--version"}},
	{"Go", "go", goProgram, []string{"go", "env", "GOVERSION"}},
	{"JavaScript", "js", jsProgram, []string{"node", "-p", "`node ${process.versions.node}`"}},
	{"TypeScript", "ts", tsProgram, []string{"node", "-p", "`node ${process.versions.node}`"}},
	{"Python", "python", pythonProgram, []string{"python3", "--version"}},
}

func rustProgram(ctx context.Context, source, dir string) ([]string, error) {
	program := filepath.Join(dir, "receipt")
	return []string{program}, tool(ctx, "", "rustc", "--edition", "2024", "-C", "opt-level=3", "-C", "panic=abort", "-C", "lto",
		"-o", program, filepath.Join(source, "src", "native.rs"))
}

func cProgram(ctx context.Context, source, dir string) ([]string, error) {
	program := filepath.Join(dir, "receipt")
	return []string{program}, tool(ctx, "", "gcc", "-O2", "-o", program,
		filepath.Join(source, "native", "main.c"), filepath.Join(source, "src", "receipt.c"))
}

func goProgram(ctx context.Context, source, dir string) ([]string, error) {
	program := filepath.Join(dir, "receipt")
	return []string{program}, tool(ctx, source, "go", "build", "-o", program, "./native")
}

func jsProgram(ctx context.Context, source, _ string) ([]string, error) {
	node, err := interpreter(ctx, "node", "-p", "process.execPath")
	return []string{node, filepath.Join(source, "src", "native.js")}, err
}

// tsProgram has node run what the compiler makes of the TypeScript, with the main module of the JavaScript.
func tsProgram(ctx context.Context, source, dir string) ([]string, error) {
	node, err := interpreter(ctx, "node", "-p", "process.execPath")
	if err != nil {
		return nil, err
	}
	toolchain, err := exec.CommandContext(ctx, filepath.Join(source, "../../../../examples/toolchains/js.sh")).Output()
	if err != nil {
		return nil, fmt.Errorf("js.sh: %w", err)
	}
	compiler := filepath.Join(strings.TrimSpace(string(toolchain)), "node_modules/typescript/bin/tsc")
	err = errors.Join(
		tool(ctx, "", node, compiler, "--target", "es2023", "--module", "es2022", "--outDir", dir, filepath.Join(source, "src", "receipt.ts")),
		copyFiles(dir, filepath.Join(source, "package.json"), filepath.Join(source, "../js/src/native.js")))
	return []string{node, filepath.Join(dir, "native.js")}, err
}

// pythonProgram compiles the module beforehand, as Python does when it may write where the module is.
func pythonProgram(ctx context.Context, source, dir string) ([]string, error) {
	python, err := interpreter(ctx, "python3", "-c", "import sys; print(sys.executable)")
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		copyFiles(dir, filepath.Join(source, "native.py"), filepath.Join(source, "receipt.py")),
		tool(ctx, dir, python, "-m", "py_compile", "receipt.py"))
	return []string{python, filepath.Join(dir, "native.py")}, err
}

// copyFiles copies files into a directory.
func copyFiles(dir string, files ...string) error {
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// tool runs a compiler.
func tool(ctx context.Context, dir, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

// interpreter asks an interpreter for the file that it is, and refuses what is no program of the machine: version managers
// put scripts on the PATH that find the program first and take longer than the program.
func interpreter(ctx context.Context, name string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	path, err := filepath.EvalSymlinks(strings.TrimSpace(string(out)))
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	binary, err := elf.Open(path)
	if err != nil {
		return "", fmt.Errorf("%s: %s is no program of this machine, but a script perhaps: %w", name, path, err)
	}
	return path, binary.Close()
}

// implementation is one language under measurement.
type implementation struct {
	language

	component string // its file
	digest    [sha256.Size]byte
	size      int64
	command   []string // of the program that answers the same
	version   string
}

// implementations builds the programs of the languages that are measured.
func implementations(ctx context.Context, o options, dir string) (all []*implementation, err error) {
	wanted := strings.Split(o.languages, ",")
	for _, l := range languages {
		if !slices.Contains(wanted, l.id) {
			continue
		}
		c := &implementation{language: l, component: filepath.Join(o.components, "receipt-"+l.id+".wasm")}
		content, err := os.ReadFile(c.component)
		if err != nil {
			return nil, err
		}
		c.digest, c.size = sha256.Sum256(content), int64(len(content))
		own := filepath.Join(dir, l.id)
		if err := os.Mkdir(own, 0o700); err != nil {
			return nil, err
		}
		source, err := filepath.Abs(filepath.Join(sources, l.id))
		if err != nil {
			return nil, err
		}
		if c.command, err = l.program(ctx, source, own); err != nil {
			return nil, fmt.Errorf("%s: %w", l.name, err)
		}
		out, err := exec.CommandContext(ctx, l.version[0], l.version[1:]...).Output()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.name, err)
		}
		c.version, _, _ = strings.Cut(strings.TrimSpace(string(out)), "\n")
		all = append(all, c)
	}
	return all, nil
}

// process starts the program, waits until it has ended, and checks its answer.
func (c *implementation) process(ctx context.Context) (time.Duration, error) {
	command := exec.CommandContext(ctx, c.command[0], append(c.command[1:], receiptArguments()...)...)
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, os.Stderr
	began := time.Now()
	err := command.Run()
	took := time.Since(began)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", strings.Join(c.command, " "), err)
	}
	return took, checkText(out.String())
}
