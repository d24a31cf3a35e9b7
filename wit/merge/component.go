package merge

import (
	"bytes"

	"github.com/weft-run/weft/wit/wasm"
)

// The sections of a component.
const (
	coreModuleSection   = 1
	coreInstanceSection = 2
	coreTypeSection     = 3
	componentSection    = 4
	instanceSection     = 5
	aliasSection        = 6
	componentTypes      = 7
	canonSection        = 8
	componentImports    = 10
	componentExports    = 11
)

// Sorts of what a component has, beside kinds in core modules.
const (
	sortCore         = 0x00
	sortFunc         = 0x01
	sortInstance     = 0x05
	sortCoreModule   = 0x11
	sortCoreInstance = 0x12
)

// What a component may have for it to be looked at. The engine takes no more instances either; what tools make has some dozens.
const (
	maxInstances = 1000
	maxDepth     = 100
)

// component is a component, taken apart as far as its core modules are concerned.
type component struct {
	items   []item
	modules [][]byte
	// uses is how often each module is instantiated.
	uses      []int
	instances []*instance
	// entities are what of each kind is defined, in the order of their indices.
	entities [kinds][]*item
	// given tells of each function and each instance whether the component imports it.
	givenFuncs, givenInstances []bool
}

// item is a section, or one definition of it. One of the pointers may be set.
type item struct {
	section byte
	content []byte // of the whole section; otherwise of the definition, which is all of it
	single  bool
	module  int // number of the core module
	core    *instance
	alias   *alias
	canon   *canon
}

// instance is a core instance: of a module, or put together of exports.
type instance struct {
	at     int // index of its item
	module int // -1 if it is put together
	args   []arg
	given  map[string]int // instances of args, by their names
	// exports are by name where it is put together.
	exports []export
	named   map[string]entity
}

type arg struct {
	name     string
	instance int
}

type export struct {
	name string
	entity
}

// alias is an export of a core instance, as something of the component.
type alias struct {
	entity
	instance int
	name     string
	// of is what it stands for: itself, or what the instance was put together of.
	of entity
}

// canon is a canonical function: a core function but for lift.
type canon struct {
	index int    // of the core function that it defines, -1 if it is a lift
	head  []byte // before the function or type that it is about
	of    int
	opts  []option
	hasOpts,
	lift bool
	typ []byte // of a lift
	// given tells of a lower whether its function is one that the component imports.
	given bool
}

type option struct {
	code  byte
	index int
}

// The options that refer to something.
const (
	optionMemory  = 3
	optionRealloc = 4
	optionPost    = 5
)

// read takes a component apart.
func read(binary []byte) *component {
	c := &component{}
	for _, s := range sections(binary, wasm.Component) {
		c.section(s)
	}
	return c
}

func (c *component) section(s section) {
	whole := item{section: s.id, content: s.content, module: -1}
	r := &reader{data: s.content}
	each := func(define func(i *item)) {
		r.each(func() {
			i := item{section: s.id, single: true, module: -1}
			start := r.pos
			define(&i)
			i.content = s.content[start:r.pos]
			c.items = append(c.items, i)
		})
		if r.more() {
			refuse("a section of the component is longer than what is in it")
		}
	}
	switch s.id {
	case 0:
		if name, _ := s.custom(); name != "component-name" { // by indices that change
			c.items = append(c.items, whole)
		}
	case coreModuleSection:
		whole.module = len(c.modules)
		c.items = append(c.items, whole)
		c.modules = append(c.modules, s.content)
		c.uses = append(c.uses, 0)
	case coreInstanceSection:
		each(func(i *item) { i.core = c.coreInstance(r) })
	case coreTypeSection:
		c.items = append(c.items, whole)
	case componentSection:
		checkNested(s.content, 0)
		c.items = append(c.items, whole)
	case instanceSection:
		each(func(*item) {
			r.instance()
			c.givenInstances = append(c.givenInstances, false)
		})
	case aliasSection:
		each(func(i *item) { c.aliased(r, i) })
	case componentTypes:
		if bytes.Contains(s.content, []byte{0x3f, 0x7f, 0x01}) {
			refuse("the component has resources with destructors")
		}
		c.items = append(c.items, whole)
	case canonSection:
		each(func(i *item) { i.canon = c.canonical(r) })
	case componentImports:
		each(func(*item) {
			r.externName()
			c.define(r.externType(), true)
		})
	case componentExports:
		each(func(*item) {
			r.externName()
			sort, index := r.item()
			if given := sort == sortFunc && at(c.givenFuncs, index) || sort == sortInstance && at(c.givenInstances, index); r.byte() != 0 {
				c.define(r.externType(), given)
			} else {
				c.define(sort, given)
			}
		})
	default:
		refuse("the component has the section %d", s.id)
	}
}

