package contract

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/types/descriptorpb"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/wit"
)

// Bind finds the numbers of a component's types in its contracts, which must have been built with the component or a
// later one. It is for revisions that are deployed: the contracts may have grown since, and what a breaking change took
// out is found as well. Services are ordered by name.
func Bind(function string, world *wit.World, contracts map[string]*weftv1.Contract) ([]*Service, error) {
	p, err := survey(function, world)
	if err != nil {
		return nil, err
	}
	b := newBook(p, nil)
	for _, u := range p.units {
		if c := contracts[u.pkg]; c != nil && b.ledgers[u.pkg] == nil {
			b.ledgers[u.pkg] = newLedger(c)
		}
	}
	if err := b.assign(); err != nil {
		return nil, err
	}
	return newBinder(b).services()
}

// A binder turns types into shapes.
type binder struct {
	*book
	shapes map[*wit.Type]*Shape // of named and scalar types
	// shallow is true where types with a name are taken as they are called.
	shallow bool
}

func newBinder(b *book) *binder { return &binder{book: b, shapes: make(map[*wit.Type]*Shape)} }

func (b *binder) services() ([]*Service, error) {
	var services []*Service
	for _, u := range b.plan.units {
		if len(u.methods) == 0 {
			continue
		}
		l := b.ledgers[u.pkg]
		s := &Service{Name: l.full(u.service)}
		if u.iface != nil {
			s.Interface = u.iface.ID
		}
		for _, m := range u.methods {
			bound, err := b.method(u, l, m)
			if err != nil {
				return nil, err
			}
			s.Methods = append(s.Methods, bound)
		}
		services = append(services, s)
	}
	return services, nil
}

// lacks says how a contract differs from a part that it has no field for.
func (l *ledger) lacks(p part) string {
	if claim := l.claims[p.item]; claim.GetForm() != "" && claim.GetForm() != p.form {
		return fmt.Sprintf("it is %s, and %s in the contract of %s", p.form, claim.GetForm(), l.contract.GetPackage())
	}
	return fmt.Sprintf("the contract of %s has no field of type %s for it", l.contract.GetPackage(), p.form)
}

func (b *binder) method(u *unit, l *ledger, m *method) (*Method, error) {
	bound := &Method{
		Name:     m.name,
		Function: m.function,
		Request:  l.full(m.request),
		Response: l.full(m.response),
		Fallible: m.fallible,
	}
	var err error
	if bound.Params, err = b.fields(l, l.messages[m.request], b.params(u, m), false); err != nil {
		return nil, err
	}
	result, err := b.fields(l, l.messages[m.response], b.payload(u, m, "response", m.ok), false)
	if err != nil {
		return nil, err
	}
	if len(result) > 0 {
		bound.Result = &result[0]
	}
	switch {
	case m.err == nil:
	case ownMessage(m.err):
		shape, err := b.named(m.err, memberPlace(u.iface, m.function.Name+"() error"))
		if err != nil {
			return nil, err
		}
		bound.Error = &Error{Message: shape.Message, Shape: shape}
	default:
		failure, err := b.fields(l, l.messages[m.failure], b.payload(u, m, "error", m.err), false)
		if err != nil {
			return nil, err
		}
		bound.Error = &Error{Message: l.full(m.failure), Field: &failure[0]}
	}
	return bound, nil
}

// fields binds the parts of a message. Those of a type with a name are found by their claims, in the message or among
// what was taken out of it.
func (b *binder) fields(l *ledger, m *message, parts []part, oneof bool) ([]Field, error) {
	var fields []Field
	group := int32(-1) // the oneof
	for _, p := range parts {
		f := l.locate(m, p)
		if f == nil {
			return nil, p.place.refuse("%s", l.lacks(p))
		}
		if live := m.fields[f.GetName()] == f; live && !grouped(f, oneof, &group) {
			return nil, p.place.refuse("the contract's field %s.%s is not in the oneof that it should be in", l.full(m.name), f.GetName())
		}
		field, err := b.field(l, f, p.wit, oneof)
		if refused := (*RefusedError)(nil); errors.As(err, &refused) && refused.Path != "" {
			return nil, err
		}
		if err != nil {
			return nil, p.place.refuse("the contract's field %s.%s does not hold a %s", l.full(m.name), f.GetName(), b.form(p.wit))
		}
		fields = append(fields, field)
	}
	return fields, nil
}

