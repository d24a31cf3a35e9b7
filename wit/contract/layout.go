package contract

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/weft-run/weft/wit"
)

// A part is one field of a message, or one value of an enum, before it has a number.
type part struct {
	// item is how a claim calls it; empty within types that have no name, whose fields always have the same names.
	item string
	// name is the field's name unless a claim says otherwise.
	name string
	// wit is the type; nil for a case without payload.
	wit *wit.Type
	// form is the type as text, as the claim keeps it.
	form string
	// place is empty within types that have no name.
	place *place
	// doc is the author's comment.
	doc string
}

// boolean is the type of a flag.
var boolean = &wit.Type{Kind: wit.Bool}

// isBytes tells whether a type is list<u8>.
func isBytes(t *wit.Type) bool { return t.Kind == wit.List && t.Elem.Kind == wit.U8 }

// inOneof tells whether the parts of a type are members of one oneof.
func inOneof(t *wit.Type) bool { return t.Kind == wit.Variant || t.Kind == wit.Result }

// label says how a field holds a value of type t, and what its one value or its elements are. A oneof can't hold a
// list or an option: there they get a message of their own.
func label(t *wit.Type, oneof bool) (Label, *wit.Type) {
	switch {
	case oneof:
		return Single, t
	case t.Kind == wit.Option:
		return Optional, t.Elem
	case t.Kind == wit.List && !isBytes(t):
		return Repeated, t.Elem
	default:
		return Single, t
	}
}

// scalars are the types that are scalar fields.
var scalars = map[wit.Kind]descriptorpb.FieldDescriptorProto_Type{
	wit.Bool:   descriptorpb.FieldDescriptorProto_TYPE_BOOL,
	wit.S8:     descriptorpb.FieldDescriptorProto_TYPE_INT32,
	wit.U8:     descriptorpb.FieldDescriptorProto_TYPE_UINT32,
	wit.S16:    descriptorpb.FieldDescriptorProto_TYPE_INT32,
	wit.U16:    descriptorpb.FieldDescriptorProto_TYPE_UINT32,
	wit.S32:    descriptorpb.FieldDescriptorProto_TYPE_INT32,
	wit.U32:    descriptorpb.FieldDescriptorProto_TYPE_UINT32,
	wit.S64:    descriptorpb.FieldDescriptorProto_TYPE_INT64,
	wit.U64:    descriptorpb.FieldDescriptorProto_TYPE_UINT64,
	wit.F32:    descriptorpb.FieldDescriptorProto_TYPE_FLOAT,
	wit.F64:    descriptorpb.FieldDescriptorProto_TYPE_DOUBLE,
	wit.Char:   descriptorpb.FieldDescriptorProto_TYPE_STRING,
	wit.String: descriptorpb.FieldDescriptorProto_TYPE_STRING,
}

// fieldType returns the protobuf type of a field's one value or element.
func fieldType(t *wit.Type) descriptorpb.FieldDescriptorProto_Type {
	switch {
	case t == nil:
		return descriptorpb.FieldDescriptorProto_TYPE_MESSAGE
	case t.Kind == wit.Enum:
		return descriptorpb.FieldDescriptorProto_TYPE_ENUM
	case isBytes(t):
		return descriptorpb.FieldDescriptorProto_TYPE_BYTES
	default:
		if s, ok := scalars[t.Kind]; ok {
			return s
		}
		return descriptorpb.FieldDescriptorProto_TYPE_MESSAGE
	}
}

// required tells whether a Single field of type t must be present in a request.
func required(t *wit.Type) bool {
	return t != nil && (&Shape{Kind: t.Kind}).Required()
}

// tupleField is the name of a tuple's member.
func tupleField(i int) string { return "f" + strconv.Itoa(i) }

