package project

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/weft-run/weft/wit/bindgen"
)

// templates hold a folder for each language and wit, which all have. In their text, @NAME@ is the project's name, @SNAKE@ the same
// with underscores and @PACKAGE@ the directory of its bindings in Go. A file's name ends in .tmpl, so that no tool takes it for its own.
//
//go:embed all:templates
var templates embed.FS

// names are those of functions that can also name a WIT package: words of letters and digits between single hyphens.
var names = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$`)

// maxName is the length of a function's name, in bytes.
const maxName = 63

// reserved can't name a project, since code is generated for it: keywords of WIT and of the languages, and what the
// go command treats specially.
var reserved = words(`abstract as async await bool borrow box break case char class const constructor continue crate def do double dyn
	else enum export extern f32 f64 false final flags float fn for from func future goto if impl import in include int
	interface internal let list long loop macro match mod move mut option override own package priv pub record ref resource result return
	s16 s32 s64 s8 self short signed sizeof static stream string struct super switch testdata trait true try tuple type typedef
	typeof u16 u32 u64 u8 union unsafe unsigned unsized use variant vendor virtual void volatile where while with world yield`)

func words(text string) map[string]bool {
	m := make(map[string]bool)
	for w := range strings.FieldsSeq(text) {
		m[w] = true
	}
	return m
}

// CheckName tells whether a project can have a name.
func CheckName(name string) error {
	switch {
	case len(name) > maxName:
		return fmt.Errorf("the name has %d characters; the most is %d", len(name), maxName)
	case !names.MatchString(name):
		return fmt.Errorf("%q is no name of a project: write lower-case words of letters and digits, each beginning with a letter, "+
			"with single hyphens between them, as in word-count", name)
	case reserved[name]:
		return fmt.Errorf("%q means something to WIT or to a language; add a word to it, as in %s-service", name, name)
	}
	return nil
}

// New writes a project into a new folder, which must not be there or be empty. The folder's last part names it. It returns the
// files, by path from the folder. It needs no network. A project in Go also needs the bindings of its WIT, in gen.
func New(dir, lang string) ([]string, error) {
	l, err := languageNamed(lang)
	if err != nil {
		return nil, err
	}
	name := filepath.Base(dir)
	if err := CheckName(name); err != nil {
		return nil, err
	}
	if entries, err := os.ReadDir(dir); len(entries) > 0 {
		return nil, fmt.Errorf("%s is there and not empty: choose another name, or remove it", dir)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: it has to be a folder that can be made: %w", dir, err)
	}
	fill := strings.NewReplacer("@NAME@", name, "@SNAKE@", strings.ReplaceAll(name, "-", "_"),
		"@PACKAGE@", bindgen.PackageName(name))
	var written []string
	for _, part := range []string{"contract", l.name} {
		root := path.Join("templates", part)
		err := fs.WalkDir(templates, root, func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := templates.ReadFile(file)
			if err != nil {
				return err
			}
			to := fill.Replace(strings.TrimSuffix(strings.TrimPrefix(file, root+"/"), ".tmpl"))
			full := filepath.Join(dir, to)
			if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil { //nolint:gosec // sources, for everybody
				return err
			}
			content := fill.Replace(string(text))
			if to == "Cargo.lock" {
				content = sortedLock(content)
			}
			written = append(written, to)
			return os.WriteFile(full, []byte(content), 0o644) //nolint:gosec // the same
		})
		if err != nil {
			return nil, err
		}
	}
	return written, nil
}

// sortedLock orders the packages of a Cargo.lock by name, as Cargo demands, which the project's own name may have put out of order.
func sortedLock(text string) string {
	const heading = "[[package]]\n"
	parts := strings.Split(strings.TrimRight(text, "\n")+"\n\n", heading)
	slices.Sort(parts[1:])
	return strings.TrimRight(strings.Join(parts, heading), "\n") + "\n"
}
