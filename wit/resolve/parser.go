package resolve

import (
	"fmt"
	"math"
	"strconv"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/doc"
)

// item is what an interface or a world declares.
type item struct {
	kind itemKind
	at   doc.Token
	name string

	from  *ref      // of use, include, import and export
	names []renamed // of use and include
	body  *expr     // of a type
	inner *declaration
	fn    *function
}

type itemKind int

const (
	useItem itemKind = iota
	typeItem
	functionItem
	includeItem
	importItem
	exportItem
)

type renamed struct {
	at       doc.Token
	name, as string
}

// ref is a path to an interface or a world.
type ref struct {
	at                            doc.Token
	namespace, pkg, name, version string // namespace is empty for a bare name
}

// expr is a type as it is written, or the definition of one.
type expr struct {
	at    doc.Token
	kind  wit.Kind // 0 for a name
	name  string
	parts []*expr // nil entries for _
	// fields are the fields, cases or flags of a definition; a payload may be nil.
	fields   []field
	resource bool
	length   uint32
}

type field struct {
	name string
	typ  *expr
}

// function is a function as it is written.
type function struct {
	async  bool
	params []field
	result *expr
	// form and resource are of functions in resources: "[method]", "[static]" or "[constructor]".
	form, resource string
}

// parser reads one file.
type parser struct {
	set    *set
	file   *file
	tokens []doc.Token
	pos    int
}

func (p *parser) peek() doc.Token { return p.tokens[p.pos] }

func (p *parser) next() doc.Token {
	t := p.tokens[p.pos]
	if p.pos < len(p.tokens)-1 {
		p.pos++
	}
	return t
}

// accept skips a punctuation mark or keyword if it is there.
func (p *parser) accept(text string) bool {
	if t := p.peek(); t.Text == text && !t.Escaped {
		p.next()
		return true
	}
	return false
}

func (p *parser) expect(text string) {
	if t := p.peek(); !p.accept(text) {
		p.file.fail(t, "expected `%s`, found %q", text, t.Text)
	}
}

func (p *parser) name() string {
	t := p.next()
	if !t.Word || t.Keyword() {
		p.file.fail(t, "expected a name, found %q", t.Text)
	}
	return t.Text
}

// list reads what is separated by commas, and the closing mark.
func (p *parser) list(closing string, element func()) {
	for !p.accept(closing) {
		element()
		if !p.accept(",") {
			p.expect(closing)
			return
		}
	}
}

// gates skips annotations and tells whether what follows is left out.
func (p *parser) gates() (unstable bool) {
	for p.accept("@") {
		unstable = p.peek().Text == "unstable" || unstable
		p.next()
		p.expect("(")
		for !p.accept(")") {
			if p.next().Text == "" && p.peek().Text == "" {
				p.file.fail(p.peek(), "this annotation does not end")
			}
		}
	}
	return unstable
}

// header reads `package a:b@1.0.0;` if the file begins with it.
func (p *parser) header() *pack {
	start := p.pos
	if !p.accept("package") {
		return nil
	}
	pkg := p.packageName()
	if !p.accept(";") {
		p.pos = start // a nested package
		return nil
	}
	return pkg
}

func (p *parser) packageName() *pack {
	namespace := p.name()
	p.expect(":")
	name := p.name()
	return p.set.pkg(namespace, name, p.version())
}

func (p *parser) version() string {
	if p.accept("@") {
		return p.next().Text
	}
	return ""
}

// declarations reads what a package holds.
func (p *parser) declarations(pkg *pack, closing string) {
	for {
		skip := p.gates()
		t := p.next()
		switch {
		case t.Text == closing && !t.Word:
			return
		case t.Text == "package":
			nested := p.packageName()
			p.expect("{")
			p.declarations(nested, "}")
		case t.Text == "use":
			r := p.ref()
			as := r.name
			if p.accept("as") {
				as = p.name()
			}
			p.expect(";")
			p.file.aliases[as] = r
		case t.Text == "interface", t.Text == "world":
			p.declaration(pkg, t, skip)
		default:
			p.file.fail(t, "expected an interface, a world, use or a package, found %q", t.Text)
		}
	}
}

