// Package resolve reads a world from WIT text: the types that a component built from it has, as package wit/component would
// decode them.
//
// [World] knows WIT as the Component Model's WIT.md gives it: packages in deps directories and nested ones, versions, use,
// include, inline interfaces, and gates, of which @unstable ones leave out what they stand before. An interface that
// only lends types to others becomes an import, as in a component. An interface that is exported uses the types of
// other exported interfaces where those are exported too, else those of imports.
package resolve

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/doc"
)

// World returns a world of WIT files, by file path with forward slashes, and the world's name. Files of one directory
// form a package, each file right in a deps directory is one of its own. The name may be empty where the package
// outside deps has one world; it may be that of a world in another package, as "wasi:cli/command@0.2.0". An error in
// the text is a *[doc.Error].
func World(files map[string][]byte, name string) (world *wit.World, found string, err error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*doc.Error)
			if !ok {
				panic(r)
			}
			world, found, err = nil, "", e
		}
	}()
	s := &set{packages: map[string]*pack{}}
	if err := s.parse(files); err != nil {
		return nil, "", err
	}
	w, err := s.find(name)
	if err != nil {
		return nil, "", err
	}
	return newBuilder(s).world(w), w.name, nil
}

// Files returns the .wit files of a directory and those below it, by path.
func Files(dir fs.FS) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := fs.WalkDir(dir, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(p) != ".wit" {
			return err
		}
		files[p], err = fs.ReadFile(dir, p)
		return err
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("wit: there are no .wit files")
	}
	return files, err
}

// set is all packages of a source.
type set struct {
	packages map[string]*pack // by "namespace:name@version"
	roots    []*pack          // those outside deps directories
}

// pack is one package.
type pack struct {
	namespace, name, version string
	interfaces               map[string]*declaration
	worlds                   map[string]*declaration
}

func (p *pack) id() string {
	if p.version == "" {
		return p.namespace + ":" + p.name
	}
	return p.namespace + ":" + p.name + "@" + p.version
}

// declaration is an interface or a world.
type declaration struct {
	pack  *pack // nil for an inline interface
	name  string
	file  *file
	items []*item
}

// id is the name of an interface in a component.
func (d *declaration) id() string {
	if d.pack == nil {
		return d.name
	}
	id := d.pack.namespace + ":" + d.pack.name + "/" + d.name
	if d.pack.version != "" {
		id += "@" + d.pack.version
	}
	return id
}

// file is one file with what it calls interfaces of other packages.
type file struct {
	path, src string
	pack      *pack // of its header or its directory
	aliases   map[string]*ref
}

func (f *file) fail(t doc.Token, format string, args ...any) {
	panic(doc.ErrorAt(f.path, f.src, t, fmt.Sprintf(format, args...)))
}

// parse reads all files.
func (s *set) parse(files map[string][]byte) error {
	units := map[string][]*parser{}
	for _, p := range slices.Sorted(maps.Keys(files)) {
		tokens, err := doc.Tokens(p, string(files[p]))
		if err != nil {
			return err
		}
		f := &file{path: p, src: strings.TrimPrefix(string(files[p]), "\ufeff"), aliases: map[string]*ref{}}
		units[unit(p)] = append(units[unit(p)], &parser{set: s, file: f, tokens: tokens})
	}
	// The package outside of deps is the first root.
	for _, u := range slices.SortedFunc(maps.Keys(units), func(a, b string) int {
		return cmp.Or(cmp.Compare(depth(a), depth(b)), strings.Compare(a, b))
	}) {
		var header *pack
		for _, p := range units[u] {
			if found := p.header(); found != nil {
				header = found
			}
		}
		if header != nil && depth(u) == 0 {
			s.roots = append(s.roots, header)
		}
		for _, p := range units[u] {
			p.file.pack = header
			p.declarations(header, "")
		}
	}
	return nil
}

// unit is what the files of a package share.
func unit(p string) string {
	if path.Base(path.Dir(p)) == "deps" {
		return p
	}
	return path.Dir(p)
}

// depth counts the deps directories above a unit.
func depth(u string) int {
	count := 0
	for part := range strings.SplitSeq(u, "/") {
		if part == "deps" {
			count++
		}
	}
	return count
}

// pkg returns the package of a name, made if it is new.
func (s *set) pkg(namespace, name, version string) *pack {
	p := &pack{
		namespace: namespace, name: name, version: version,
		interfaces: map[string]*declaration{}, worlds: map[string]*declaration{},
	}
	if known := s.packages[p.id()]; known != nil {
		return known
	}
	s.packages[p.id()] = p
	return p
}

// find returns the world of a name.
func (s *set) find(name string) (*declaration, error) {
	if id, world, ok := strings.Cut(name, "/"); ok {
		world, version, _ := strings.Cut(world, "@")
		namespace, pkg, _ := strings.Cut(id, ":")
		if p := s.packages[(&pack{namespace: namespace, name: pkg, version: version}).id()]; p != nil && p.worlds[world] != nil {
			return p.worlds[world], nil
		}
		return nil, fmt.Errorf("wit: there is no world %s", name)
	}
	var worlds []*declaration
	for _, p := range s.roots {
		for _, at := range slices.Sorted(maps.Keys(p.worlds)) {
			if name == "" || at == name {
				worlds = append(worlds, p.worlds[at])
			}
		}
	}
	switch {
	case len(worlds) == 1:
		return worlds[0], nil
	case len(worlds) == 0 && name != "":
		return nil, fmt.Errorf("wit: there is no world %q", name)
	case len(worlds) == 0:
		return nil, fmt.Errorf("wit: there is no world")
	}
	var list []string
	for _, w := range worlds {
		list = append(list, w.name)
	}
	return nil, fmt.Errorf("wit: there are several worlds; say which: %s", strings.Join(list, ", "))
}