func at(list []bool, n int) bool { return n < len(list) && list[n] }

// define notes that the component has one more of a sort.
func (c *component) define(sort byte, given bool) {
	switch sort {
	case sortFunc:
		c.givenFuncs = append(c.givenFuncs, given)
	case sortInstance:
		c.givenInstances = append(c.givenInstances, given)
	}
}

func (c *component) coreInstance(r *reader) *instance {
	if len(c.instances) == maxInstances {
		refuse("the component has more than %d core instances", maxInstances)
	}
	i := &instance{at: len(c.items), module: -1, given: map[string]int{}, named: map[string]entity{}}
	switch form := r.byte(); form {
	case 0:
		i.module = r.u32()
		if i.module >= len(c.modules) {
			refuse("there is no core module %d", i.module)
		}
		c.uses[i.module]++
		r.each(func() {
			a := arg{name: r.name()}
			if sort := r.byte(); sort != sortCoreInstance {
				refuse("a core module is instantiated with the sort %#02x", sort)
			}
			a.instance = r.below(len(c.instances))
			if _, twice := i.given[a.name]; twice {
				refuse("a core module is instantiated with %q twice", a.name)
			}
			i.given[a.name] = a.instance
			i.args = append(i.args, a)
		})
		if len(i.args) > maxInstances {
			refuse("a core module is instantiated with more than %d core instances", maxInstances)
		}
	case 1:
		r.each(func() {
			e := export{name: r.name()}
			if e.kind = r.byte(); e.kind >= kinds {
				refuse("a core instance exports the sort %#02x", e.kind)
			}
			e.index = r.below(len(c.entities[e.kind]))
			if _, twice := i.named[e.name]; twice {
				refuse("a core instance exports %q twice", e.name)
			}
			i.named[e.name] = e.entity
			i.exports = append(i.exports, e)
		})
	default:
		refuse("a core instance has the form %#02x", form)
	}
	c.instances = append(c.instances, i)
	return i
}

// below reads an index that there is.
func (r *reader) below(n int) int {
	i := r.u32()
	if i >= n {
		refuse("there is no index %d", i)
	}
	return i
}

func (c *component) aliased(r *reader, i *item) {
	sort, core := r.byte(), byte(0)
	if sort == sortCore {
		core = r.byte()
	}
	switch target := r.byte(); target {
	case 0: // an export of an instance
		instance := r.u32()
		r.name()
		if sort == sortCore {
			refuse("the component takes core modules from instances")
		}
		c.define(sort, at(c.givenInstances, instance))
	case 1: // an export of a core instance
		a := &alias{instance: r.below(len(c.instances)), name: r.name()}
		if sort != sortCore || core >= kinds {
			refuse("the component has an alias of the sort %#02x", core)
		}
		a.kind, a.index = core, len(c.entities[core])
		a.of = a.entity
		if from := c.instances[a.instance]; from.module < 0 {
			a.of = c.origin(from.export(a.name, a.kind))
		}
		c.entities[core] = append(c.entities[core], &item{alias: a})
		i.alias = a
	case 2: // of an enclosing component
		r.u32()
		r.u32()
		if sort == sortCore && core == sortCoreModule {
			refuse("the component takes core modules from outside")
		}
	default:
		refuse("the component has an alias of the form %#02x", target)
	}
}

