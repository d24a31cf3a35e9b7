package project

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/weft-run/weft/examples/toolchains"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// Options say how to build.
type Options struct {
	// Lang is the language; empty for that of the folder's build file.
	Lang string
	// Install permits to install what is missing.
	Install bool
	// AllowBreaking accepts changes that break callers of what the contract file has.
	AllowBreaking bool
	// Output gets what the toolchain says.
	Output io.Writer
}

// Built is what a build left.
type Built struct {
	Name      string `json:"name"`
	Language  string `json:"language"`
	Component string `json:"component"`
	Size      uint64 `json:"size"` // in bytes
	Contract  string `json:"contract"`
	// Changes are what the build changed for callers, against the contract file as it was.
	Changes []*weftv1.Change `json:"-"`
}

// Build builds the project in a folder: its component into the folder, and its contract beside the .wit files. Where it
// fails, both stay as they were.
func Build(ctx context.Context, dir string, o Options) (*Built, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%s is no folder; name that of a project, or start one with weft new", dir)
	}
	var l language
	if o.Lang == "" {
		l, err = detect(dir)
	} else {
		l, err = languageNamed(o.Lang)
	}
	if err != nil {
		return nil, err
	}
	name, err := packageName(dir)
	if err != nil {
		return nil, err
	}
	binary, err := compile(ctx, l, dir, name, o)
	if err != nil {
		return nil, err
	}
	set, changes, err := extend(dir, name, binary, o.AllowBreaking)
	if err != nil {
		return nil, err
	}
	b := &Built{
		Name: name, Language: l.name, Size: uint64(len(binary)), Changes: changes,
		Component: filepath.Join(dir, name+".wasm"), Contract: filepath.Join(dir, contractFile),
	}
	if err := replace(b.Component, binary); err != nil {
		return nil, err
	}
	return b, replace(b.Contract, set)
}

var packageLine = regexp.MustCompile(`(?m)^\s*package\s+%?[a-z0-9-]+:%?([a-z0-9-]+)`)

// packageName is the name of the WIT package in the project's wit folder.
func packageName(dir string) (string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "wit", "*.wit"))
	if err != nil {
		return "", err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		if m := packageLine.FindSubmatch(text); m != nil {
			return string(m[1]), nil
		}
	}
	return "", fmt.Errorf("no .wit file in %s says which package it is: begin one with, say, package demo:%s@1.0.0;",
		filepath.Join(dir, "wit"), filepath.Base(dir))
}

// compile runs the language's script and returns the component. Its work is kept in the cache directory, for the next time.
func compile(ctx context.Context, l language, dir, name string, o Options) ([]byte, error) {
	cache, err := cacheDir()
	if err != nil {
		return nil, err
	}
	scripts, err := unpack(cache)
	if err != nil {
		return nil, err
	}
	out := filepath.Join(cache, "build", fmt.Sprintf("%x", sha256.Sum256([]byte(dir)))[:16], name+".wasm")
	command := exec.CommandContext(ctx, "bash", filepath.Join(scripts, l.script), "build", dir, out)
	if !o.Install {
		command.Env = append(os.Environ(), "WEFT_INSTALL=never")
	}
	command.Stdout, command.Stderr = o.Output, o.Output
	if err := command.Run(); err != nil {
		exit := new(exec.ExitError)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.As(err, &exit) && exit.ExitCode() == toolchains.StatusMissing:
			return nil, fmt.Errorf("the toolchain for %s is not complete; weft build --install completes it", l.title)
		case errors.As(err, &exit):
			return nil, fmt.Errorf("building %s, as %s, failed; what its toolchain said is above", dir, l.title)
		default:
			return nil, fmt.Errorf("the scripts that build components need bash: %w", err)
		}
	}
	return os.ReadFile(out)
}

// cacheDir is weft's part of the user's cache directory.
func cacheDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache directory to keep toolchains in: %w", err)
	}
	return filepath.Join(cache, "weft"), nil
}

// unpack puts the scripts of this binary into the cache directory, in a folder named after what they are.
func unpack(cache string) (string, error) {
	hash := sha256.New()
	files := make(map[string][]byte)
	err := fs.WalkDir(toolchains.Scripts, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := toolchains.Scripts.ReadFile(name)
		files[name] = text
		_, _ = fmt.Fprintf(hash, "%s %d\n%s", name, len(text), text)
		return err
	})
	if err != nil {
		return "", err
	}
	to := filepath.Join(cache, "toolchains", "scripts-"+fmt.Sprintf("%x", hash.Sum(nil))[:12])
	if _, err := os.Stat(to); err == nil {
		return to, nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil { //nolint:gosec // nothing in it is secret
		return "", err
	}
	partial, err := os.MkdirTemp(filepath.Dir(to), ".scripts-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(partial) }()
	for name, text := range files {
		full := filepath.Join(partial, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil { //nolint:gosec // the same
			return "", err
		}
		mode := fs.FileMode(0o644)
		if strings.HasSuffix(name, ".sh") {
			mode = 0o755
		}
		if err := os.WriteFile(full, text, mode); err != nil {
			return "", err
		}
	}
	// Another process may have been faster: its folder has the same files.
	if err := os.Rename(partial, to); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return to, nil
}

// replace writes a file in one step, unless it has the content already.
func replace(file string, content []byte) error {
	if was, err := os.ReadFile(file); err == nil && bytes.Equal(was, content) {
		return nil
	}
	partial := file + ".partial"
	if err := os.WriteFile(partial, content, 0o644); err != nil { //nolint:gosec // for everybody
		return err
	}
	return os.Rename(partial, file)
}
