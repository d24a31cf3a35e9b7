package contract

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/weft-run/weft/wit"
)

// Limits on what a component may ask for. They are far above what people write and keep a hostile component cheap.
const (
	// maxFields is how many fields, cases and flags all types and functions of a component may have, where a type
	// without a name counts once for each use.
	maxFields = 20_000
	// maxDepth is how deep types may nest. Most implementations of protobuf stop reading there.
	maxDepth = 100
	// maxName is the longest name of a message within its package, and of a package, in bytes. Java makes a file
	// of each, and adds to the name.
	maxName = 200
	// maxContract is the size of an encoded contract in bytes.
	maxContract = 2 << 20
)

// A plan is what of a component becomes protobuf.
type plan struct {
	units []*unit // ordered by package and name
	homes map[*wit.Type]*unit
}

// A unit is an interface, or what the world itself exports: a file, and a service if it has functions.
type unit struct {
	pkg   string
	name  string         // the interface's name, "" for the world
	iface *wit.Interface // nil for the world
	// types are the named types of the unit that are mapped, in WIT order. Two of them have one name where the
	// component imports and exports the interface.
	types   []*wit.Type
	methods []*method

	// exported is false where only types are used by others.
	exported bool
	// service is the name of the service.
	service string
	// older is true where the contract was made from a newer version of the interface.
	older bool
}

// A method is a function with the names that it has in its package.
type method struct {
	function *wit.Function
	item     string
	name     string
	// request, response and failure are messages; failure is empty where the function gives no error of its own or
	// the error's own message is the detail.
	request, response, failure string
	// ok and err are what the function returns.
	ok, err  *wit.Type
	fallible bool
}

// item is how claims call the unit.
func (u *unit) item() string { return cmp.Or(u.name, "#") }

// member is how claims call a type or function of the unit.
func (u *unit) member(name string) string { return u.name + "#" + name }

// label is the name that stands for the unit in protobuf.
func (u *unit) label() string { return cmp.Or(u.name, "functions") }

// place is the unit in messages.
func (u *unit) place() *place { return interfacePlace(u.iface) }

func interfacePlace(i *wit.Interface) *place {
	if i == nil {
		return &place{step: "the world"}
	}
	return &place{step: i.ID}
}

func typePlace(t *wit.Type) *place {
	return memberPlace(t.Interface, t.Name)
}

func memberPlace(i *wit.Interface, name string) *place {
	if i == nil {
		return &place{step: name}
	}
	return interfacePlace(i).at("#" + name)
}

// survey walks all that a component exports. It refuses what has no place in protobuf, and what is too much.
func survey(function string, w *wit.World) (*plan, error) {
	s := newSurveyor(function)
	for _, i := range w.Exports {
		if !served(i) {
			continue
		}
		if err := s.export(i, i.Functions); err != nil {
			return nil, err
		}
	}
	if len(w.ExportFunctions) > 0 {
		if err := s.export(nil, w.ExportFunctions); err != nil {
			return nil, err
		}
	}
	return s.plan(), nil
}

// Packages lists the proto packages of what a component exports and imports, and of the types in that, ordered: whose contracts
// it takes to build and bind it. What has no mapping is passed over; Build says what is wrong with it.
func Packages(function string, w *wit.World) []string {
	packages := map[string]bool{}
	add := func(i *wit.Interface, functions []*wit.Function) {
		types, calls := newSurveyor(function), newSurveyor(function)
		_ = types.export(i, functions) // as far as it goes
		if u, err := calls.unit(i); err == nil {
			_ = calls.functions(u, i, functions) // an import needs no more than these
		}
		for _, s := range []*surveyor{types, calls} {
			for k := range s.units {
				packages[k.pkg] = true
			}
		}
	}
	for _, i := range slices.Concat(w.Exports, w.Imports) {
		if served(i) {
			add(i, i.Functions)
		}
	}
	if len(w.ExportFunctions) > 0 {
		add(nil, w.ExportFunctions)
	}
	return slices.Sorted(maps.Keys(packages))
}

// plan gives what was walked.
func (s *surveyor) plan() *plan {
	p := &plan{homes: s.homes}
	for _, key := range slices.SortedFunc(maps.Keys(s.units), unitKey.compare) {
		u := s.units[key]
		u.sortTypes()
		p.units = append(p.units, u)
	}
	return p
}

// served tells whether an export is for callers: not what the host calls, nor componentize-py's initializer.
func served(i *wit.Interface) bool {
	return i.Namespace != "wasi" && !pythonInit(i)
}

// pythonInit recognises the interface that componentize-py adds to each component:
// "init: func(app-name: string, symbols: symbols, stub-wasi: bool) -> result<_, string>".
func pythonInit(i *wit.Interface) bool {
	if i.ID != "exports" || len(i.Functions) != 1 || i.Functions[0].Name != "init" {
		return false
	}
	return slices.ContainsFunc(i.Functions[0].Params, func(p wit.Field) bool { return p.Name == "stub-wasi" })
}

// sortTypes puts the types in the order of the interface that defines them.
func (u *unit) sortTypes() {
	if u.iface == nil {
		return
	}
	order := make(map[string]int, len(u.iface.Types))
	for i, t := range u.iface.Types {
		order[t.Name] = i + 1
	}
	rank := func(t *wit.Type) int { return cmp.Or(order[t.Name], len(order)+1) }
	slices.SortStableFunc(u.types, func(a, b *wit.Type) int { return cmp.Compare(rank(a), rank(b)) })
}

