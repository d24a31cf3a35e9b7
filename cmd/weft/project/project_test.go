package project

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckName(t *testing.T) {
	for _, name := range []string{"a", "word-count", "v2", strings.Repeat("a", 63)} {
		if err := CheckName(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", "Upper", "a_b", "a--b", "a-", "-a", "1a", "a-1", "a.b", "list", "fn", strings.Repeat("a", 64)} {
		if CheckName(name) == nil {
			t.Errorf("%q is accepted", name)
		}
	}
}

func TestNew(t *testing.T) {
	for _, lang := range Languages() {
		t.Run(lang, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "word-count")
			files, err := New(dir, lang)
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				text, err := os.ReadFile(filepath.Join(dir, file))
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(string(text), "@NAME@") || strings.Contains(string(text), "@SNAKE@") ||
					strings.Contains(string(text), "@PACKAGE@") {
					t.Errorf("%s has a blank that was not filled in", file)
				}
			}
			l, err := detect(dir)
			if err != nil || l.name != lang {
				t.Errorf("detected %q, %v", l.name, err)
			}
			if name, err := packageName(dir); err != nil || name != "word-count" {
				t.Errorf("named %q, %v", name, err)
			}
			if _, err := New(dir, lang); err == nil || !strings.Contains(err.Error(), "not empty") {
				t.Errorf("again: %v", err)
			}
		})
	}
}

func TestNewWhereAFileIs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "word-count")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(file, "js"); err == nil {
		t.Error("a project was made in place of a file")
	}
}

func TestBuildRefuses(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"no language", map[string]string{"main.cob": ""}, "no project of a language that weft knows"},
		{"two languages", map[string]string{"Cargo.toml": "", "pyproject.toml": ""}, "--lang"},
		{"no WIT", map[string]string{"app.py": ""}, "begin one with, say, package demo:"},
		{"no package", map[string]string{"app.py": "", "wit/a.wit": "interface a {}"}, "begin one with, say, package demo:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range tt.files {
				file := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := Build(t.Context(), dir, Options{Output: io.Discard})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
	if _, err := Build(t.Context(), filepath.Join(t.TempDir(), "nowhere"), Options{Output: io.Discard}); err == nil {
		t.Error("a folder that is not there was built")
	}
}

// TestBuildWithoutToolchain has a cache without anything in it, and may not fill it.
func TestBuildWithoutToolchain(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir := filepath.Join(t.TempDir(), "word-count")
	if _, err := New(dir, "py"); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	_, err := Build(t.Context(), dir, Options{Output: &said})
	if err == nil || !strings.Contains(err.Error(), "weft build --install completes it") {
		t.Error(err)
	}
	if !strings.Contains(said.String(), "componentize-py") {
		t.Errorf("said %q; want what is missing", said.String())
	}
}
