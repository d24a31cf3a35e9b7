package merge

// plan says which core instances of a component become one.
type plan struct {
	*component
	parsed map[int]*module // by number of the module; nil if it has what is not known here
	member []bool          // by instance
	// instances and entities tell whether they need a member.
	instances []bool
	entities  [kinds][]bool
	last      int // the last member
	linked    *linker
	place     map[int]int // of members among its modules
	// outside are the entities of the component that the merged module imports, by number.
	outside []entity
}

// maxMembers bounds how often is looked whether the members can be one.
const maxMembers = 100

func newPlan(c *component) *plan {
	p := &plan{component: c, parsed: map[int]*module{}, member: make([]bool, len(c.instances))}
	for n, i := range c.instances {
		if _, known := p.parsed[i.module]; i.module >= 0 && !known && len(p.parsed) < maxMembers {
			p.parsed[i.module] = parseOrNil(c.modules[i.module])
			p.member[n] = p.parsed[i.module] != nil && c.uses[i.module] == 1
		}
	}
	return p
}

// parseOrNil gives nil for a module that has what is not known here.
func parseOrNil(binary []byte) (m *module) {
	defer func() {
		switch why := recover().(type) {
		case nil:
		case refusal:
			m = nil
		default:
			panic(why)
		}
	}()
	return parse(binary)
}

// settle leaves out members until the rest can be one. It is false if they are fewer than two.
func (p *plan) settle() bool {
	for {
		count := 0
		for n, is := range p.member {
			if is {
				p.last = n
				count++
			}
		}
		if count < 2 {
			return false
		}
		if p.try() {
			return true
		}
	}
}

// drop leaves out members from an instance on.
func (p *plan) drop(from int) bool {
	for n := from; n < len(p.member); n++ {
		p.member[n] = false
	}
	return false
}

// leave leaves out one member.
func (p *plan) leave(n int) bool {
	p.member[n] = false
	return false
}

// try looks whether the members can be one. If not, it leaves one out at least.
func (p *plan) try() bool {
	p.dependencies()
	for n, i := range p.component.instances {
		if i.module < 0 {
			continue
		}
		for _, a := range i.args {
			if p.member[a.instance] && p.parsed[i.module] == nil {
				return p.leave(a.instance) // nobody knows what of its exports is needed
			}
		}
		if !p.member[n] {
			if p.instances[n] && n < p.last {
				return p.drop(n)
			}
			continue
		}
		if p.parsed[i.module].start >= 0 && n < p.last {
			return p.drop(n + 1)
		}
		if !p.fits(n) {
			return p.leave(n)
		}
	}
	for at := range p.items[:p.component.instances[p.last].at] {
		if c := p.items[at].canon; c != nil && c.lift && p.needs(c) {
			return p.drop(p.firstBehind(at))
		}
	}
	return p.link()
}

// fits tells whether what a member imports is there before the merged module is, and the same then.
func (p *plan) fits(n int) bool {
	i := p.component.instances[n]
	for _, imp := range p.parsed[i.module].imports {
		by, e, _, ok := p.source(i, imp)
		if !ok || by < 0 && (p.entities[e.kind][e.index] || n < p.last && hasContent(e.kind)) {
			return false
		}
	}
	return true
}

// hasContent tells of what a module writes to, its segments, when it is instantiated. Where that comes from outside, others may write to it, or
// read it, before the last member is instantiated, but after an earlier one was.
func hasContent(kind byte) bool { return kind == kindTable || kind == kindMemory }

// firstBehind is the first core instance that comes after an item.
func (p *plan) firstBehind(at int) int {
	for n, i := range p.component.instances {
		if i.at > at {
			return n
		}
	}
	return len(p.component.instances)
}

// dependencies finds out what needs a member.
func (p *plan) dependencies() {
	p.instances = make([]bool, len(p.component.instances))
	for kind := range p.entities {
		p.entities[kind] = make([]bool, len(p.component.entities[kind]))
	}
	n := 0
	for at := range p.items {
		switch i := &p.items[at]; {
		case i.core != nil:
			p.instances[n] = p.member[n]
			for _, a := range i.core.args {
				p.instances[n] = p.instances[n] || p.instances[a.instance]
			}
			for _, e := range i.core.exports {
				p.instances[n] = p.instances[n] || p.entities[e.kind][e.index]
			}
			n++
		case i.alias != nil:
			needs := p.instances[i.alias.instance]
			if of := i.alias.of; of != i.alias.entity {
				needs = p.entities[of.kind][of.index]
			}
			p.entities[i.alias.kind][i.alias.index] = needs
		case i.canon != nil && !i.canon.lift:
			p.entities[kindFunc][i.canon.index] = p.needs(i.canon)
		}
	}
}

// needs tells whether a canonical function needs a member.
func (p *plan) needs(c *canon) bool {
	if c.lift && p.entities[kindFunc][c.of] || !c.lift && !c.given {
		return true
	}
	for _, o := range c.opts {
		if o.index >= 0 && p.entities[o.kind()][o.index] {
			return true
		}
	}
	return false
}

// source says where a member's import comes from: an export of the member by, or, if that is negative, something of the component. It is
// false if it is an export of a module that is no member.
func (p *plan) source(i *instance, imp imported) (by int, e entity, export string, ok bool) {
	n, ok := i.given[imp.module]
	if !ok {
		refuse("a core module is instantiated without %q", imp.module)
	}
	if p.member[n] {
		return n, entity{kind: imp.kind}, imp.name, true
	}
	from := p.component.instances[n]
	if from.module >= 0 {
		return 0, entity{}, "", false
	}
	e = p.origin(from.export(imp.name, imp.kind))
	if a := p.component.entities[e.kind][e.index].alias; a != nil && p.member[a.instance] {
		return a.instance, entity{kind: e.kind}, a.name, true
	}
	return -1, e, "", true
}

// The engine bounds the tables of a module, and what an instance takes beside them to 1 MiB: less than 48 bytes for each function and global.
const (
	maxTables = 16
	maxSize   = 20_000
)

// link makes one module of the members.
func (p *plan) link() bool {
	var modules []*module
	var sources [][]source
	place := map[int]int{} // of members among the modules
	numbers := map[entity]int{}
	p.outside = nil
	var memories, tables, size, largest int
	for n, i := range p.component.instances {
		if !p.member[n] {
			continue
		}
		m := p.parsed[i.module]
		memories, tables, size = memories+len(m.memory), tables+len(m.tables), size+m.size()
		if memories > 1 || tables > maxTables || size > maxSize {
			return p.leave(n)
		}
		var from []source
		for _, imp := range m.imports {
			by, e, export, _ := p.source(i, imp)
			if by >= 0 {
				from = append(from, source{by: place[by], export: export})
				continue
			}
			number, known := numbers[e]
			if !known {
				number = len(p.outside)
				numbers[e] = number
				p.outside = append(p.outside, e)
			}
			from = append(from, source{by: -1, number: number})
		}
		place[n] = len(modules)
		if largest < len(modules) && m.size() > modules[largest].size() {
			largest = len(modules)
		}
		modules, sources = append(modules, m), append(sources, from)
	}
	p.linked = link(modules, sources, largest)
	p.place = place
	return true
}