// origin follows an alias to what it stands for.
func (c *component) origin(e entity) entity {
	if a := c.entities[e.kind][e.index].alias; a != nil {
		return a.of
	}
	return e
}

// export finds what an instance that was put together exports.
func (i *instance) export(name string, kind byte) entity {
	e, ok := i.named[name]
	if !ok || e.kind != kind {
		refuse("a core instance does not export %q so", name)
	}
	return e
}

func (c *component) canonical(r *reader) *canon {
	f := &canon{index: -1}
	start := r.pos
	head := func() {
		f.head = r.data[start:r.pos]
		f.of = r.u32()
	}
	options := func() {
		f.hasOpts = true
		r.each(func() { f.opts = append(f.opts, c.option(r)) })
	}
	switch op := r.byte(); op {
	case 0: // lift
		r.byte()
		head()
		f.lift = true
		if f.of >= len(c.entities[kindFunc]) {
			refuse("there is no core function %d", f.of)
		}
		options()
		f.typ = r.leb()
		c.givenFuncs = append(c.givenFuncs, false)
		return f
	case 1: // lower
		r.byte()
		head()
		options()
		f.given = at(c.givenFuncs, f.of)
	case 2, 3, 4: // resource.new, drop, rep
		head()
		f.given = true
	default:
		refuse("the component has a canonical function of the form %#02x", op)
	}
	f.index = len(c.entities[kindFunc])
	c.entities[kindFunc] = append(c.entities[kindFunc], &item{canon: f})
	return f
}

func (c *component) option(r *reader) option {
	o := option{code: r.byte(), index: -1}
	switch o.code {
	case 0, 1, 2: // the encoding of strings
	case optionMemory, optionRealloc, optionPost:
		o.index = r.below(len(c.entities[o.kind()]))
	default:
		refuse("a canonical function has the option %#02x", o.code)
	}
	return o
}

// kind is that of what an option refers to.
func (o option) kind() byte {
	if o.code == optionMemory {
		return kindMemory
	}
	return kindFunc
}

// instance goes over an instance.
func (r *reader) instance() {
	form := r.byte()
	if form == 0 {
		r.u32()
	}
	r.each(func() {
		if form == 0 {
			r.name()
		} else {
			r.externName()
		}
		r.item()
	})
}

// item reads a sort and an index.
func (r *reader) item() (sort byte, index int) {
	if sort = r.byte(); sort == sortCore {
		refuse("the component passes on core modules")
	}
	return sort, r.u32()
}

func (r *reader) externName() {
	if form := r.byte(); form > 1 {
		refuse("a name has the form %#02x", form)
	}
	r.name()
}

// externType goes over the type of an import or export, and gives its sort.
func (r *reader) externType() byte {
	switch sort := r.byte(); sort {
	case sortFunc, 0x04, sortInstance:
		r.u32()
		return sort
	case 0x03: // a type: one that there is, or a resource
		if r.byte() == 0 {
			r.u32()
		}
		return sort
	default:
		refuse("the component imports or exports the sort %#02x", sort)
		return 0
	}
}

// checkNested refuses components that take core modules from the one around them, whose modules change.
func checkNested(binary []byte, depth int) {
	if depth > maxDepth {
		refuse("components are in one another more than %d times", maxDepth)
	}
	for _, s := range sections(binary, wasm.Component) {
		r := &reader{data: s.content}
		switch s.id {
		case componentSection:
			checkNested(s.content, depth+1)
		case aliasSection:
			r.each(func() {
				sort, core := r.byte(), byte(0)
				if sort == sortCore {
					core = r.byte()
				}
				switch r.byte() {
				case 0, 1:
					r.u32()
					r.name()
				default:
					r.u32()
					r.u32()
					if sort == sortCore && core == sortCoreModule {
						refuse("a component in it takes core modules from outside")
					}
				}
			})
		}
	}
}
