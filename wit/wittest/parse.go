// Package wittest makes WIT worlds and values for tests: from text, and at random.
package wittest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/weft-run/weft/wit"
)

// Parse reads the world of a WIT text as a component that was built from it would show it: one `world` and, before
// it, the nested packages that it takes interfaces from. It is for tests and knows the part of WIT that they need:
// records, variants, enums, flags, resources without methods, aliases, `use` from interfaces that come before,
// functions, imports of interfaces, and exports. A world named `empty` may stand where nothing is exported.
//
//	package demo:shop;
//	package demo:orders@1.2.0 {
//	  interface orders {
//	    record order { id: string, note: option<string> }
//	    place: func(order: order) -> result<u32, string>;
//	  }
//	}
//	world shop {
//	  export demo:orders/orders@1.2.0;
//	  export total: func() -> u64;
//	}
func Parse(text string) (w *wit.World, err error) {
	p := &parser{tokens: tokenize(text), interfaces: make(map[string]*scope)}
	defer func() {
		if e, ok := recover().(parseError); ok {
			w, err = nil, e
		}
	}()
	for !p.done() {
		switch p.word() {
		case "package":
			p.pkg()
		case "world":
			w = p.world()
		default:
			p.fail("package or world expected")
		}
	}
	if w == nil {
		p.fail("no world")
	}
	return w, nil
}

// MustParse is like Parse and panics if the text is wrong.
func MustParse(text string) *wit.World {
	w, err := Parse(text)
	if err != nil {
		panic(err)
	}
	return w
}

type parseError string

func (e parseError) Error() string { return "wittest: " + string(e) }

// A scope is an interface or world with the names that it knows.
type scope struct {
	iface     *wit.Interface // nil for the world
	types     map[string]*wit.Type
	resources map[string]*wit.Resource
	functions []*wit.Function
	named     []wit.NamedType
}

func newScope(i *wit.Interface) *scope {
	return &scope{iface: i, types: make(map[string]*wit.Type), resources: make(map[string]*wit.Resource)}
}

func (s *scope) interfaceOf() *wit.Interface {
	s.iface.Types, s.iface.Functions = s.named, s.functions
	return s.iface
}

type parser struct {
	tokens     []string
	pos        int
	interfaces map[string]*scope // by ID
}

// tokenize splits text into words and punctuation, without comments. An interface's path is one word.
func tokenize(text string) []string {
	var tokens []string
	for line := range strings.SplitSeq(text, "\n") {
		line, _, _ = strings.Cut(line, "//")
		for line != "" {
			n := strings.IndexFunc(line, func(r rune) bool { return strings.ContainsRune(" \t{}()<>,;=", r) })
			switch {
			case n < 0:
				n = len(line)
			case n == 0:
				n = 1
			}
			word := line[:n]
			line = line[n:]
			if strings.TrimSpace(word) == "" {
				continue
			}
			// A colon ends a name; within a path it is followed by a name at once.
			if name, ok := strings.CutSuffix(word, ":"); ok && name != "" {
				tokens = append(tokens, name, ":")
				continue
			}
			if path, ok := strings.CutSuffix(word, "."); ok {
				tokens = append(tokens, path, ".")
				continue
			}
			tokens = append(tokens, word)
		}
	}
	// `->` is split before `>`.
	for i := 0; i+1 < len(tokens); i++ {
		if tokens[i] == "-" && tokens[i+1] == ">" {
			tokens = slices.Replace(tokens, i, i+2, "->")
		}
	}
	return tokens
}

func (p *parser) fail(format string, args ...any) {
	panic(parseError(fmt.Sprintf(format, args...) + fmt.Sprintf(" at %q", p.tokens[max(0, p.pos-4):min(len(p.tokens), p.pos+3)])))
}

func (p *parser) done() bool { return p.pos >= len(p.tokens) }

func (p *parser) peek() string {
	if p.done() {
		return ""
	}
	return p.tokens[p.pos]
}

func (p *parser) word() string {
	t := p.peek()
	p.pos++
	return t
}