// nameless returns the parts of a type that has no name: a tuple, a result, or the message around a list or option.
func nameless(t *wit.Type) []part {
	switch t.Kind {
	case wit.Tuple:
		parts := make([]part, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = part{name: tupleField(i), wit: f.Type}
		}
		return parts
	case wit.Result:
		return []part{{name: "ok", wit: t.Ok}, {name: "err", wit: t.Err}}
	case wit.List:
		return []part{{name: "items", wit: t}}
	default:
		return []part{{name: "value", wit: t}}
	}
}

// members returns the parts of a record, variant, enum or flags.
func (b *book) members(u *unit, t *wit.Type) []part {
	var parts []part
	for _, m := range membersOf(t) {
		p := part{
			item:  u.member(t.Name + "." + m.Name),
			name:  snake(m.Name),
			wit:   m.Type,
			place: typePlace(t).at("." + m.Name),
			doc:   b.comments.Member(t, m.Name),
		}
		switch t.Kind {
		case wit.Record:
			p.form = b.form(m.Type)
		case wit.Variant:
			p.form = formCase
			if m.Type != nil {
				p.form += "(" + b.form(m.Type) + ")"
			}
		case wit.Flags:
			p.form, p.wit = formFlag, boolean
		case wit.Enum:
			p.form = formValue
		}
		parts = append(parts, p)
	}
	return parts
}

// What claims say about cases of variants, flags, and values of enums.
const (
	formCase  = "case"
	formFlag  = "flag"
	formValue = "value"
)

// kinds are the names of the kinds of types.
var kinds = map[wit.Kind]string{
	wit.Bool: "bool", wit.S8: "s8", wit.U8: "u8", wit.S16: "s16", wit.U16: "u16", wit.S32: "s32", wit.U32: "u32",
	wit.S64: "s64", wit.U64: "u64", wit.F32: "f32", wit.F64: "f64", wit.Char: "char", wit.String: "string",
	wit.List: "list", wit.Option: "option", wit.Result: "result", wit.Tuple: "tuple", wit.Record: "record",
	wit.Variant: "variant", wit.Enum: "enum", wit.Flags: "flags",
}

// form is a type as text, with the protobuf names of named types: "option<list<demo.orders.v1.Order>>". Two types are
// the same to callers if their forms are.
func (b *book) form(t *wit.Type) string {
	var s strings.Builder
	b.writeForm(&s, t)
	return s.String()
}

func (b *book) writeForm(s *strings.Builder, t *wit.Type) {
	if t == nil {
		s.WriteByte('_')
		return
	}
	if name := b.names[t]; name != "" {
		s.WriteString(name)
		return
	}
	s.WriteString(kinds[t.Kind])
	args := []*wit.Type{t.Elem}
	switch t.Kind {
	case wit.List, wit.Option:
	case wit.Result:
		if t.Ok == nil && t.Err == nil {
			return
		}
		if args = []*wit.Type{t.Ok, t.Err}; t.Err == nil {
			args = args[:1]
		}
	case wit.Tuple:
		args = nil
		for _, f := range t.Fields {
			args = append(args, f.Type)
		}
	default:
		return
	}
	s.WriteByte('<')
	for i, a := range args {
		if i > 0 {
			s.WriteString(", ")
		}
		b.writeForm(s, a)
	}
	s.WriteByte('>')
}

// params returns the parts of a method's request.
func (b *book) params(u *unit, m *method) []part {
	var parts []part
	for _, p := range m.function.Params {
		parts = append(parts, part{
			item:  m.item + ".request." + p.Name,
			name:  snake(p.Name),
			wit:   p.Type,
			form:  b.form(p.Type),
			place: memberPlace(u.iface, m.function.Name+"()."+p.Name),
			doc:   b.comments.Param(u.iface, m.function, p.Name),
		})
	}
	return parts
}

// payload returns the one part of a response or error, or none where t is nil.
func (b *book) payload(u *unit, m *method, which string, t *wit.Type) []part {
	if t == nil {
		return nil
	}
	return []part{{
		item:  m.item + "." + which + ".value",
		name:  "value",
		wit:   t,
		form:  b.form(t),
		place: memberPlace(u.iface, m.function.Name+"() "+which),
	}}
}
