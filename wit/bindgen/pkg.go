package bindgen

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/weft-run/weft/wit"
)

// pkg is the package of one interface.
type pkg struct {
	g     *generator
	iface *wit.Interface
	// world is true for what the world itself imports and exports.
	world bool
	// export is true for the package of an exported interface: its resources are the component's.
	export           bool
	imports, exports []*wit.Function
	// dir is relative to the directory of all; name is the package's.
	dir, name string

	// top are the identifiers of the package.
	top names
	// types are the Go names of types and resources that the package defines.
	types map[any]string
	// members are the Go names of a type's fields, cases or flags.
	members map[*wit.Type][]string
	// functions are the Go names of functions.
	functions map[*wit.Function]string

	movers *movers
	file   *file
}

func (g *generator) newPkg(i *wit.Interface, dir string) *pkg {
	p := &pkg{
		g: g, iface: i, dir: dir, name: path.Base(dir), top: names{"Export": true, "Exports": true},
		types: map[any]string{}, members: map[*wit.Type][]string{}, functions: map[*wit.Function]string{},
	}
	g.order = append(g.order, p)
	return p
}

// owner is the interface that types of the package name as theirs.
func (p *pkg) owner() *wit.Interface {
	if p.world {
		return nil
	}
	return p.iface
}

// nameTypes gives names to what the package defines: first types, then the cases of variants and the constants.
func (p *pkg) nameTypes() {
	for _, n := range p.iface.Types {
		switch {
		case n.Resource != nil && n.Resource.Interface == p.owner() && n.Resource.Name == n.Name:
			p.types[n.Resource] = p.top.claim(exported(n.Name))
		case n.Type != nil && n.Type.Interface == p.owner() && n.Type.Name == n.Name && n.Type.Name != "":
			p.types[n.Type] = p.top.claim(exported(n.Name))
		}
	}
	for _, n := range p.iface.Types {
		if t := n.Type; p.types[t] != "" && p.members[t] == nil {
			p.members[t] = p.nameMembers(t)
		}
	}
}

func (p *pkg) nameMembers(t *wit.Type) []string {
	var list []string
	fields := names{}
	for _, f := range t.Fields {
		list = append(list, fields.claim(exported(f.Name)))
	}
	for _, c := range t.Cases {
		list = append(list, p.top.claim(p.types[t]+exported(c.Name)))
	}
	return list
}

// nameFunctions gives names to functions.
func (p *pkg) nameFunctions() {
	methods := map[string]names{}
	implementation := names{}
	name := func(f *wit.Function, top names) {
		kind, resource, member := split(f.Name)
		switch kind {
		case method:
			if methods[resource] == nil {
				methods[resource] = names{"Drop": true, "Handle": true}
			}
			p.functions[f] = methods[resource].claim(exported(member))
		case constructor:
			p.functions[f] = top.claim("New" + exported(resource))
		case static:
			p.functions[f] = top.claim(exported(resource) + exported(member))
		default:
			p.functions[f] = top.claim(exported(member))
		}
	}
	for _, f := range p.imports {
		name(f, p.top)
	}
	for _, f := range p.exports {
		name(f, implementation)
	}
}

// form is what a function is to a resource.
type form int

const (
	plain form = iota
	method
	static
	constructor
)

// split takes apart the name of a function: "[method]cursor.next".
func split(name string) (kind form, resource, member string) {
	prefix, rest, ok := strings.Cut(name, "]")
	if !ok {
		return plain, "", name
	}
	resource, member, _ = strings.Cut(rest, ".")
	switch prefix {
	case "[method":
		return method, resource, member
	case "[static":
		return static, resource, member
	default:
		return constructor, resource, ""
	}
}

// title names the interface in comments and messages.
func (p *pkg) title() string {
	if p.world {
		return p.g.Name
	}
	return p.iface.ID
}

// files writes the package.
func (p *pkg) files() map[string]string {
	base := p.dir + "/" + p.name
	files := map[string]string{base + ".go": p.api()}
	if len(p.imports)+len(p.exports) > 0 || p.hasResources() {
		files[base+"_wasip1.go"] = p.abi()
	}
	if len(p.imports) > 0 || p.importedResources() != nil {
		files[base+"_other.go"] = p.other()
	}
	return files
}

// file is a file that is being written.
type file struct {
	strings.Builder
	// imports are the names of imported packages by path.
	imports map[string]string
}

func (p *pkg) begin() { p.file = &file{imports: map[string]string{}} }

// end returns the file with its head.
func (p *pkg) end(constraint, comment string) string {
	var b strings.Builder
	b.WriteString(Header + constraint + comment + "package " + p.name + "\n\n")
	for _, at := range slices.Sorted(maps.Keys(p.file.imports)) {
		name := p.file.imports[at]
		if name == path.Base(at) {
			fmt.Fprintf(&b, "import %q\n", at)
		} else {
			fmt.Fprintf(&b, "import %s %q\n", name, at)
		}
	}
	return b.String() + "\n" + p.file.String()
}

func (p *pkg) printf(text string, args ...any) { fmt.Fprintf(p.file, text, args...) }

// local matches the variables of generated code.
var local = regexp.MustCompile(`^([afc][0-9]+|args|err|f|p|r|tag|v)$`)

// use returns the name of a package in this file.
func (p *pkg) use(at string) string {
	if name, ok := p.file.imports[at]; ok {
		return name
	}
	taken := names{}
	for _, name := range p.file.imports {
		taken[name] = true
	}
	wanted := path.Base(at)
	runtime := at == "math" || at == p.g.Package+"/guest"
	if !runtime && (wanted == "math" || wanted == "guest" || local.MatchString(wanted)) {
		wanted += "types"
	}
	name := taken.claim(wanted)
	p.file.imports[at] = name
	return name
}

// guest returns a name of the runtime.
func (p *pkg) guest(name string) string { return p.use(p.g.Package+"/guest") + "." + name }

// qualified returns a name of another package, or of this one.
func (p *pkg) qualified(owner *pkg, name string) string {
	if owner == p {
		return name
	}
	return p.use(p.g.Package+"/"+owner.dir) + "." + name
}

// ownerOf returns the package that defines a named type or resource.
func (g *generator) ownerOf(i *wit.Interface) *pkg { return g.packages[i] }

// comment writes a doc comment.
func (p *pkg) comment(text, otherwise string) {
	if text == "" {
		text = otherwise
	}
	if text == "" {
		return
	}
	for line := range strings.SplitSeq(text, "\n") {
		p.printf("//%s\n", strings.TrimRight(" "+line, " "))
	}
}