func (p *parser) name() string { return strings.TrimPrefix(p.word(), "%") }

func (p *parser) accept(t string) bool {
	if p.peek() == t {
		p.pos++
		return true
	}
	return false
}

func (p *parser) expect(t string) {
	if !p.accept(t) {
		p.fail("%q expected", t)
	}
}

// list reads elements between a bracket that was read and end, with commas between and after.
func (p *parser) list(end string, element func()) {
	for !p.accept(end) {
		element()
		if !p.accept(",") {
			p.expect(end)
			return
		}
	}
}

func (p *parser) pkg() {
	id := p.word()
	if p.accept(";") { // the package of the world itself, which a component does not tell
		return
	}
	id, version, _ := strings.Cut(id, "@")
	namespace, name, _ := strings.Cut(strings.ReplaceAll(id, "%", ""), ":")
	p.expect("{")
	for !p.accept("}") {
		p.expect("interface")
		i := &wit.Interface{Namespace: namespace, Package: name, Name: p.name(), Version: version}
		i.ID = namespace + ":" + name + "/" + i.Name
		if version != "" {
			i.ID += "@" + version
		}
		s := newScope(i)
		p.expect("{")
		p.items(s)
		s.interfaceOf()
		p.interfaces[i.ID] = s
	}
}

func (p *parser) world() *wit.World {
	p.name()
	p.expect("{")
	w := &wit.World{}
	s := newScope(nil)
	for !p.accept("}") {
		if p.accept("import") {
			w.Imports = append(w.Imports, p.known().iface)
			p.expect(";")
			continue
		}
		if !p.accept("export") {
			p.item(s)
			continue
		}
		name := strings.ReplaceAll(p.word(), "%", "")
		switch {
		case p.accept(";"):
			i := p.interfaces[name]
			if i == nil {
				p.fail("unknown interface %s", name)
			}
			w.Exports = append(w.Exports, i.iface)
		case p.peek() == ":" && p.tokens[p.pos+1] == "interface":
			p.pos += 2
			inline := newScope(&wit.Interface{ID: name, Name: name})
			p.expect("{")
			p.items(inline)
			w.Exports = append(w.Exports, inline.interfaceOf())
		default:
			p.expect(":")
			w.ExportFunctions = append(w.ExportFunctions, p.function(s, name))
		}
	}
	return w
}

// known reads the name of an interface that was declared.
func (p *parser) known() *scope {
	name := strings.ReplaceAll(p.word(), "%", "")
	i := p.interfaces[name]
	if i == nil {
		p.fail("unknown interface %s", name)
	}
	return i
}

func (p *parser) items(s *scope) {
	for !p.accept("}") {
		p.item(s)
	}
}

func (p *parser) item(s *scope) {
	switch p.word() {
	case "use":
		p.use(s)
	case "type":
		name := p.name()
		p.expect("=")
		s.define(name, p.typ(s))
		p.expect(";")
	case "record":
		t := p.named(s, wit.Record)
		p.list("}", func() {
			f := wit.Field{Name: p.name()}
			p.expect(":")
			f.Type = p.typ(s)
			t.Fields = append(t.Fields, f)
		})
	case "variant":
		t := p.named(s, wit.Variant)
		p.list("}", func() {
			c := wit.Case{Name: p.name()}
			if p.accept("(") {
				c.Type = p.typ(s)
				p.expect(")")
			}
			t.Cases = append(t.Cases, c)
		})
	case "enum":
		p.cases(p.named(s, wit.Enum))
	case "flags":
		p.cases(p.named(s, wit.Flags))
	case "resource":
		r := &wit.Resource{Name: p.name(), Interface: s.iface}
		p.expect(";")
		s.resources[r.Name] = r
		s.named = append(s.named, wit.NamedType{Name: r.Name, Resource: r})
	default:
		p.pos--
		name := p.name()
		p.expect(":")
		s.functions = append(s.functions, p.function(s, name))
	}
}

func (p *parser) cases(t *wit.Type) {
	p.list("}", func() { t.Cases = append(t.Cases, wit.Case{Name: p.name()}) })
}

