package project

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// A language is one that functions are written in.
type language struct {
	name   string // as --lang has it
	title  string
	script string // of examples/toolchains
	// marks are files one of which a project of the language has; a pattern of filepath.Match each.
	marks []string
}

var languages = []language{
	{"rust", "Rust", "rust.sh", []string{"Cargo.toml"}},
	{"go", "Go", "go.sh", []string{"go.mod"}},
	{"js", "JavaScript", "js.sh", []string{"package.json"}},
	{"ts", "TypeScript", "js.sh", []string{"tsconfig.json"}},
	{"py", "Python", "python.sh", []string{"pyproject.toml", "app.py"}},
	{"c", "C", "c.sh", []string{"*.c", "src/*.c"}},
}

// Languages are the names of the languages.
func Languages() []string {
	var names []string
	for _, l := range languages {
		names = append(names, l.name)
	}
	return names
}

// Known tells whether a language has that name.
func Known(name string) bool { return slices.Contains(Languages(), name) }

func languageNamed(name string) (language, error) {
	i := slices.IndexFunc(languages, func(l language) bool { return l.name == name })
	if i < 0 {
		return language{}, fmt.Errorf("%q is no language that weft knows: name one of %s", name, strings.Join(Languages(), ", "))
	}
	return languages[i], nil
}

// detect tells the language of a project by its build file.
func detect(dir string) (language, error) {
	var found []language
	for _, l := range languages {
		if slices.ContainsFunc(l.marks, func(mark string) bool {
			files, err := filepath.Glob(filepath.Join(dir, mark))
			return err == nil && len(files) > 0
		}) {
			found = append(found, l)
		}
	}
	// TypeScript has JavaScript's file too.
	if len(found) == 2 && found[0].name == "js" && found[1].name == "ts" {
		found = found[1:]
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		var marks []string
		for _, l := range languages {
			marks = append(marks, l.marks[0]+" ("+l.title+")")
		}
		return language{}, fmt.Errorf("%s is no project of a language that weft knows: it has none of %s; weft new starts one",
			dir, strings.Join(marks, ", "))
	default:
		return language{}, fmt.Errorf("%s has %s and %s: say which language it is with --lang", dir, found[0].marks[0], found[1].marks[0])
	}
}
