package contract

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/types/descriptorpb"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/wit"
)

// An extender adds what a component has to the contracts, and notes what that changes.
type extender struct {
	*book
	docs    docs
	changes []*weftv1.Change
	// before are the contracts as they were, for what requests reach.
	before  []*weftv1.Contract
	reached map[string]bool
	// defined are the types that have been mapped, by item and kind.
	defined map[string]*wit.Type
	// fresh are the packages and services that no contract had.
	fresh map[string]bool
}

// unit maps the types and functions of one interface.
func (x *extender) unit(u *unit) error {
	if u.iface != nil && u.iface.Package != "" {
		f := x.ledgers[u.pkg].files[fileName(u.pkg, u.label())]
		x.docs.set(f, x.comments[u.iface.Namespace+":"+u.iface.Package], x.docs.covers(u))
	}
	for _, t := range u.types {
		if err := x.typ(u, t); err != nil {
			return err
		}
	}
	if !u.exported {
		return nil
	}
	return x.service(u)
}

// typ maps a named type.
func (x *extender) typ(u *unit, t *wit.Type) error {
	l := x.ledgers[u.pkg]
	item, parts := u.member(t.Name), x.members(u, t)
	key := u.pkg + " " + item
	if other := x.defined[key]; other != nil {
		return x.same(u, other, t)
	}
	x.defined[key] = t

	name := strings.TrimPrefix(x.names[t], u.pkg+".")
	claim := l.claims[itemKey(item, kinds[t.Kind])]
	s := &section{extender: x, u: u, l: l, item: item, documented: x.docs.covers(u)}
	if was := claim.GetForm(); was != kinds[t.Kind] && !u.older {
		if was != "" {
			x.change(l.full(name), true, "changed from "+was+" to "+kinds[t.Kind])
			s.quiet = true
		}
		claim.Form = kinds[t.Kind]
	}
	if t.Kind == wit.Enum {
		return s.enum(name, parts, x.comments.Type(t))
	}
	s.oneof = t.Kind == wit.Variant
	return s.message(name, parts, x.comments.Type(t))
}

// same checks that two types of one name have one shape: those that a component imports and exports.
func (x *extender) same(u *unit, a, b *wit.Type) error {
	shape := func(t *wit.Type) map[string]string {
		parts := map[string]string{"": kinds[t.Kind]}
		for _, p := range x.members(u, t) {
			parts[p.item] = p.form
		}
		return parts
	}
	one, two := shape(a), shape(b)
	equal := len(one) == len(two)
	for item, form := range one {
		equal = equal && two[item] == form
	}
	if !equal {
		return typePlace(b).refuse("is in the component with two different shapes")
	}
	return nil
}

func (x *extender) change(path string, breaking bool, description string) {
	x.changes = append(x.changes, &weftv1.Change{Path: path, Description: description, Breaking: breaking})
}

// service maps the functions of an exported interface.
func (x *extender) service(u *unit) error {
	l := x.ledgers[u.pkg]
	service := l.services[l.claims[u.item()].GetName()]
	if service == nil {
		if len(u.methods) == 0 {
			return nil
		}
		service = &descriptorpb.ServiceDescriptorProto{Name: new(u.service)}
		f := l.ensureFile(fileName(u.pkg, u.label()), u)
		f.Service = append(f.Service, service)
		l.services[u.service] = service
		x.fresh[l.full(u.service)] = true
		if !x.fresh[u.pkg] {
			x.change(l.full(u.service), false, "service added")
		}
	}
	x.docs.set(service, x.comments.Interface(u.iface), x.docs.covers(u))
	if !u.older {
		x.removeMethods(u, l, service)
	}
	for _, m := range u.methods {
		if err := x.method(u, l, service, m); err != nil {
			return err
		}
	}
	return nil
}

// removeMethods takes out the methods that the interface no longer has. Their messages stay, for older revisions.
func (x *extender) removeMethods(u *unit, l *ledger, service *descriptorpb.ServiceDescriptorProto) {
	has := make(map[string]bool)
	for _, m := range u.methods {
		has[m.name] = true
	}
	claimed := make(map[string]bool)
	for _, c := range l.claims {
		if owner, ok := functionOwner(c.GetItem()); ok && owner == u.name {
			claimed[c.GetName()] = true
		}
	}
	kept := service.Method[:0:0]
	for _, m := range service.GetMethod() {
		if claimed[m.GetName()] && !has[m.GetName()] {
			x.change(l.full(service.GetName())+"/"+m.GetName(), true, "method removed")
			continue
		}
		kept = append(kept, m)
	}
	service.Method = kept
}

func (x *extender) method(u *unit, l *ledger, service *descriptorpb.ServiceDescriptorProto, m *method) error {
	path := l.full(service.GetName()) + "/" + m.name
	claim := l.claims[m.item]
	form := ""
	if m.err != nil {
		form = x.form(m.err)
	}
	d := methodOf(service, m.name)
	if d == nil {
		d = &descriptorpb.MethodDescriptorProto{
			Name:       new(m.name),
			InputType:  new("." + l.full(m.request)),
			OutputType: new("." + l.full(m.response)),
		}
		service.Method = append(service.Method, d)
		claim.Form = form
		if !x.fresh[l.full(service.GetName())] {
			x.change(path, false, "method added")
		}
	}
	if d.GetInputType() != "."+l.full(m.request) || d.GetOutputType() != "."+l.full(m.response) ||
		d.GetClientStreaming() || d.GetServerStreaming() {
		return u.place().at("#"+m.function.Name+"()").refuse("the contract's method %s is not unary with messages of its own package", path)
	}
	if was := claim.GetForm(); was != form && !u.older {
		switch {
		case was == "":
			x.change(path, false, "error type "+form+" added")
		case form == "":
			x.change(path, true, "error type "+was+" removed")
		default:
			x.change(path, true, fmt.Sprintf("error type changed from %s to %s", was, form))
		}
		claim.Form = form
	}
	x.docs.set(d, x.comments.Function(u.iface, m.function), x.docs.covers(u))

	messages := []struct {
		which, name string
		parts       []part
	}{
		{"request", m.request, x.params(u, m)},
		{"response", m.response, x.payload(u, m, "response", m.ok)},
		{"error", m.failure, x.payload(u, m, "error", m.err)},
	}
	for _, msg := range messages {
		if msg.name == "" {
			continue
		}
		s := &section{extender: x, u: u, l: l, item: m.item + "." + msg.which, documented: x.docs.covers(u)}
		s.quiet = msg.which == "error" // noted above
		if err := s.message(msg.name, msg.parts, ""); err != nil {
			return err
		}
	}
	return nil
}

func methodOf(s *descriptorpb.ServiceDescriptorProto, name string) *descriptorpb.MethodDescriptorProto {
	for _, m := range s.GetMethod() {
		if m.GetName() == name {
			return m
		}
	}
	return nil
}
