package contract

import (
	"cmp"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// A ledger is one contract with its names looked up. Names of messages are relative to the package: "Shape.Rect".
type ledger struct {
	contract *weftv1.Contract

	files    map[string]*descriptorpb.FileDescriptorProto
	messages map[string]*message
	enums    map[string]*enum
	services map[string]*descriptorpb.ServiceDescriptorProto
	// values are the names of enum values, which live in the package's scope.
	values map[string]bool

	claims map[string]*weftv1.Claim
	// members are the claims of fields, cases and values, by the item of their type or message.
	members map[string][]*weftv1.Claim
	retired map[string][]*weftv1.RetiredField
	// holders are the items that hold the names of the package's scope; "" where the contract came without claims.
	holders map[string]string
	// derived are names that generators add to the scope, with the names that they come from.
	derived map[string]string
}

// newLedger looks up the names of a contract, which it keeps. Of two with one name, the first is found.
func newLedger(c *weftv1.Contract) *ledger {
	l := &ledger{
		contract: c,
		files:    make(map[string]*descriptorpb.FileDescriptorProto),
		messages: make(map[string]*message),
		enums:    make(map[string]*enum),
		services: make(map[string]*descriptorpb.ServiceDescriptorProto),
		values:   make(map[string]bool),
		claims:   make(map[string]*weftv1.Claim),
		members:  make(map[string][]*weftv1.Claim),
		retired:  make(map[string][]*weftv1.RetiredField),
		holders:  make(map[string]string),
		derived:  make(map[string]string),
	}
	for _, f := range c.GetFiles() {
		l.addFile(f)
		for _, m := range f.GetMessageType() {
			l.hold(messageName, m.GetName(), "")
			l.addMessage("", m)
		}
		for _, e := range f.GetEnumType() {
			l.hold(enumName, e.GetName(), "")
			l.addEnum("", e)
		}
		for _, s := range f.GetService() {
			l.hold(serviceName, s.GetName(), "")
			l.services[s.GetName()] = s
		}
	}
	for _, claim := range c.GetClaims() {
		l.enter(claim)
		switch item, name := claim.GetItem(), claim.GetName(); {
		case !inPackageScope(item) || name == "":
		case isUnit(item):
			l.hold(serviceName, name, item) // a service without methods is in no file
		default:
			l.holders[name] = item
		}
	}
	for _, r := range c.GetRetired() {
		l.retired[r.GetMessage()] = append(l.retired[r.GetMessage()], r)
	}
	return l
}

// claimKey tells claims apart. An enum is no message: where a type was once one and then the other, it holds a name
// for each, and its values are no fields.
func claimKey(c *weftv1.Claim) string { return itemKey(c.GetItem(), c.GetForm()) }

func itemKey(item, form string) string {
	switch form {
	case "enum", formValue:
		return item + " " + form
	default:
		return item
	}
}

// inPackageScope tells whether an item's name lives in the package: interfaces, types, and the messages of functions.
func inPackageScope(item string) bool {
	_, member, ok := strings.Cut(item, "#")
	if !ok || member == "" {
		return true
	}
	if _, part, ok := strings.Cut(member, "()"); ok {
		return part == ".request" || part == ".response" || part == ".error"
	}
	return !strings.Contains(member, ".")
}

// isUnit tells whether an item is an interface or the world, whose name is that of a service.
func isUnit(item string) bool {
	_, member, _ := strings.Cut(item, "#")
	return member == ""
}

// hold enters a name of the package's scope and those that generators derive from it.
func (l *ledger) hold(kind nameKind, name, item string) {
	l.holders[name] = item
	for _, d := range derivedNames(kind, name) {
		l.derived[d] = name
	}
}

// taken returns who holds a name or one that would be derived from it, "" if all are free.
func (l *ledger) taken(kind nameKind, name string) string {
	if kind == messageName && javaNested[name] {
		return "a class in every class that Java's generator makes"
	}
	for _, n := range append([]string{name}, derivedNames(kind, name)...) {
		if item, ok := l.holders[n]; ok {
			return cmp.Or(item, n)
		}
		if from, ok := l.derived[n]; ok {
			return "code generated for " + from
		}
	}
	return ""
}

func (l *ledger) addFile(f *descriptorpb.FileDescriptorProto) {
	if _, ok := l.files[f.GetName()]; ok {
		return
	}
	l.files[f.GetName()] = f
	if outer := f.GetOptions().GetJavaOuterClassname(); outer != "" {
		l.derived[outer] = f.GetName()
	}
}

func (l *ledger) addMessage(scope string, m *descriptorpb.DescriptorProto) *message {
	name := scope + m.GetName()
	if known := l.messages[name]; known != nil {
		return known
	}
	added := &message{name: name, desc: m, fields: make(map[string]*descriptorpb.FieldDescriptorProto)}
	for _, f := range m.GetField() {
		added.fields[f.GetName()] = f
	}
	l.messages[name] = added
	for _, n := range m.GetNestedType() {
		l.addMessage(name+".", n)
	}
	for _, e := range m.GetEnumType() {
		l.addEnum(name+".", e)
	}
	return added
}

func (l *ledger) addEnum(scope string, e *descriptorpb.EnumDescriptorProto) *enum {
	name := scope + e.GetName()
	if known := l.enums[name]; known != nil {
		return known
	}
	added := &enum{name: name, desc: e, values: make(map[string]*descriptorpb.EnumValueDescriptorProto)}
	for _, v := range e.GetValue() {
		added.values[v.GetName()] = v
		l.values[scope+v.GetName()] = true
	}
	l.enums[name] = added
	return added
}

// full turns a name within the package into a full name.
func (l *ledger) full(name string) string { return l.contract.GetPackage() + "." + name }

// claim enters what an item is called.
func (l *ledger) claim(item, name, form string) *weftv1.Claim {
	c := &weftv1.Claim{Item: item, Name: name, Form: form}
	l.enter(c)
	return c
}

func (l *ledger) enter(c *weftv1.Claim) {
	l.claims[claimKey(c)] = c
	if i := strings.LastIndexByte(c.GetItem(), '.'); i >= 0 && !inPackageScope(c.GetItem()) {
		owner := itemKey(c.GetItem()[:i], c.GetForm())
		l.members[owner] = append(l.members[owner], c)
	}
	if c.GetForm() == formValue {
		l.values[c.GetName()] = true
	}
}

// retiredAs returns the retired field or value of a message with this name and form, nil if there is none.
func (l *ledger) retiredAs(message, name, form string) *weftv1.RetiredField {
	for _, r := range l.retired[message] {
		if r.GetField().GetName() == name && r.GetForm() == form {
			return r
		}
	}
	return nil
}

func (l *ledger) retire(message string, f *descriptorpb.FieldDescriptorProto, form string) {
	f = proto.CloneOf(f)
	f.OneofIndex = nil
	l.retired[message] = append(l.retired[message], &weftv1.RetiredField{Message: message, Field: f, Form: form})
}

func (l *ledger) unretire(message string, r *weftv1.RetiredField) {
	l.retired[message] = slices.DeleteFunc(l.retired[message], func(s *weftv1.RetiredField) bool { return s == r })
}

// A message is a message of a contract, nested or not.
type message struct {
	name   string // within the package: "Shape.Rect"
	desc   *descriptorpb.DescriptorProto
	fields map[string]*descriptorpb.FieldDescriptorProto
}

func (m *message) add(f *descriptorpb.FieldDescriptorProto) {
	m.desc.Field = append(m.desc.Field, f)
	m.fields[f.GetName()] = f
}

func (m *message) remove(f *descriptorpb.FieldDescriptorProto) {
	m.desc.Field = slices.DeleteFunc(m.desc.Field, func(g *descriptorpb.FieldDescriptorProto) bool { return g == f })
	delete(m.fields, f.GetName())
}

// An enum is an enum of a contract.
type enum struct {
	name   string
	desc   *descriptorpb.EnumDescriptorProto
	values map[string]*descriptorpb.EnumValueDescriptorProto
}

func (e *enum) add(v *descriptorpb.EnumValueDescriptorProto) {
	e.desc.Value = append(e.desc.Value, v)
	e.values[v.GetName()] = v
}

func (e *enum) remove(v *descriptorpb.EnumValueDescriptorProto) {
	e.desc.Value = slices.DeleteFunc(e.desc.Value, func(w *descriptorpb.EnumValueDescriptorProto) bool { return w == v })
	delete(e.values, v.GetName())
}
