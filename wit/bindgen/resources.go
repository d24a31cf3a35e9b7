package bindgen

import (
	"fmt"

	"github.com/weft-run/weft/wit"
)

// ownResources are the resources that the package defines.
func (p *pkg) ownResources() []*wit.Resource {
	var list []*wit.Resource
	for _, n := range p.iface.Types {
		if n.Resource != nil && p.types[n.Resource] != "" && n.Resource.Name == n.Name {
			list = append(list, n.Resource)
		}
	}
	return list
}

func (p *pkg) hasResources() bool { return len(p.ownResources()) > 0 }

// importedResources are those whose values are handles.
func (p *pkg) importedResources() []*wit.Resource {
	if p.export {
		return nil
	}
	return p.ownResources()
}

// resourceName returns the Go name of a resource that the package defines, by its name in WIT.
func (p *pkg) resourceName(name string) string {
	for _, r := range p.ownResources() {
		if r.Name == name {
			return p.types[r]
		}
	}
	return exported(name)
}

// defineResource writes the type of a resource: a handle, or what an implementation is.
func (p *pkg) defineResource(n wit.NamedType) {
	r := n.Resource
	name, own := p.types[r]
	if !own || r.Name != n.Name {
		if alias := exported(n.Name); !p.top[alias] {
			p.top[alias] = true
			owner := p.g.ownerOf(r.Interface)
			p.printf("type %s = %s\n\n", alias, p.qualified(owner, owner.types[r]))
		}
		return
	}
	p.comment(p.g.Comments.Resource(r), fmt.Sprintf("%s is the resource %s.", name, r.Name))
	if p.export {
		p.printf("//\n// If an implementation has a method Drop(), it is called when the last handle is gone.\n")
		p.printf("type %s interface {\n", name)
		for _, f := range p.exports {
			if kind, resource, _ := split(f.Name); kind == method && resource == r.Name {
				p.method(f)
			}
		}
		p.printf("}\n\n")
		return
	}
	p.printf("type %s struct {\n// Handle is what the host knows it by.\nHandle %s\n}\n\n", name, p.guest("Handle"))
	p.printf("// Drop gives the resource back. It does nothing the second time, or if the resource was given away.\n")
	p.printf("func (r *%s) Drop() {\nif !r.Handle.Gone() {\ndrop%s(r.Handle.Take())\n}\n}\n\n", name, name)
}

// resourceFunctions writes what the host gives for resources.
func (p *pkg) resourceFunctions() {
	for _, r := range p.ownResources() {
		name := p.types[r]
		if !p.export {
			p.wasmImport(p.module(), "[resource-drop]"+r.Name, "drop"+name, "(uint32)")
			continue
		}
		module := "[export]" + p.module()
		p.wasmImport(module, "[resource-new]"+r.Name, "new"+name, "(uint32) uint32")
		p.wasmImport(module, "[resource-rep]"+r.Name, "rep"+name, "(uint32) uint32")
		p.wasmImport(module, "[resource-drop]"+r.Name, "drop"+name, "(uint32)")
		p.printf("// %sHandles are the handles that others have of values of this package. It is for generated code.\n", name)
		p.printf("var %sHandles = %s[%s]{New: new%s, Rep: rep%s, Drop: drop%s}\n\n", name, p.guest("Table"), name, name, name, name)
		p.printf("//go:wasmexport %s#[dtor]%s\nfunc destroy%s(rep uint32) { %sHandles.Destroy(rep) }\n\n", p.module(), r.Name, name, name)
	}
}

// wasmImport writes the declaration of a function that the host gives.
func (p *pkg) wasmImport(module, name, symbol, signature string) {
	p.printf("//go:wasmimport %s %s\nfunc %s%s\n\n", module, name, symbol, signature)
}

// module is what the package's functions are imported from.
func (p *pkg) module() string {
	if p.world {
		return "$root"
	}
	return p.iface.ID
}
