package contract

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/weft-run/weft/wit"
)

// A section is one message or enum while it is extended.
type section struct {
	*extender
	u    *unit
	l    *ledger
	item string
	// oneof is true for a variant.
	oneof bool
	// documented is true where the author's comments cover this interface.
	documented bool
	// quiet is true where a change of the whole type has been noted.
	quiet bool

	m     *message
	fresh bool
	next  int32 // the next number
	names fieldNames
}

// message maps a message: a type, or the request, response or error of a method.
func (s *section) message(name string, parts []part, comment string) error {
	s.m = s.l.messages[name]
	if s.fresh = s.m == nil; s.fresh {
		d := &descriptorpb.DescriptorProto{Name: new(name)}
		f := s.l.ensureFile(fileName(s.u.pkg, s.u.label()), s.u)
		f.MessageType = append(f.MessageType, d)
		s.m = s.l.addMessage("", d)
		s.noteType(name)
	}
	s.docs.set(s.m.desc, comment, s.documented)
	s.next = nextNumber(s.m, s.l.retired[name])
	s.names = newFieldNames(s.m, s.l.members[s.item])
	if !s.fresh && !s.u.older {
		s.removeFields(parts)
	}
	if s.oneof && len(s.m.desc.OneofDecl) == 0 {
		s.m.desc.OneofDecl = []*descriptorpb.OneofDescriptorProto{{Name: new(oneofName(name, parts))}}
		s.names.oneof(s.m.desc.OneofDecl[0].GetName())
	}
	for _, p := range parts {
		if err := s.part(p); err != nil {
			return err
		}
	}
	return nil
}

// noteType notes a new type in a package that callers know.
func (s *section) noteType(name string) {
	if claim := s.l.claims[s.item]; claim.GetForm() != "" && inPackageScope(s.item) && !s.extender.fresh[s.u.pkg] {
		s.change(s.l.full(name), false, claim.GetForm()+" added")
	}
}

// oneofName returns the name of the oneof of a variant's message, which must differ from its cases. Java makes an
// accessor and a class of it.
func oneofName(message string, parts []part) string {
	used := make(map[string]bool)
	for _, p := range parts {
		used[p.name] = true
	}
	clashes := func(name string) bool {
		return used[name] || used[name+"_case"] || pascal(name)+"Case" == message
	}
	if !clashes("kind") {
		return "kind"
	}
	name := "variant"
	for clashes(name) {
		name += "_kind"
	}
	return name
}

// removeFields takes out the fields that the component no longer has.
func (s *section) removeFields(parts []part) {
	has := make(map[string]bool, len(parts))
	for _, p := range parts {
		has[p.item] = true
	}
	for _, c := range s.l.members[s.item] {
		f := s.m.fields[c.GetName()]
		if f == nil || has[c.GetItem()] {
			continue
		}
		s.note(f.GetName(), true, s.what()+" removed")
		s.l.retire(s.m.name, f, c.GetForm())
		s.m.remove(f)
	}
}

// what is what a field of the message is called.
func (s *section) what() string {
	if s.oneof {
		return "case"
	}
	return "field"
}

func (s *section) note(name string, breaking bool, description string) {
	if !s.fresh && !s.quiet {
		s.change(s.l.full(s.m.name)+"."+name, breaking, description)
	}
}

// part maps one field.
func (s *section) part(p part) error {
	claim := s.l.claims[p.item]
	if claim == nil {
		if s.m.fields[p.name] == nil || s.names.claimed[p.name] {
			claim = s.l.claim(p.item, s.names.free(p, s.oneof), p.form)
		} else {
			claim = s.l.claim(p.item, p.name, "") // from a contract that was not made here
		}
		s.names.claimed[claim.GetName()] = true
	}
	f := s.m.fields[claim.GetName()]
	if f != nil && claim.GetForm() == "" && s.fits(f, p) {
		claim.Form = p.form
	}
	switch {
	case f != nil && claim.GetForm() == p.form:
	case s.u.older && s.l.retiredAs(s.m.name, claim.GetName(), p.form) != nil:
		return nil
	case f != nil:
		s.note(f.GetName(), true, fmt.Sprintf("type changed from %s to %s", claim.GetForm(), p.form))
		s.l.retire(s.m.name, f, claim.GetForm())
		s.m.remove(f)
		return s.add(claim.GetName(), p)
	default:
		s.noteAddition(claim.GetName(), p)
		return s.add(claim.GetName(), p)
	}
	s.docs.set(f, p.doc, s.documented)
	return nil
}

// noteAddition notes a new field. It breaks callers who can't know that it must be present, and those of a variant's
// older components, who refuse a case that they don't know.
func (s *section) noteAddition(name string, p part) {
	if s.fresh || s.quiet {
		return
	}
	reached := s.reaches(s.l.full(s.m.name))
	kind, _ := label(orBool(p.wit), s.oneof)
	switch {
	case s.oneof && reached:
		s.note(name, true, "case added to what requests hold")
	case s.oneof:
		s.note(name, false, "case added")
	case kind == Single && required(p.wit) && reached:
		s.note(name, true, "field added that requests must have; make it an option")
	default:
		s.note(name, false, "field added")
	}
}

func orBool(t *wit.Type) *wit.Type {
	if t == nil {
		return boolean
	}
	return t
}

// add gives a field its number: a new one, or the one that it had before it was taken out.
func (s *section) add(name string, p part) error {
	s.l.claims[p.item].Form = p.form
	var f *descriptorpb.FieldDescriptorProto
	if r := s.l.retiredAs(s.m.name, name, p.form); r != nil {
		s.l.unretire(s.m.name, r)
		f = proto.CloneOf(r.GetField())
	} else {
		if s.next = skipReserved(s.m.desc, s.next); s.next > maxNumber {
			return p.place.refuse("message %s has no field numbers left", s.l.full(s.m.name))
		}
		var err error
		if f, err = s.newField(s.l, s.m, name, s.next, p.wit, s.oneof, p.place); err != nil {
			return err
		}
		s.next++
	}
	if s.oneof {
		f.OneofIndex = proto.Int32(0)
	}
	s.m.add(f)
	s.names.enter(f)
	s.docs.set(f, p.doc, s.documented)
	return nil
}

// fits tells whether a field that was not made here has the type that a part wants.
func (s *section) fits(f *descriptorpb.FieldDescriptorProto, p part) bool {
	b := newBinder(s.book)
	b.shallow = true
	_, err := b.field(s.l, f, p.wit, s.oneof)
	return err == nil
}