func (s *scope) define(name string, t *wit.Type) {
	s.types[name] = t
	s.named = append(s.named, wit.NamedType{Name: name, Type: t})
}

// named begins a type that has a name.
func (p *parser) named(s *scope, kind wit.Kind) *wit.Type {
	t := &wit.Type{Kind: kind, Name: p.name(), Interface: s.iface}
	s.define(t.Name, t)
	p.expect("{")
	return t
}

func (p *parser) use(s *scope) {
	path := p.word()
	p.expect(".")
	from := p.interfaces[path]
	if from == nil && s.iface != nil { // an interface of the same package
		id := s.iface.Namespace + ":" + s.iface.Package + "/" + path
		if s.iface.Version != "" {
			id += "@" + s.iface.Version
		}
		from = p.interfaces[id]
	}
	if from == nil {
		p.fail("unknown interface %s", path)
	}
	p.expect("{")
	p.list("}", func() {
		name := p.name()
		local := name
		if p.accept("as") {
			local = p.name()
		}
		switch {
		case from.types[name] != nil:
			s.define(local, from.types[name])
		case from.resources[name] != nil:
			s.resources[local] = from.resources[name]
			s.named = append(s.named, wit.NamedType{Name: local, Resource: from.resources[name]})
		default:
			p.fail("unknown type %s", name)
		}
	})
	p.expect(";")
}

func (p *parser) function(s *scope, name string) *wit.Function {
	f := &wit.Function{Name: name, Async: p.accept("async")}
	p.expect("func")
	p.expect("(")
	p.list(")", func() {
		param := wit.Field{Name: p.name()}
		p.expect(":")
		param.Type = p.typ(s)
		f.Params = append(f.Params, param)
	})
	if p.accept("->") {
		f.Result = p.typ(s)
	}
	p.expect(";")
	return f
}

var plain = map[string]wit.Kind{
	"bool": wit.Bool, "s8": wit.S8, "u8": wit.U8, "s16": wit.S16, "u16": wit.U16, "s32": wit.S32, "u32": wit.U32,
	"s64": wit.S64, "u64": wit.U64, "f32": wit.F32, "f64": wit.F64, "char": wit.Char, "string": wit.String,
	"error-context": wit.ErrorContext,
}

var generic = map[string]wit.Kind{
	"list": wit.List, "option": wit.Option, "result": wit.Result, "tuple": wit.Tuple, "stream": wit.Stream,
	"future": wit.Future, "map": wit.Map, "own": wit.Own, "borrow": wit.Borrow,
}

func (p *parser) typ(s *scope) *wit.Type {
	word := p.word()
	if t := s.types[strings.TrimPrefix(word, "%")]; t != nil {
		return t
	}
	if r := s.resources[word]; r != nil {
		return &wit.Type{Kind: wit.Own, Resource: r}
	}
	if k := plain[word]; k != 0 {
		return &wit.Type{Kind: k}
	}
	t := &wit.Type{Kind: generic[word]}
	if t.Kind == 0 {
		p.fail("unknown type %s", word)
	}
	var args []*wit.Type
	if p.accept("<") {
		p.list(">", func() {
			switch n, err := strconv.ParseUint(p.peek(), 10, 32); {
			case err == nil:
				p.pos++
				t.Kind, t.Length = wit.FixedList, uint32(n)
			case p.accept("_"):
				args = append(args, nil)
			case t.Kind == wit.Borrow:
				t.Resource = s.resources[p.word()]
			default:
				args = append(args, p.typ(s))
			}
		})
	}
	args = append(args, nil, nil)
	switch t.Kind {
	case wit.Result:
		t.Ok, t.Err = args[0], args[1]
	case wit.Tuple:
		for _, a := range args[:len(args)-2] {
			t.Fields = append(t.Fields, wit.Field{Type: a})
		}
	case wit.Map:
		t.Key, t.Elem = args[0], args[1]
	default:
		t.Elem = args[0]
	}
	return t
}
