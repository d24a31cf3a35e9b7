package bindgen

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/abi"
)

// abi writes the file with the canonical ABI.
func (p *pkg) abi() string {
	p.begin()
	p.movers = &movers{names: names{}, known: map[string]string{}}
	p.resourceFunctions()
	for _, f := range p.imports {
		p.importCall(f)
	}
	if len(p.exports) > 0 {
		p.implementation()
	}
	for _, f := range p.exports {
		p.exportCall(f)
	}
	p.writeMovers()
	return p.end("", "")
}

// holdsMemory tells whether values of a type lie in memory in part.
func (g *generator) holdsMemory(t *wit.Type) bool {
	if t == nil {
		return false
	}
	if t.Kind == wit.String || t.Kind == wit.List {
		return true
	}
	return slices.ContainsFunc(slices.Concat(abi.Types(t.Fields), abi.Payloads(t), []*wit.Type{t.Elem}), g.holdsMemory)
}

// argumentsInMemory tells whether arguments lie in memory in part.
func (g *generator) argumentsInMemory(f *wit.Function) bool {
	for _, param := range f.Params {
		if g.holdsMemory(param.Type) {
			return true
		}
	}
	return g.layouts.Convention(f).Spilled
}

// importCall writes an import and the function that calls it.
func (p *pkg) importCall(f *wit.Function) {
	c, s := p.g.layouts.Convention(f), p.signatureOf(f)
	raw := p.symbol("import", f)
	params, results := c.Import()
	p.wasmImport(p.module(), f.Name, raw, coreList(params)+" "+coreResult(results))

	var list []string
	for n, param := range f.Params {
		list = append(list, fmt.Sprintf("a%d %s", n, p.goType(param.Type)))
	}
	p.printf("func %s(%s) %s {\n", p.symbol("call", f), strings.Join(list, ", "), s.results)
	if c.Returned || p.g.argumentsInMemory(f) {
		p.printf("%s()\ndefer %s()\n", p.guest("Enter"), p.guest("Leave"))
	}
	arguments := p.lowerArguments(f, c)
	switch {
	case c.Returned:
		l := p.g.layouts.Of(f.Result)
		p.printf("p := %s(%d, %d)\n%s(%s)\n", p.guest("Alloc"), l.Size, l.Align, raw, strings.Join(append(arguments, "uint32(p)"), ", "))
		p.returnValue(f, p.load(f.Result, "p"))
	case len(c.Result) == 1:
		p.printf("f := %s(%s)\n", raw, strings.Join(arguments, ", "))
		p.returnValue(f, p.lift(f.Result, []string{"f"}))
	default:
		p.printf("%s(%s)\n", raw, strings.Join(arguments, ", "))
	}
	p.printf("}\n\n")
}

// lowerArguments writes the lowering of arguments a0, a1, … and returns what to pass.
func (p *pkg) lowerArguments(f *wit.Function, c abi.Convention) []string {
	if c.Spilled {
		l, offsets := p.g.layouts.Fields(abi.Types(f.Params))
		p.printf("args := %s(%d, %d)\n", p.guest("Alloc"), l.Size, l.Align)
		for n, param := range f.Params {
			p.printf("%s\n", p.store(param.Type, at("args", offsets[n]), fmt.Sprintf("a%d", n)))
		}
		return []string{"uint32(args)"}
	}
	var flat []string
	for n, param := range f.Params {
		value := p.lower(param.Type, fmt.Sprintf("a%d", n))
		cores := p.g.layouts.Of(param.Type).Flat
		switch len(cores) {
		case 0:
		case 1:
			flat = append(flat, value)
		default:
			var fresh []string
			for range cores {
				fresh = append(fresh, fmt.Sprintf("f%d", len(flat)+len(fresh)))
			}
			p.printf("%s := %s\n", strings.Join(fresh, ", "), value)
			flat = append(flat, fresh...)
		}
	}
	return flat
}

// returnValue returns what an import returned.
func (p *pkg) returnValue(f *wit.Function, value string) {
	if f.Result.Kind != wit.Result {
		p.printf("return %s\n", value)
		return
	}
	failure := "v.Err"
	if !p.g.errors[f.Result.Err] {
		failure = fmt.Sprintf("%s[%s]{Value: v.Err}", p.guest("Error"), p.goType(f.Result.Err))
	}
	before := ""
	if f.Result.Ok != nil {
		before = "v.OK, "
	}
	p.printf("v := %s\nif v.Failed {\nreturn %s%s\n}\nreturn %snil\n", value, before, failure, before)
}

// implementation writes what finds the implementation.
func (p *pkg) implementation() {
	p.printf("func implemented() Exports {\nif implementation == nil {\npanic(%s(%q))\n}\nreturn implementation\n}\n\n",
		p.guest("Missing"), p.title())
}