func (p *parser) declaration(pkg *pack, t doc.Token, skip bool) {
	if pkg == nil {
		p.file.fail(t, "the package has no name; begin with `package NAMESPACE:NAME;`")
	}
	at := p.peek()
	d := &declaration{pack: pkg, name: p.name(), file: p.file}
	known := pkg.interfaces
	if t.Text == "world" {
		known = pkg.worlds
		p.expect("{")
		p.world(d)
	} else {
		p.body(d)
	}
	switch {
	case skip:
	case known[d.name] != nil:
		p.file.fail(at, "there are two of the name %s in package %s", d.name, pkg.id())
	default:
		known[d.name] = d
	}
}

// ref reads `a`, or `a:b/c@1.0.0`.
func (p *parser) ref() *ref {
	r := &ref{at: p.peek(), name: p.name()}
	if p.accept(":") {
		r.namespace, r.pkg = r.name, p.name()
		p.expect("/")
		r.name, r.version = p.name(), p.version()
	}
	return r
}

// body reads an interface.
func (p *parser) body(d *declaration) {
	p.expect("{")
	for !p.accept("}") {
		skip := p.gates()
		var items []*item
		if t := p.peek(); p.accept("use") {
			items = []*item{p.use(t)}
		} else if items = p.definition(); items == nil {
			i := &item{kind: functionItem, at: t, name: p.name()}
			p.expect(":")
			i.fn = p.function()
			items = []*item{i}
		}
		if !skip {
			d.items = append(d.items, items...)
		}
	}
}

// world reads what a world holds.
func (p *parser) world(d *declaration) {
	for !p.accept("}") {
		skip := p.gates()
		var items []*item
		t := p.peek()
		switch {
		case p.accept("use"):
			items = []*item{p.use(t)}
		case p.accept("include"):
			i := &item{kind: includeItem, at: t, from: p.ref()}
			if p.accept("with") {
				p.expect("{")
				p.list("}", func() { i.names = append(i.names, p.renamed()) })
			} else {
				p.expect(";")
			}
			items = []*item{i}
		case p.accept("import"):
			items = []*item{p.extern(t, importItem)}
		case p.accept("export"):
			items = []*item{p.extern(t, exportItem)}
		default:
			if items = p.definition(); items == nil {
				p.file.fail(t, "expected import, export, include, use or a type, found %q", t.Text)
			}
			if items[0].body.resource {
				p.file.fail(t, "a resource of a world itself is not supported; put it into an interface")
			}
		}
		if !skip {
			d.items = append(d.items, items...)
		}
	}
}

// extern reads what follows import or export.
func (p *parser) extern(t doc.Token, kind itemKind) *item {
	i := &item{kind: kind, at: t}
	start := p.pos
	name := p.name()
	if !p.accept(":") {
		p.pos = start
		i.from = p.ref()
		p.expect(";")
		return i
	}
	switch next := p.peek(); {
	case p.accept("interface"):
		i.name, i.inner = name, &declaration{name: name, file: p.file}
		p.body(i.inner)
	case next.Text == "func" || next.Text == "async":
		i.name, i.fn = name, p.function()
	default:
		p.pos = start
		i.from = p.ref()
		p.expect(";")
	}
	return i
}

// use reads what follows use in an interface or a world.
func (p *parser) use(t doc.Token) *item {
	i := &item{kind: useItem, at: t, from: p.ref()}
	p.expect(".")
	p.expect("{")
	p.list("}", func() { i.names = append(i.names, p.renamed()) })
	p.expect(";")
	return i
}

func (p *parser) renamed() renamed {
	r := renamed{at: p.peek(), name: p.name()}
	r.as = r.name
	if p.accept("as") {
		r.as = p.name()
	}
	return r
}

// function reads `async func(…) -> …;`.
func (p *parser) function() *function {
	f := &function{async: p.accept("async")}
	p.expect("func")
	p.tail(f)
	return f
}

func (p *parser) tail(f *function) {
	p.expect("(")
	p.list(")", func() {
		name := p.name()
		p.expect(":")
		f.params = append(f.params, field{name, p.typ()})
	})
	if p.accept("->") {
		f.result = p.typ()
	}
	p.expect(";")
}

