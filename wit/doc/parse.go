package doc

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"
)

// Parse returns the doc comments of WIT files, by file path with forward slashes. Files of one directory form a
// package, as `package` in one of them names it; each file right in a `deps` directory is a package of its own, and nested
// packages may be anywhere. The result does not depend on the order of the map. It returns an *[Error] for the first
// file that is not WIT.
func Parse(files map[string][]byte) (Comments, error) {
	var parsed []*file
	headers := map[string]string{} // by unit
	for _, p := range order(files) {
		src := string(files[p])
		f, err := parseFile(p, src)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, f)
		if f.header == "" {
			continue
		}
		if known := headers[unit(p)]; known != "" && known != f.header {
			return nil, errorAt(p, src, f.headerAt, "package "+f.header+" in a directory of package "+known)
		}
		headers[unit(p)] = f.header
	}

	comments := Comments{}
	for _, f := range parsed {
		header := headers[unit(f.path)]
		if header == "" && f.bare {
			return nil, errorAt(f.path, "", 0, "the package has no name; begin with `package NAMESPACE:NAME;`")
		}
		for _, e := range f.entries {
			if key := e.key(header); comments[key] == "" {
				comments[key] = e.text
			}
		}
	}
	return comments, nil
}

// order returns the paths of files: those that other packages depend on last.
func order(files map[string][]byte) []string {
	return slices.SortedFunc(maps.Keys(files), func(a, b string) int {
		inDeps := func(p string) int {
			if slices.Contains(strings.Split(path.Dir(p), "/"), "deps") {
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(inDeps(a), inDeps(b)), strings.Compare(a, b))
	})
}

// unit returns what a file shares with the others of its package.
func unit(p string) string {
	if dir := path.Dir(p); path.Base(dir) != "deps" {
		return dir
	}
	return p
}

// file is what one file says.
type file struct {
	path string
	// header is the package of `package NAMESPACE:NAME;`, without version, empty if the file has none.
	header string
	// headerAt is where it is.
	headerAt int
	// bare is true if an interface or a world stands outside any nested package.
	bare    bool
	entries []entry
}

// entry is one comment.
type entry struct {
	scope scope
	item  string // with its "#"
	text  string
}

// key returns the key of a comment in a directory of package header.
func (e entry) key(header string) string {
	switch {
	case e.scope.world:
		return e.scope.name + e.item
	case e.scope.pkg != "":
		header = e.scope.pkg
	}
	if e.scope.name == "" {
		return header + e.item
	}
	return header + "/" + e.scope.name + e.item
}

// scope is where a declaration stands.
type scope struct {
	// pkg is the nested package, empty outside one.
	pkg string
	// world is true for what a world defines itself.
	world bool
	// name is that of the interface or world; inside a world, that of the inline interface.
	name string
}

// parseFile parses one file.
func parseFile(p, src string) (f *file, err error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*Error)
			if !ok {
				panic(r)
			}
			err = e
		}
	}()
	ps := &parser{lexer: lexer{file: p, src: src}, out: &file{path: p}}
	ps.check()
	ps.advance()
	ps.file()
	return ps.out, nil
}
