package component

import "github.com/weft-run/weft/wit"

// valueType reads a reference to a value type: a primitive, or the index of a type.
func (d *decoder) valueType(r *reader, s *scope) *typeDef {
	start := r.pos
	if p := primitives[r.peek()]; p != nil {
		r.byte()
		return p
	}
	t := s.types[r.typeIndex(len(s.types))]
	if t.typ == nil {
		r.failAt(start, "this type is not the type of a value")
	}
	return t
}

// typeIndex reads a signed LEB128 number of 33 bits, negative values of which would be one-byte types.
func (r *reader) typeIndex(n int) int {
	start := r.pos
	var i uint32
	for shift := 0; ; shift += 7 {
		b := r.byte()
		if shift == 28 && b > 0x0f {
			r.failAt(start, "this type index does not fit 32 bits")
		}
		i |= uint32(b&0x7f) << shift
		if b >= 0x80 {
			continue
		}
		if shift < 28 && b&0x40 != 0 {
			r.failAt(start, "unknown value type %#02x", r.data[start])
		}
		if uint64(i) >= uint64(n) {
			r.failAt(start, "type %d does not exist: there are %d", i, n)
		}
		return int(i)
	}
}

// optional reads a type that may be absent.
func (d *decoder) optional(r *reader, s *scope, m *measure) *wit.Type {
	switch b := r.byte(); b {
	case 0:
		return nil
	case 1:
		return m.add(d.valueType(r, s))
	default:
		r.unknown("mark of an optional type", b)
		return nil
	}
}

// measure sums up what a type is made of.
type measure struct{ depth, size int }

func (m *measure) add(t *typeDef) *wit.Type {
	m.depth = max(m.depth, t.depth)
	m.size += t.size
	return t.typ
}

// composite reads the rest of a type that is made of others.
func (d *decoder) composite(r *reader, s *scope, b byte) *typeDef {
	start := r.pos - 1
	t := &wit.Type{}
	m := &measure{}
	switch b {
	case 0x72:
		t.Kind = wit.Record
		t.Fields = d.fields(r, s, "field", m)
	case 0x71:
		t.Kind = wit.Variant
		t.Cases = d.cases(r, s, m)
	case 0x70:
		t.Kind, t.Elem = wit.List, m.add(d.valueType(r, s))
	case 0x6f:
		t.Kind = wit.Tuple
		for range r.count("members of a tuple") {
			r.spend(partCost)
			t.Fields = append(t.Fields, wit.Field{Type: m.add(d.valueType(r, s))})
		}
	case 0x6e:
		t.Kind, t.Cases = wit.Flags, d.labels(r, "flag")
	case 0x6d:
		t.Kind, t.Cases = wit.Enum, d.labels(r, "case")
	case 0x6b:
		t.Kind, t.Elem = wit.Option, m.add(d.valueType(r, s))
	case 0x6a:
		t.Kind, t.Ok, t.Err = wit.Result, d.optional(r, s, m), d.optional(r, s, m)
	case 0x69:
		t.Kind, t.Resource = wit.Own, d.resource(r, s)
	case 0x68:
		t.Kind, t.Resource = wit.Borrow, d.resource(r, s)
	case 0x67:
		t.Kind, t.Elem = wit.FixedList, m.add(d.valueType(r, s))
		t.Length = r.u32()
	case 0x66:
		t.Kind, t.Elem = wit.Stream, d.optional(r, s, m)
	case 0x65:
		t.Kind, t.Elem = wit.Future, d.optional(r, s, m)
	case 0x63:
		t.Kind, t.Key = wit.Map, m.add(d.valueType(r, s))
		t.Elem = m.add(d.valueType(r, s))
	default:
		r.unknown("type", b)
	}
	switch t.Kind {
	case wit.Record, wit.Variant, wit.Tuple, wit.Flags, wit.Enum:
		if len(t.Fields)+len(t.Cases) == 0 {
			r.failAt(start, "%s without members", t.Kind)
		}
	}
	m.depth, m.size = m.depth+1, m.size+1+len(t.Cases)
	if m.depth > maxDepth {
		r.failAt(start, "types are nested more than %d deep", maxDepth)
	}
	if m.size > maxTypeSize {
		r.failAt(start, "a type has more than %d parts", maxTypeSize)
	}
	return &typeDef{typ: t, depth: m.depth, size: m.size}
}

// fields reads the fields of a record or the parameters of a function.
func (d *decoder) fields(r *reader, s *scope, what string, m *measure) []wit.Field {
	var fields []wit.Field
	var seen names
	for range r.count(what + "s") {
		fields = append(fields, wit.Field{Name: d.label(r, &seen, what), Type: m.add(d.valueType(r, s))})
	}
	return fields
}

// cases reads the cases of a variant.
func (d *decoder) cases(r *reader, s *scope, m *measure) []wit.Case {
	var cases []wit.Case
	var seen names
	for range r.count("cases") {
		cases = append(cases, wit.Case{Name: d.label(r, &seen, "case"), Type: d.optional(r, s, m)})
		r.zero()
	}
	return cases
}

// labels reads the names of an enum or flags.
func (d *decoder) labels(r *reader, what string) []wit.Case {
	var cases []wit.Case
	var seen names
	for range r.count(what + "s") {
		cases = append(cases, wit.Case{Name: d.label(r, &seen, what)})
	}
	return cases
}

// label reads the name of a part of a type.
func (d *decoder) label(r *reader, seen *names, what string) string {
	r.spend(partCost)
	start := r.pos
	name := r.text()
	if !isLabel(name) {
		r.failAt(start, "name %q of a %s is not in kebab case", name, what)
	}
	r.addName(seen, start, name, what)
	return name
}

// resource reads the index of a resource.
func (d *decoder) resource(r *reader, s *scope) *wit.Resource {
	start := r.pos
	t := s.typeAt(r)
	if t.resource == nil {
		r.failAt(start, "this type is not a resource")
	}
	return t.resource
}
