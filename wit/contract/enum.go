package contract

import (
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

// enum maps an enum. Its zero is no case; a case that a contract made elsewhere has at zero is one.
func (s *section) enum(name string, parts []part, comment string) error {
	e := s.l.enums[name]
	names := s.valueNames(name, e)
	if s.fresh = e == nil; s.fresh {
		d := &descriptorpb.EnumDescriptorProto{Name: new(name)}
		f := s.l.ensureFile(fileName(s.u.pkg, s.u.label()), s.u)
		f.EnumType = append(f.EnumType, d)
		e = s.l.addEnum("", d)
		zero, err := names.free(unspecified, part{place: s.u.place().at("#" + name)})
		if err != nil {
			return err
		}
		e.add(&descriptorpb.EnumValueDescriptorProto{Name: new(zero), Number: proto.Int32(0)})
		if !s.extender.fresh[s.u.pkg] {
			s.change(s.l.full(name), false, "enum added")
		}
	}
	s.docs.set(e.desc, comment, s.documented)
	if !s.fresh && !s.u.older {
		s.removeValues(e, parts)
	}
	next := int32(1)
	for _, v := range e.desc.GetValue() {
		next = max(next, v.GetNumber()+1)
	}
	for _, r := range s.l.retired[name] {
		next = max(next, r.GetField().GetNumber()+1)
	}
	for _, r := range e.desc.GetReservedRange() {
		next = max(next, r.GetEnd()+1)
	}
	for _, p := range parts {
		used, err := s.value(e, names, p, next)
		if err != nil {
			return err
		}
		if used {
			next++
		}
	}
	return nil
}

const unspecified = "UNSPECIFIED"

// value maps one case; it tells whether it used the number.
func (s *section) value(e *enum, names valueNames, p part, number int32) (used bool, err error) {
	claim := s.l.claims[itemKey(p.item, formValue)]
	if claim == nil {
		want := names.prefix + strings.ToUpper(p.name)
		v := e.values[want]
		if v == nil || names.claimed[want] || (v.GetNumber() == 0 && want == names.prefix+unspecified) {
			if want, err = names.free(strings.ToUpper(p.name), p); err != nil {
				return false, err
			}
		}
		claim = s.l.claim(p.item, want, formValue)
		names.claimed[want] = true
	}
	name := claim.GetName()
	v := e.values[name]
	retired := s.l.retiredAs(e.name, name, formValue)
	if v == nil && retired != nil && s.u.older {
		return false, nil
	}
	if v == nil {
		if !s.fresh && !s.quiet {
			reached := s.reaches(s.l.full(e.name))
			description := "case added"
			if reached {
				description += " to what requests hold"
			}
			s.change(s.l.full(e.name)+"."+name, reached, description)
		}
		if used = retired == nil; !used {
			number = retired.GetField().GetNumber()
			s.l.unretire(e.name, retired)
		}
		v = &descriptorpb.EnumValueDescriptorProto{Name: new(name), Number: new(number)}
		e.add(v)
	}
	s.docs.set(v, p.doc, s.documented)
	return used, nil
}

// removeValues takes out the values that the component no longer has.
func (s *section) removeValues(e *enum, parts []part) {
	has := make(map[string]bool, len(parts))
	for _, p := range parts {
		has[p.item] = true
	}
	for _, c := range s.l.members[itemKey(s.item, formValue)] {
		v := e.values[c.GetName()]
		if v == nil || has[c.GetItem()] || v.GetNumber() == 0 {
			continue
		}
		s.change(s.l.full(e.name)+"."+v.GetName(), true, "case removed")
		s.l.retire(e.name, &descriptorpb.FieldDescriptorProto{Name: v.Name, Number: v.Number}, formValue)
		e.remove(v)
	}
}

// valueNames finds names for the values of an enum. They live beside the enum, in the package's scope.
type valueNames struct {
	prefix  string
	taken   map[string]bool // in the package
	camel   map[string]bool // in the enum, as protoc compares
	claimed map[string]bool // in the enum
}

func (s *section) valueNames(name string, e *enum) valueNames {
	n := valueNames{prefix: valuePrefix(name), taken: s.l.values, camel: make(map[string]bool), claimed: make(map[string]bool)}
	if e != nil {
		for _, v := range e.desc.GetValue() {
			n.camel[valueCamel(strings.TrimPrefix(v.GetName(), n.prefix))] = true
		}
	}
	for _, c := range s.l.members[itemKey(s.item, formValue)] {
		n.camel[valueCamel(strings.TrimPrefix(c.GetName(), n.prefix))] = true
		n.claimed[c.GetName()] = true
	}
	return n
}

// free returns the name of a value and takes it: one that clashes repeats its prefix.
func (n valueNames) free(value string, p part) (string, error) {
	for n.taken[n.prefix+value] || n.camel[valueCamel(value)] {
		if value = n.prefix + value; len(value) > maxValueName {
			return "", p.place.refuse("the name %s… is longer than %d characters", value[:40], maxValueName)
		}
	}
	n.taken[n.prefix+value] = true
	n.camel[valueCamel(value)] = true
	return n.prefix + value, nil
}

// maxValueName is the longest name of an enum's value, in bytes. It holds the name of the enum and that of the case.
const maxValueName = 2 * maxName
