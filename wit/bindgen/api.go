package bindgen

import (
	"fmt"
	"maps"
	"strings"

	"github.com/weft-run/weft/wit"
)

// api writes the file that people read.
func (p *pkg) api() string {
	p.begin()
	p.defineTypes()
	for _, f := range p.imports {
		p.importFunction(f)
	}
	if len(p.exports) > 0 {
		p.exportsInterface()
	}
	comment := p.file
	p.file = &file{imports: comment.imports}
	text := fmt.Sprintf("Package %s is %s.", p.name, p.title())
	if more := p.g.Comments[p.key()]; more != "" && !p.world {
		text += "\n\n" + more
	}
	p.comment(text, "")
	head := p.file.String()
	p.file = comment
	return p.end("", head)
}

// signature is a function as Go has it.
type signature struct {
	params  []string // names
	types   []string
	results string
	// value and err tell what is returned.
	value *wit.Type
	err   bool
}

// signatureOf returns a function's signature, without the resource that a method belongs to.
func (p *pkg) signatureOf(f *wit.Function) signature {
	s := signature{value: f.Result}
	taken := names{"r": true, p.symbol("call", f): true}
	for _, param := range p.params(f) {
		s.params = append(s.params, taken.claim(parameter(param.Name)))
		s.types = append(s.types, p.goType(param.Type))
	}
	if f.Result != nil && f.Result.Kind == wit.Result {
		s.value, s.err = f.Result.Ok, true
	}
	switch {
	case s.err && s.value != nil:
		s.results = fmt.Sprintf("(%s, error)", p.goType(s.value))
	case s.err:
		s.results = "error"
	case s.value != nil:
		s.results = p.goType(s.value)
	}
	return s
}

// params are the parameters of a function, without the resource that a method belongs to.
func (p *pkg) params(f *wit.Function) []wit.Field {
	if kind, _, _ := split(f.Name); kind == method {
		return f.Params[1:]
	}
	return f.Params
}

// list writes the parameters with their types.
func (s signature) list() string {
	parts := make([]string, len(s.params))
	for n := range parts {
		parts[n] = s.params[n] + " " + s.types[n]
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// returns is "return " if something is.
func (s signature) returns() string {
	if s.results == "" {
		return ""
	}
	return "return "
}

// importFunction writes an imported function or method.
func (p *pkg) importFunction(f *wit.Function) {
	s, name := p.signatureOf(f), p.functions[f]
	kind, resource, _ := split(f.Name)
	p.comment(p.g.Comments.Function(p.owner(), f), fmt.Sprintf("%s calls the import %s of %s.", name, f.Name, p.title()))
	p.notes(f, s, true)
	receiver, arguments := "", s.params
	if kind == method {
		receiver, arguments = fmt.Sprintf("(r *%s) ", p.resourceName(resource)), append([]string{"r"}, s.params...)
	}
	p.printf("func %s%s%s %s {\n%s%s(%s)\n}\n\n", receiver, name, s.list(), s.results, s.returns(), p.symbol("call", f), strings.Join(arguments, ", "))
}

// notes writes what the WIT says about parameters, and which error is returned, below the comment if there is one.
func (p *pkg) notes(f *wit.Function, s signature, below bool) {
	var lines []string
	for n, param := range p.params(f) {
		if text := p.g.Comments.Param(p.owner(), f, param.Name); text != "" {
			lines = append(lines, fmt.Sprintf("  - %s: %s", s.params[n], strings.ReplaceAll(text, "\n", "\n    ")))
		}
	}
	if s.err {
		lines = append(lines, fmt.Sprintf("The error is %s.", p.errorType(f.Result.Err)))
	}
	if len(lines) > 0 {
		if below {
			p.printf("//\n")
		}
		p.comment(strings.Join(lines, "\n"), "")
	}
}

// errorType says in a comment what error a function returns.
func (p *pkg) errorType(t *wit.Type) string {
	used := maps.Clone(p.file.imports)
	defer func() { p.file.imports = used }() // a comment imports nothing
	if p.g.errors[t] {
		return "of type " + p.goType(t)
	}
	text := fmt.Sprintf("of type %s[%s]", p.guest("Error"), p.goType(t))
	if p.exportsErrors(t) {
		text += ", or any other"
	}
	return text
}

// exportsErrors tells whether an implementation may return any error.
func (p *pkg) exportsErrors(t *wit.Type) bool {
	return p.export && (t == nil || t.Kind == wit.String)
}

// symbol is the private name of a function: callLog, callCursorNext.
func (p *pkg) symbol(prefix string, f *wit.Function) string {
	kind, resource, _ := split(f.Name)
	if kind == method {
		prefix += p.resourceName(resource)
	}
	return prefix + p.functions[f]
}

// exportsInterface writes what an implementation is.
func (p *pkg) exportsInterface() {
	p.printf("// Exports is what a component does that exports %s.\ntype Exports interface {\n", p.title())
	for _, f := range p.exports {
		if kind, _, _ := split(f.Name); kind != method {
			p.method(f)
		}
	}
	p.printf("}\n\nvar implementation Exports\n\n")
	p.printf("// Export sets the implementation. It is called in an init function: exports are called when all of those have run.\n")
	p.printf("func Export(e Exports) { implementation = e }\n\n")
}

// method writes a method of an interface.
func (p *pkg) method(f *wit.Function) {
	s := p.signatureOf(f)
	text := p.g.Comments.Function(p.owner(), f)
	p.comment(text, "")
	p.notes(f, s, text != "")
	p.printf("%s%s %s\n", p.functions[f], s.list(), s.results)
}

// other writes what stands in for imports outside of components.
func (p *pkg) other() string {
	p.begin()
	for _, f := range p.imports {
		kind, resource, _ := split(f.Name)
		s := p.signatureOf(f)
		types := s.types
		if kind == method {
			types = append([]string{"*" + p.resourceName(resource)}, types...)
		}
		p.printf("func %s(%s) %s { panic(%s(%q)) }\n\n", p.symbol("call", f), strings.Join(types, ", "), s.results,
			p.guest("Outside"), p.title()+" "+f.Name)
	}
	for _, r := range p.importedResources() {
		p.printf("func drop%s(uint32) { panic(%s(%q)) }\n\n", p.types[r], p.guest("Outside"), p.title()+" "+r.Name)
	}
	return p.end("//go:build !wasip1\n\n", "")
}
