package doc

import (
	"fmt"
	"strings"
)

// maxDepth bounds the nesting of packages and of types.
const maxDepth = 100

// keywords can be identifiers only with %. `map` is one by its place only: older files use it as a name.
var keywords = words(`use type func u8 u16 u32 u64 s8 s16 s32 s64 f32 f64 char resource own borrow record flags variant
	enum bool string option result future stream error-context list _ as from static interface tuple world import export
	package constructor include with async`)

func words(s string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(s) {
		set[word] = true
	}
	return set
}

// parser is a recursive-descent parser with one token of lookahead. Its methods are named after what they parse.
type parser struct {
	lexer
	tok token
	out *file
}

// advance reads the next token.
func (p *parser) advance() { p.tok = p.next() }

// at tells whether the token is a keyword.
func (p *parser) at(keyword string) bool {
	return p.tok.kind == ident && !p.tok.escaped && p.tok.text == keyword
}

// eat skips the token if it is a punctuation mark.
func (p *parser) eat(k kind) bool {
	if p.tok.kind != k {
		return false
	}
	p.advance()
	return true
}

// eatWord skips the token if it is a keyword.
func (p *parser) eatWord(keyword string) bool {
	if !p.at(keyword) {
		return false
	}
	p.advance()
	return true
}

func (p *parser) expect(k kind) {
	if !p.eat(k) {
		p.unexpected(k.String())
	}
}

func (p *parser) expectWord(keyword string) {
	if !p.eatWord(keyword) {
		p.unexpected("`" + keyword + "`")
	}
}

// unexpected fails at the token.
func (p *parser) unexpected(wanted string) {
	found := p.tok.kind.String()
	if p.tok.kind == ident || p.tok.kind == integer {
		found = "`" + p.src[p.tok.start:p.tok.end] + "`"
	}
	p.fail(p.tok.start, "expected %s, found %s", wanted, found)
}

func (k kind) String() string {
	switch k {
	case end:
		return "the end of the file"
	case ident:
		return "an identifier"
	case integer:
		return "a number"
	case text:
		return "a string"
	case arrow:
		return "`->`"
	default:
		return fmt.Sprintf("`%c`", rune(k))
	}
}

// name parses an identifier that is no keyword, unless it is escaped.
func (p *parser) name() string {
	if p.tok.kind != ident {
		p.unexpected("an identifier")
	}
	if keywords[p.tok.text] && !p.tok.escaped {
		p.fail(p.tok.start, "`%s` is a keyword; write %%%s to use it as a name", p.tok.text, p.tok.text)
	}
	name := p.tok.text
	p.advance()
	return name
}

// record keeps a comment.
func (p *parser) record(docs []string, s scope, item string) {
	if text := join(docs); text != "" {
		p.out.entries = append(p.out.entries, entry{scope: s, item: item, text: text})
	}
}

// file parses a whole file.
func (p *parser) file() {
	if docs, start := p.tok.docs, p.tok.start; p.eatWord("package") {
		name := p.packageName()
		if p.eat('{') {
			p.nested(docs, name, 1)
		} else {
			p.expect(';')
			p.out.header, p.out.headerAt = name, start
			p.record(docs, scope{pkg: name}, "")
		}
	}
	p.declarations(end, "", 0)
}

// declarations parses what a package holds, and the closing token.
func (p *parser) declarations(closing kind, pkg string, depth int) {
	for !p.eat(closing) {
		docs := p.gates()
		if pkg == "" && (p.at("interface") || p.at("world")) {
			p.out.bare = true
		}
		switch {
		case p.eatWord("interface"):
			s := scope{pkg: pkg, name: p.name()}
			p.record(docs, s, "")
			p.interfaceBody(s)
		case p.eatWord("world"):
			p.record(docs, scope{pkg: pkg, name: p.name()}, "")
			p.worldBody()
		case p.eatWord("use"):
			p.path()
			if p.eatWord("as") {
				p.name()
			}
			p.expect(';')
		case p.at("package"):
			start := p.tok.start
			p.advance()
			name := p.packageName()
			if p.tok.kind == ';' {
				p.fail(start, "`package %s;` must come first in its file", name)
			}
			if depth == maxDepth {
				p.fail(start, "packages are nested more than %d deep", maxDepth)
			}
			p.expect('{')
			p.nested(docs, name, depth+1)
		default:
			p.unexpected("`interface`, `world`, `use` or `package`")
		}
	}
}

// nested parses the rest of a nested package.
func (p *parser) nested(docs []string, name string, depth int) {
	p.record(docs, scope{pkg: name}, "")
	p.declarations('}', name, depth)
}

// packageName parses `a:b@1.0.0` and returns it without the version.
func (p *parser) packageName() string {
	name := p.name()
	p.expect(':')
	name += ":" + p.name()
	p.optVersion()
	return name
}

// optVersion parses `@1.0.0` if it is there.
func (p *parser) optVersion() {
	if p.tok.kind == '@' {
		p.advance()
		p.versionHere()
	}
}

// versionHere parses a version at the token.
func (p *parser) versionHere() {
	p.version(p.tok.start)
	p.advance()
}

// gates parses annotations and returns the docs before and between them.
func (p *parser) gates() []string {
	docs := p.tok.docs
	for p.tok.kind == '@' {
		p.advance()
		start := p.tok.start
		switch name := p.name(); name {
		case "since", "deprecated":
			p.expect('(')
			p.expectWord("version")
			p.expect('=')
			p.versionHere()
			p.expect(')')
		case "unstable":
			p.expect('(')
			p.expectWord("feature")
			p.expect('=')
			p.name()
			p.expect(')')
		case "external-id":
			p.expect('(')
			p.expect(text)
			p.expect(')')
		default:
			p.fail(start, "unknown annotation @%s", name)
		}
		docs = append(docs, p.tok.docs...)
	}
	return docs
}

// path parses `a`, or `a:b/c@1.0.0`.
func (p *parser) path() {
	p.name()
	if p.eat(':') {
		p.name()
		p.pathTail()
	}
}

// pathTail parses `/c@1.0.0`.
func (p *parser) pathTail() {
	p.expect('/')
	p.name()
	p.optVersion()
}

// use parses the rest of `use a.{b, c as d};`.
func (p *parser) use() {
	p.path()
	p.expect('.')
	p.expect('{')
	p.list('}', func([]string) { p.rename(false) })
	p.expect(';')
}

// rename parses `a as b`, or `a` alone unless the new name is required.
func (p *parser) rename(required bool) {
	p.name()
	if required {
		p.expectWord("as")
		p.name()
	} else if p.eatWord("as") {
		p.name()
	}
}

// list parses items with commas between them, and the closing token.
func (p *parser) list(closing kind, item func(docs []string)) {
	for !p.eat(closing) {
		item(p.tok.docs)
		if !p.eat(',') {
			p.expect(closing)
			return
		}
	}
}