// exportCall writes an export.
func (p *pkg) exportCall(f *wit.Function) {
	c := p.g.layouts.Convention(f)
	core := f.Name
	if !p.world {
		core = p.iface.ID + "#" + f.Name
	}
	var list []string
	for n, t := range c.Params {
		list = append(list, fmt.Sprintf("f%d %s", n, goCores[t]))
	}
	p.printf("//go:wasmexport %s\nfunc %s(%s) %s {\n", core, p.symbol("export", f), strings.Join(list, ", "), coreResult(c.Result))
	p.liftArguments(f, c)
	if p.g.lends(f) {
		p.printf("defer %s()\n", p.guest("GiveBack"))
	}
	value := p.callImplementation(f)
	switch {
	case c.Returned:
		l := p.g.layouts.Of(f.Result)
		p.printf("%s()\np := %s(%d, %d)\n%s\nreturn uint32(p)\n}\n\n", p.guest("Enter"), p.guest("Alloc"), l.Size, l.Align,
			p.store(f.Result, "p", value))
		p.printf("//go:wasmexport cabi_post_%s\nfunc %s(uint32) { %s() }\n\n", core, p.symbol("post", f), p.guest("Leave"))
		return
	case len(c.Result) == 1:
		p.printf("return %s\n", p.lower(f.Result, value))
	}
	p.printf("}\n\n")
}

// liftArguments writes the lifting of f0, f1, … to a0, a1, ….
func (p *pkg) liftArguments(f *wit.Function, c abi.Convention) {
	memory := p.g.argumentsInMemory(f)
	if memory {
		p.printf("%s()\n", p.guest("Enter"))
	}
	_, offsets := p.g.layouts.Fields(abi.Types(f.Params))
	next := 0
	for n, param := range f.Params {
		if c.Spilled {
			p.printf("a%d := %s\n", n, p.load(param.Type, at(p.guest("Ptr")+"(f0)", offsets[n])))
			continue
		}
		var flat []string
		for range p.g.layouts.Of(param.Type).Flat {
			flat = append(flat, fmt.Sprintf("f%d", next))
			next++
		}
		p.printf("a%d := %s\n", n, p.lift(param.Type, flat))
	}
	if memory {
		p.printf("%s()\n", p.guest("Leave"))
	}
}

// callImplementation writes the call and returns the expression of its result.
func (p *pkg) callImplementation(f *wit.Function) string {
	s := p.signatureOf(f)
	target := "implemented()"
	var arguments []string
	for n := range f.Params {
		arguments = append(arguments, fmt.Sprintf("a%d", n))
	}
	if kind, _, _ := split(f.Name); kind == method {
		target, arguments = "a0", arguments[1:]
	}
	call := fmt.Sprintf("%s.%s(%s)", target, p.functions[f], strings.Join(arguments, ", "))
	if !s.err {
		if s.results == "" {
			p.printf("%s\n", call)
			return ""
		}
		p.printf("v := %s\n", call)
		return "v"
	}
	value := "struct{}{}"
	if s.value != nil {
		value = "v"
		p.printf("v, err := %s\n", call)
	} else {
		p.printf("err := %s\n", call)
	}
	return fmt.Sprintf("%s(%s, err, %s)", p.guest("Check"), value, p.converter(f.Result.Err))
}

// converter is what makes a WIT error of a Go error.
func (p *pkg) converter(t *wit.Type) string {
	switch {
	case t == nil:
		return p.guest("Nothing")
	case t.Kind == wit.String:
		return p.guest("Text")
	case p.g.errors[t]:
		return fmt.Sprintf("%s[%s]", p.guest("Typed"), p.goType(t))
	default:
		return fmt.Sprintf("%s[%s]", p.guest("Untyped"), p.goType(t))
	}
}

// lends tells whether a function's arguments hold imported resources that its caller wants back.
func (g *generator) lends(f *wit.Function) (lends bool) {
	walk(f, map[*wit.Type]bool{}, func(t *wit.Type) {
		lends = lends || t.Kind == wit.Borrow && !g.ownerOf(t.Resource.Interface).export
	})
	return lends
}

// at is a pointer plus an offset.
func at(p string, offset uint32) string {
	if offset == 0 {
		return p
	}
	return fmt.Sprintf("%s+%d", p, offset)
}

// goCores are the core types as Go spells them in an imported or exported function.
var goCores = map[abi.Core]string{abi.I32: "uint32", abi.I64: "uint64", abi.F32: "float32", abi.F64: "float64"}

func coreList(list []abi.Core) string {
	parts := make([]string, len(list))
	for n, c := range list {
		parts[n] = goCores[c]
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

func coreResult(list []abi.Core) string {
	if len(list) == 0 {
		return ""
	}
	return goCores[list[0]]
}