type unitKey struct{ pkg, name string }

func (k unitKey) compare(l unitKey) int {
	return cmp.Or(cmp.Compare(k.pkg, l.pkg), cmp.Compare(k.name, l.name))
}

// An extent is how much protobuf a type takes where it is used.
type extent struct {
	fields int // of messages that have no name of their own
	depth  int
}

type surveyor struct {
	function string
	units    map[unitKey]*unit
	seen     map[*wit.Type]extent
	homes    map[*wit.Type]*unit
	fields   int
}

func newSurveyor(function string) *surveyor {
	return &surveyor{
		function: function,
		units:    make(map[unitKey]*unit),
		seen:     make(map[*wit.Type]extent),
		homes:    make(map[*wit.Type]*unit),
	}
}

// unit returns the unit of an interface, nil being the world.
func (s *surveyor) unit(i *wit.Interface) (*unit, error) {
	at := interfacePlace(i)
	pkg, err := protoPackage(s.function, i, at)
	if err != nil {
		return nil, err
	}
	key := unitKey{pkg: pkg}
	if i != nil {
		if !kebab.MatchString(i.Name) {
			return nil, at.refuse("%q is no WIT name", i.Name)
		}
		key.name = i.Name
	}
	u := s.units[key]
	if u == nil {
		u = &unit{pkg: pkg, name: key.name, iface: i}
		s.units[key] = u
	}
	if i != nil && u.iface.Version != i.Version {
		return nil, at.refuse("%s is in the component as well, and both give proto package %s; use one version", u.iface.ID, pkg)
	}
	return u, nil
}

func (s *surveyor) export(i *wit.Interface, functions []*wit.Function) error {
	u, err := s.unit(i)
	if err != nil {
		return err
	}
	if i != nil {
		u.iface = i // the export shows all types, an import perhaps not
		for _, t := range i.Types {
			if err := s.exportType(i, t); err != nil {
				return err
			}
		}
	}
	if u.exported {
		return u.place().refuse("is exported twice")
	}
	u.exported = true
	return s.functions(u, i, functions)
}

// functions maps the functions of an interface, nil being the world, and the types that they use.
func (s *surveyor) functions(u *unit, i *wit.Interface, functions []*wit.Function) error {
	names := make(map[string]bool)
	for _, f := range functions {
		at := memberPlace(i, f.Name+"()")
		if err := checkName(names, f.Name, at); err != nil {
			return err
		}
		m, err := s.method(u, f, at)
		if err == nil {
			err = s.count(1, at)
		}
		if err != nil {
			return err
		}
		u.methods = append(u.methods, m)
	}
	return nil
}

// exportType maps the types that an interface defines, used or not. What it takes from others is mapped where used.
func (s *surveyor) exportType(i *wit.Interface, t wit.NamedType) error {
	switch {
	case t.Resource != nil && t.Resource.Interface == i:
		return memberPlace(i, t.Name).refuse("resource %s: %s", t.Name, noResources)
	case t.Type != nil && t.Type.Name == t.Name && t.Type.Interface == i:
		_, err := s.reach(t.Type, typePlace(t.Type), 0)
		return err
	default:
		return nil
	}
}

func checkName(names map[string]bool, name string, at *place) error {
	switch {
	case strings.HasPrefix(name, "["):
		return at.refuse("belongs to a resource: %s", noResources)
	case !kebab.MatchString(name):
		return at.refuse("%q is no WIT name", name)
	case len(name) > maxName:
		return &RefusedError{Path: name[:40] + "…", Msg: fmt.Sprintf("the name is longer than %d characters", maxName)}
	case names[name]:
		return at.refuse("the name is there twice")
	}
	names[name] = true
	return nil
}

const noResources = "resources can't be exported yet; pass identifiers"

func (s *surveyor) method(u *unit, f *wit.Function, at *place) (*method, error) {
	if f.Async {
		return nil, at.refuse("async functions are not supported; make it a plain func")
	}
	m := &method{function: f, item: u.member(f.Name + "()"), ok: f.Result}
	if f.Result != nil && f.Result.Kind == wit.Result {
		m.fallible, m.ok, m.err = true, f.Result.Ok, f.Result.Err
	}
	names := make(map[string]bool)
	for _, p := range f.Params {
		at := at.at("." + p.Name)
		if err := checkName(names, p.Name, at); err != nil {
			return nil, err
		}
		if err := s.use(p.Type, at); err != nil {
			return nil, err
		}
	}
	for _, t := range []*wit.Type{m.ok, m.err} {
		if t == nil {
			continue
		}
		step := " result"
		if m.fallible && t == m.err {
			step = " error"
		}
		if err := s.use(t, at.at(step)); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// use counts a field of type t.
func (s *surveyor) use(t *wit.Type, at *place) error {
	e, err := s.reach(t, at, 0)
	if err != nil {
		return err
	}
	return s.count(1+e.fields, at)
}

func (s *surveyor) count(n int, at *place) error {
	if s.fields += n; s.fields > maxFields {
		return at.refuse("the component needs more than %d protobuf fields in all, which is the limit", maxFields)
	}
	return nil
}