// definition reads the definition of a type, with the functions of a resource; nil if there is none.
func (p *parser) definition() []*item {
	i := &item{kind: typeItem, at: p.peek()}
	kinds := map[string]wit.Kind{"record": wit.Record, "variant": wit.Variant, "enum": wit.Enum, "flags": wit.Flags}
	switch t := p.peek(); {
	case p.accept("type"):
		i.name = p.name()
		p.expect("=")
		i.body = p.typ()
		p.expect(";")
	case p.accept("resource"):
		i.name = p.name()
		i.body = &expr{at: t, resource: true}
		return append([]*item{i}, p.resource(i.name)...)
	case t.Word && !t.Escaped && kinds[t.Text] != 0:
		p.next()
		i.name = p.name()
		i.body = &expr{at: t, kind: kinds[t.Text]}
		p.expect("{")
		p.list("}", func() { i.body.fields = append(i.body.fields, p.member(i.body.kind)) })
	default:
		return nil
	}
	return []*item{i}
}

// member reads a field, case or flag.
func (p *parser) member(kind wit.Kind) field {
	p.gates()
	f := field{name: p.name()}
	switch {
	case kind == wit.Record:
		p.expect(":")
		f.typ = p.typ()
	case kind == wit.Variant && p.accept("("):
		f.typ = p.typ()
		p.expect(")")
	}
	return f
}

// resource reads the functions of a resource.
func (p *parser) resource(name string) []*item {
	if p.accept(";") {
		return nil
	}
	p.expect("{")
	var items []*item
	for !p.accept("}") {
		skip := p.gates()
		i := &item{kind: functionItem, at: p.peek(), fn: &function{}}
		if p.accept("constructor") {
			i.fn.form = "[constructor]"
			p.tail(i.fn)
		} else {
			i.name = p.name()
			p.expect(":")
			form := "[method]"
			if p.accept("static") {
				form = "[static]"
			}
			i.fn = p.function()
			i.fn.form = form
		}
		i.fn.resource = name
		if !skip {
			items = append(items, i)
		}
	}
	return items
}

var kinds = map[string]wit.Kind{
	"bool": wit.Bool, "s8": wit.S8, "u8": wit.U8, "s16": wit.S16, "u16": wit.U16, "s32": wit.S32, "u32": wit.U32,
	"s64": wit.S64, "u64": wit.U64, "f32": wit.F32, "f64": wit.F64, "char": wit.Char, "string": wit.String,
	"error-context": wit.ErrorContext, "list": wit.List, "option": wit.Option, "result": wit.Result, "tuple": wit.Tuple,
	"stream": wit.Stream, "future": wit.Future, "map": wit.Map, "own": wit.Own, "borrow": wit.Borrow,
}

// maxDepth bounds the nesting of types.
const maxDepth = 100

func (p *parser) typ() *expr { return p.nested(0) }

func (p *parser) nested(depth int) *expr {
	t := p.next()
	e := &expr{at: t}
	switch kind := kinds[t.Text]; {
	case depth > maxDepth:
		p.file.fail(t, "types are nested more than %d deep", maxDepth)
	case !t.Word || t.Keyword() && kind == 0:
		p.file.fail(t, "expected a type, found %q", t.Text)
	case t.Escaped || kind == 0 || kind == wit.Map && p.peek().Text != "<":
		e.name = t.Text
		return e
	default:
		e.kind = kind
	}
	least, most := arguments(e.kind)
	if most > 0 && p.accept("<") {
		p.list(">", func() {
			n, err := strconv.ParseUint(p.peek().Text, 10, 32)
			switch {
			case err == nil && e.kind == wit.List && len(e.parts) == 1:
				p.next()
				e.kind, e.length = wit.FixedList, uint32(n)
			case e.kind == wit.Result && p.accept("_"):
				e.parts = append(e.parts, nil)
			default:
				e.parts = append(e.parts, p.nested(depth+1))
			}
		})
	}
	if len(e.parts) < least || len(e.parts) > most {
		p.file.fail(t, "%s has %d types in < >; it takes %s", t.Text, len(e.parts), countText(least, most))
	}
	return e
}

// countText writes a range of numbers.
func countText(least, most int) string {
	switch most {
	case least:
		return strconv.Itoa(least)
	case math.MaxInt:
		return fmt.Sprintf("%d or more", least)
	default:
		return fmt.Sprintf("%d to %d", least, most)
	}
}

// arguments returns how many types a kind takes.
func arguments(kind wit.Kind) (least, most int) {
	switch kind {
	case wit.List, wit.Option, wit.Own, wit.Borrow:
		return 1, 1
	case wit.Map:
		return 2, 2
	case wit.Result:
		return 0, 2
	case wit.Stream, wit.Future:
		return 0, 1
	case wit.Tuple:
		return 1, math.MaxInt
	default:
		return 0, 0
	}
}
