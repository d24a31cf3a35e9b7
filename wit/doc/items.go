package doc

// worldBody parses what a world holds.
func (p *parser) worldBody() {
	p.expect('{')
	for !p.eat('}') {
		docs := p.gates()
		switch {
		case p.eatWord("import"), p.eatWord("export"):
			p.extern(docs)
		case p.eatWord("use"):
			p.use()
		case p.eatWord("include"):
			p.path()
			if !p.eatWord("with") {
				p.expect(';')
				continue
			}
			p.expect('{')
			p.list('}', func([]string) { p.rename(true) })
		default:
			if !p.typeDefinition(docs, scope{world: true}) {
				p.unexpected("`import`, `export`, `include`, `use` or a type")
			}
		}
	}
}

// extern parses what follows import or export: a path, or a name with a function, an inline interface or a path.
func (p *parser) extern(docs []string) {
	name := p.name()
	if !p.eat(':') {
		p.expect(';')
		return
	}
	if p.eatWord("interface") {
		s := scope{world: true, name: name}
		p.record(docs, s, "")
		p.interfaceBody(s)
		return
	}
	if p.at("func") || p.at("async") {
		p.function(docs, scope{world: true}, "", "", name)
		return
	}
	// `a:b/c`, `label: interface`, `label: a:b/c`, or `name: get()`.
	accessor := p.at("get") || p.at("set")
	first := p.tok
	p.name()
	switch {
	case accessor && p.tok.kind == '(':
		p.functionTail(docs, scope{world: true}, "["+first.text+"]"+name)
		return
	case p.tok.kind == '/':
		p.pathTail()
	case p.eat(':'):
		p.name()
		p.pathTail()
	}
	p.expect(';')
}

// interfaceBody parses what an interface holds.
func (p *parser) interfaceBody(s scope) {
	p.expect('{')
	for !p.eat('}') {
		docs := p.gates()
		switch {
		case p.eatWord("use"):
			p.use()
		case p.typeDefinition(docs, s):
		default:
			name := p.name()
			p.expect(':')
			p.function(docs, s, "", "", name)
		}
	}
}

// function parses `async func(…) -> …;` or an accessor. For a function of a resource, form is "[method]" or "[static]"
// and resource its name with a dot.
func (p *parser) function(docs []string, s scope, form, resource, name string) {
	if p.at("get") || p.at("set") {
		form += "[" + p.tok.text + "]"
		p.advance()
	} else {
		p.eatWord("async")
		p.expectWord("func")
	}
	p.functionTail(docs, s, form+resource+name)
}

// functionTail parses `(…) -> …;` of a function with its name in the component.
func (p *parser) functionTail(docs []string, s scope, name string) {
	item := "#" + name + "()"
	p.record(docs, s, item)
	p.expect('(')
	p.list(')', func(docs []string) {
		param := p.name()
		p.record(docs, s, item+"."+param)
		p.expect(':')
		p.valueType(0)
	})
	if p.eat(arrow) {
		p.valueType(0)
	}
	p.expect(';')
}

// typeDefinition parses the definition of a named type, if there is one.
func (p *parser) typeDefinition(docs []string, s scope) bool {
	switch {
	case p.eatWord("type"):
		p.record(docs, s, "#"+p.name())
		p.expect('=')
		p.valueType(0)
		p.expect(';')
	case p.eatWord("resource"):
		p.resource(docs, s)
	case p.eatWord("record"):
		p.members(docs, s, func() {
			p.expect(':')
			p.valueType(0)
		})
	case p.eatWord("variant"):
		p.members(docs, s, func() {
			if p.eat('(') {
				p.valueType(0)
				p.expect(')')
			}
		})
	case p.eatWord("enum"), p.eatWord("flags"):
		p.members(docs, s, func() {})
	default:
		return false
	}
	return true
}

// members parses the name and members of a type; tail parses what follows a member's name.
func (p *parser) members(docs []string, s scope, tail func()) {
	item := "#" + p.name()
	p.record(docs, s, item)
	p.expect('{')
	p.list('}', func(docs []string) {
		p.record(docs, s, item+"."+p.name())
		tail()
	})
}

// resource parses the rest of a resource.
func (p *parser) resource(docs []string, s scope) {
	resource := p.name()
	p.record(docs, s, "#"+resource)
	if !p.eat('{') {
		p.expect(';')
		return
	}
	for !p.eat('}') {
		docs := p.gates()
		if p.eatWord("constructor") {
			p.functionTail(docs, s, "[constructor]"+resource)
			continue
		}
		name := p.name()
		p.expect(':')
		if p.eatWord("static") {
			p.function(docs, s, "[static]", resource+".", name)
		} else {
			p.function(docs, s, "[method]", resource+".", name)
		}
	}
}

// valueType parses a type.
func (p *parser) valueType(depth int) {
	if depth == maxDepth {
		p.fail(p.tok.start, "types are nested more than %d deep", maxDepth)
	}
	if p.tok.kind != ident {
		p.unexpected("a type")
	}
	word, escaped := p.tok.text, p.tok.escaped
	if escaped || !keywords[word] && word != "map" {
		p.name()
		return
	}
	start := p.tok.start
	p.advance()
	switch word {
	case "bool", "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "f32", "f64", "char", "string", "error-context":
	case "option":
		p.expect('<')
		p.valueType(depth + 1)
		p.expect('>')
	case "list":
		p.expect('<')
		p.valueType(depth + 1)
		if p.eat(',') {
			p.expect(integer)
		}
		p.expect('>')
	case "map":
		if p.eat('<') {
			p.valueType(depth + 1)
			p.expect(',')
			p.valueType(depth + 1)
			p.expect('>')
		}
	case "tuple":
		p.expect('<')
		p.list('>', func([]string) { p.valueType(depth + 1) })
	case "result":
		p.result(depth)
	case "future", "stream":
		if p.eat('<') {
			p.valueType(depth + 1)
			p.expect('>')
		}
	case "own", "borrow":
		p.expect('<')
		p.name()
		p.expect('>')
	default:
		p.fail(start, "expected a type, found keyword `%s`", word)
	}
}

// result parses what follows `result`.
func (p *parser) result(depth int) {
	if !p.eat('<') {
		return
	}
	if p.eatWord("_") {
		p.expect(',')
		p.valueType(depth + 1)
	} else {
		p.valueType(depth + 1)
		if p.eat(',') {
			p.valueType(depth + 1)
		}
	}
	p.expect('>')
}
