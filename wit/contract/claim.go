package contract

import (
	"cmp"
	"strings"

	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/doc"
)

// A book holds the contracts of one build or bind.
type book struct {
	plan     *plan
	comments doc.Comments
	ledgers  map[string]*ledger // by package
	// names are the full names of named types.
	names map[*wit.Type]string
	// claiming is true in a build; otherwise names must have been claimed before.
	claiming bool
}

func newBook(p *plan, comments doc.Comments) *book {
	return &book{plan: p, comments: comments, ledgers: make(map[string]*ledger), names: make(map[*wit.Type]string)}
}

// assign gives every item of the plan its name in the package's scope, in the order in which names are claimed:
// what the contract has, services, types, messages of methods, messages of errors.
func (b *book) assign() error {
	steps := []func(*unit) error{b.assignService, b.assignTypes, b.assignMethods, b.assignErrors}
	for _, step := range steps {
		for _, u := range b.plan.units {
			if err := step(u); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *book) assignService(u *unit) error {
	if !b.claiming && len(u.types)+len(u.methods) == 0 {
		return nil // nothing but aliases
	}
	l := b.ledgers[u.pkg]
	if l == nil {
		return u.place().refuse("there is no contract for proto package %s", u.pkg)
	}
	var current string
	if u.iface != nil {
		current = u.iface.Version
	}
	claim := l.claims[u.item()]
	if claim == nil {
		if !b.claiming {
			return u.place().refuse("the contract of %s does not know it", u.pkg)
		}
		claim = l.claim(u.item(), "", current)
	}
	newest, _ := parseVersion(claim.GetForm())
	if v, _ := parseVersion(current); v.older(newest) {
		u.older = true
	} else if b.claiming {
		claim.Form = current
	}
	if b.claiming {
		l.ensureFile(fileName(u.pkg, u.label()), u)
	}
	if len(u.methods) == 0 {
		return nil
	}
	if claim.GetName() == "" {
		name, err := b.free(l, u, serviceName, u.item(), pascal(u.label()), u.place())
		if err != nil {
			return err
		}
		claim.Name = name
	}
	u.service = claim.GetName()
	return nil
}

func (b *book) assignTypes(u *unit) error {
	l := b.ledgers[u.pkg]
	for _, t := range u.types {
		kind := messageName
		if t.Kind == wit.Enum {
			kind = enumName
		}
		name, err := b.name(l, u, kind, u.member(t.Name), pascal(t.Name), kinds[t.Kind], typePlace(t))
		if err != nil {
			return err
		}
		b.names[t] = l.full(name)
	}
	return nil
}

func (b *book) assignMethods(u *unit) error {
	if len(u.methods) == 0 {
		return nil
	}
	l := b.ledgers[u.pkg]
	taken := make(map[string]string)
	for _, c := range l.claims {
		if item, ok := functionOwner(c.GetItem()); ok && item == u.name {
			taken[c.GetName()] = c.GetItem()
		}
	}
	for _, m := range u.methods {
		at := memberPlace(u.iface, m.function.Name+"()")
		name, err := b.methodName(l, u, m, taken, at)
		if err != nil {
			return err
		}
		m.name = name
		if m.request, err = b.name(l, u, messageName, m.item+".request", name+"Request", "", at); err != nil {
			return err
		}
		if m.response, err = b.name(l, u, messageName, m.item+".response", name+"Response", "", at); err != nil {
			return err
		}
	}
	return nil
}

func (b *book) assignErrors(u *unit) error {
	l := b.ledgers[u.pkg]
	for _, m := range u.methods {
		if m.err == nil || ownMessage(m.err) {
			continue
		}
		at := memberPlace(u.iface, m.function.Name+"()")
		name, err := b.name(l, u, messageName, m.item+".error", m.name+"Error", "", at)
		if err != nil {
			return err
		}
		m.failure = name
	}
	return nil
}

// ownMessage tells whether a type is a message of its own, wherever it is used.
func ownMessage(t *wit.Type) bool {
	return t.Kind == wit.Record || t.Kind == wit.Variant || t.Kind == wit.Flags
}

// functionOwner returns the interface of a function's item; ok is false for other items.
func functionOwner(item string) (name string, ok bool) {
	name, member, _ := strings.Cut(item, "#")
	return name, strings.HasSuffix(member, "()")
}

// methodName names a method within its service. Taken has the names that the service's functions hold already.
func (b *book) methodName(l *ledger, u *unit, m *method, taken map[string]string, at *place) (string, error) {
	if claim := l.claims[m.item]; claim != nil {
		return claim.GetName(), nil
	}
	if !b.claiming {
		return "", at.refuse("the contract of %s does not know it", u.pkg)
	}
	name := pascal(m.function.Name)
	for _, candidate := range []string{name, pascal(u.label()) + name} {
		if taken[candidate] == "" {
			// Its form is known when the types have their names.
			taken[candidate] = m.item
			return l.claim(m.item, candidate, "").GetName(), nil
		}
		name = candidate
	}
	return "", at.refuse("the method name %s is held by %s; rename one", name, u.witPath(taken[name]))
}

// name returns the name that an item holds in the package's scope, and claims one where it holds none.
func (b *book) name(l *ledger, u *unit, kind nameKind, item, want, form string, at *place) (string, error) {
	if claim := l.claims[itemKey(item, form)]; claim != nil {
		return claim.GetName(), nil
	}
	if !b.claiming {
		return "", at.refuse("the contract of %s does not know it", u.pkg)
	}
	name, err := b.free(l, u, kind, item, want, at)
	if err != nil {
		return "", err
	}
	l.claim(item, name, form)
	return name, nil
}

// free finds a free name for an item: the one that it wants, or the same with the interface in front, as its service is
// called, which buf lint wants of requests and responses. A name of the right kind that nobody claims comes from a
// contract that was not made here, and is meant.
func (b *book) free(l *ledger, u *unit, kind nameKind, item, want string, at *place) (string, error) {
	if holder, ok := l.holders[want]; ok && holder == "" && l.is(kind, want) {
		l.hold(kind, want, item)
		return want, nil
	}
	holder := ""
	for _, name := range []string{want, cmp.Or(u.service, pascal(u.label())) + want} {
		if len(name) > maxName {
			return "", at.refuse("the name %s… is longer than %d characters", name[:40], maxName)
		}
		if holder = l.taken(kind, name); holder == "" {
			l.hold(kind, name, item)
			return name, nil
		}
		want = name
	}
	return "", at.refuse("the name %s in proto package %s is held by %s; rename one", want, u.pkg, u.witPath(holder))
}

// is tells whether the contract has a message, enum or service of this name.
func (l *ledger) is(kind nameKind, name string) bool {
	switch kind {
	case messageName:
		return l.messages[name] != nil
	case enumName:
		return l.enums[name] != nil
	default:
		return l.services[name] != nil
	}
}

// witPath returns where an item of the unit's package is.
func (u *unit) witPath(item string) string {
	if u.iface == nil || u.iface.Package == "" {
		return item
	}
	return u.iface.Namespace + ":" + u.iface.Package + "/" + item
}

// ensureFile returns a file of the contract, creating it with the options that the package's other files have.
func (l *ledger) ensureFile(name string, u *unit) *descriptorpb.FileDescriptorProto {
	if f := l.files[name]; f != nil {
		return f
	}
	outer := pascal(u.label()) + "Proto"
	for l.outerTaken(outer) {
		outer += "File"
	}
	options := fileOptions(u.pkg, outer)
	if files := l.contract.GetFiles(); len(files) > 0 {
		// The first file of a contract that was not made here may say otherwise.
		like := files[0].GetOptions()
		options.GoPackage = new(cmp.Or(like.GetGoPackage(), options.GetGoPackage()))
		options.JavaPackage = new(cmp.Or(like.GetJavaPackage(), options.GetJavaPackage()))
	}
	f := &descriptorpb.FileDescriptorProto{
		Name:    new(name),
		Package: new(u.pkg),
		Syntax:  new("proto3"),
		Options: options,
	}
	l.contract.Files = append(l.contract.Files, f)
	l.addFile(f)
	return f
}

// outerTaken tells whether the Java class of a file would clash, on file systems that fold case as well.
func (l *ledger) outerTaken(outer string) bool {
	for name := range l.holders {
		if strings.EqualFold(name, outer) {
			return true
		}
	}
	for name := range l.derived {
		if strings.EqualFold(name, outer) {
			return true
		}
	}
	return false
}