// grouped tells whether a field is in a oneof, the same as those before it, or in none.
func grouped(f *descriptorpb.FieldDescriptorProto, oneof bool, group *int32) bool {
	in := f.OneofIndex != nil && !f.GetProto3Optional()
	if in && *group < 0 {
		*group = f.GetOneofIndex()
	}
	return in == oneof && (!in || *group == f.GetOneofIndex())
}

// locate finds the field of a part, nil if there is none.
func (l *ledger) locate(m *message, p part) *descriptorpb.FieldDescriptorProto {
	if m == nil {
		return nil
	}
	if p.item == "" {
		return m.fields[p.name]
	}
	claim := l.claims[p.item]
	if f := m.fields[claim.GetName()]; f != nil && claim.GetForm() == p.form {
		return f
	}
	return l.retiredAs(m.name, claim.GetName(), p.form).GetField()
}

// mismatch is the error of a field that does not have the type it should have.
type mismatch struct{}

func (mismatch) Error() string { return "contract: mismatch" }

// field binds one field.
func (b *binder) field(l *ledger, f *descriptorpb.FieldDescriptorProto, t *wit.Type, oneof bool) (Field, error) {
	bound := Field{Name: f.GetName(), Number: f.GetNumber()}
	if t == nil {
		if f.GetTypeName() != "."+emptyName || f.GetLabel() == descriptorpb.FieldDescriptorProto_LABEL_REPEATED {
			return bound, mismatch{}
		}
		return bound, nil
	}
	bound.Label, t = label(t, oneof)
	message := fieldType(t) == descriptorpb.FieldDescriptorProto_TYPE_MESSAGE
	switch {
	case f.GetType() != fieldType(t),
		(f.GetLabel() == descriptorpb.FieldDescriptorProto_LABEL_REPEATED) != (bound.Label == Repeated),
		!message && f.GetProto3Optional() != (bound.Label == Optional):
		return bound, mismatch{}
	}
	var err error
	bound.Shape, err = b.shape(l, f.GetTypeName(), t)
	return bound, err
}

// shape binds a type that is a field's one value or element; name is the type's name in the field.
func (b *binder) shape(l *ledger, name string, t *wit.Type) (*Shape, error) {
	if full := b.names[t]; full != "" {
		if name != "."+full {
			return nil, mismatch{}
		}
		if b.shallow {
			return &Shape{Kind: t.Kind, Type: t, Message: full}, nil
		}
		return b.named(t, typePlace(t))
	}
	if s := b.shapes[t]; s != nil {
		return s, nil
	}
	s := &Shape{Kind: t.Kind, Type: t}
	if fieldType(t) != descriptorpb.FieldDescriptorProto_TYPE_MESSAGE {
		b.shapes[t] = s
		return s, nil
	}
	m := l.messages[strings.TrimPrefix(name, "."+l.full(""))]
	if m == nil {
		return nil, mismatch{}
	}
	s.Message = l.full(m.name)
	var err error
	s.Fields, err = b.fields(l, m, nameless(t), inOneof(t))
	return s, err
}

// named binds a type that has a name, once.
func (b *binder) named(t *wit.Type, at *place) (*Shape, error) {
	if s := b.shapes[t]; s != nil {
		return s, nil
	}
	u := b.plan.homes[t]
	l := b.ledgers[u.pkg]
	s := &Shape{Kind: t.Kind, Type: t, Message: b.names[t]}
	name := strings.TrimPrefix(s.Message, l.full(""))
	parts := b.members(u, t)
	var err error
	if t.Kind == wit.Enum {
		s.Numbers, err = l.numbers(l.enums[name], parts)
	} else if m := l.messages[name]; m != nil {
		s.Fields, err = b.fields(l, m, parts, t.Kind == wit.Variant)
	} else {
		err = at.refuse("the contract of %s has no message %s", u.pkg, s.Message)
	}
	b.shapes[t] = s
	return s, err
}

// numbers returns the number of each case of an enum.
func (l *ledger) numbers(e *enum, parts []part) ([]int32, error) {
	numbers := make([]int32, len(parts))
	for i, p := range parts {
		name := l.claims[itemKey(p.item, formValue)].GetName()
		if e == nil {
			return nil, p.place.refuse("the contract of %s has no enum for it", l.contract.GetPackage())
		}
		if v := e.values[name]; v != nil {
			numbers[i] = v.GetNumber()
		} else if r := l.retiredAs(e.name, name, formValue); r != nil {
			numbers[i] = r.GetField().GetNumber()
		} else {
			return nil, p.place.refuse("the contract of %s has no value for it", l.contract.GetPackage())
		}
	}
	return numbers, nil
}
