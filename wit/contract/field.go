package contract

import (
	"maps"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/wit"
)

const emptyName = "google.protobuf.Empty"

// newField makes a field of a message. Types without a name become messages nested in it.
func (x *extender) newField(l *ledger, in *message, name string, number int32, t *wit.Type, oneof bool, at *place) (*descriptorpb.FieldDescriptorProto, error) {
	f := &descriptorpb.FieldDescriptorProto{
		Name:   new(name),
		Number: new(number),
		Label:  descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
		Type:   descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum(),
	}
	if t == nil {
		f.TypeName = new("." + emptyName)
		return f, nil
	}
	kind, t := label(t, oneof)
	f.Type = fieldType(t).Enum()
	switch {
	case kind == Repeated:
		f.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
	case kind == Optional && f.GetType() != descriptorpb.FieldDescriptorProto_TYPE_MESSAGE:
		f.Proto3Optional = new(true)
	}
	if named := x.names[t]; named != "" {
		f.TypeName = new("." + named)
	} else if f.GetType() == descriptorpb.FieldDescriptorProto_TYPE_MESSAGE {
		nested, err := x.newNested(l, in, name, t, at)
		if err != nil {
			return nil, err
		}
		f.TypeName = new("." + nested)
	}
	return f, nil
}

// newNested makes the message of a type without a name, and returns its full name.
func (x *extender) newNested(l *ledger, in *message, field string, t *wit.Type, at *place) (string, error) {
	d := &descriptorpb.DescriptorProto{Name: new(nestedName(l, in, field))}
	if len(in.name)+1+len(d.GetName()) > maxName {
		return "", at.refuse("types without a name nest too deep: the name of message %s.%s is longer than %d characters; give one a name",
			in.name, d.GetName(), maxName)
	}
	in.desc.NestedType = append(in.desc.NestedType, d)
	m := l.addMessage(in.name+".", d)
	oneof := inOneof(t)
	if oneof {
		d.OneofDecl = []*descriptorpb.OneofDescriptorProto{{Name: new("result")}}
	}
	number := int32(1)
	for _, p := range nameless(t) {
		number = skipReserved(d, number)
		f, err := x.newField(l, m, p.name, number, p.wit, oneof, at)
		if err != nil {
			return "", err
		}
		if oneof {
			f.OneofIndex = proto.Int32(0)
		}
		m.add(f)
		number++
	}
	return l.full(m.name), nil
}

// nestedName names a message nested in another after the field that uses it. Java allows no class to have the name of
// one around it, and has classes of its own in each.
func nestedName(l *ledger, in *message, field string) string {
	taken := maps.Clone(javaNested)
	for outer := range strings.SplitSeq(in.name, ".") {
		taken[outer] = true
	}
	for _, o := range in.desc.GetOneofDecl() {
		taken[pascal(o.GetName())+"Case"] = true
	}
	name := pascal(field)
	for taken[name] || l.messages[in.name+"."+name] != nil || l.enums[in.name+"."+name] != nil || strings.HasSuffix(name, "OrBuilder") {
		name += "Value"
	}
	return name
}

// maxNumber is the highest field number that protobuf has.
const maxNumber = 1<<29 - 1

// nextNumber returns the number after all that a message ever gave.
func nextNumber(m *message, retired []*weftv1.RetiredField) int32 {
	next := int32(1)
	for _, f := range m.desc.GetField() {
		next = max(next, f.GetNumber()+1)
	}
	for _, r := range retired {
		next = max(next, r.GetField().GetNumber()+1)
	}
	return next
}

// skipReserved returns n, or the next number that protobuf and the message leave free.
func skipReserved(m *descriptorpb.DescriptorProto, n int32) int32 {
	for again := true; again; {
		again = false
		if n >= 19000 && n <= 19999 {
			n = 20000
		}
		for _, r := range m.GetReservedRange() {
			if n >= r.GetStart() && n < r.GetEnd() {
				n, again = r.GetEnd(), true
			}
		}
	}
	return n
}

// fieldNames finds names for the fields of a message that clash neither in protobuf nor in JSON nor in generated Go
// or Java.
type fieldNames struct {
	taken     map[string]bool // also names that fields had
	squeezed  map[string]bool
	accessors map[string]bool
	claimed   map[string]bool
	last      map[string]int // the last number that was put behind a squeezed name
}

func newFieldNames(m *message, claims []*weftv1.Claim) fieldNames {
	n := fieldNames{
		taken:     make(map[string]bool),
		squeezed:  make(map[string]bool),
		accessors: make(map[string]bool),
		claimed:   make(map[string]bool),
		last:      make(map[string]int),
	}
	for _, name := range javaInherited {
		n.accessors[name] = true
	}
	for _, o := range m.desc.GetOneofDecl() {
		n.oneof(o.GetName())
	}
	for _, f := range m.desc.GetField() {
		n.enter(f)
	}
	for _, c := range claims {
		n.taken[c.GetName()] = true
		n.squeezed[squeezed(c.GetName())] = true
		n.claimed[c.GetName()] = true
	}
	return n
}

// javaInherited are the accessors that every generated message has and that protoc does not steer clear of.
var javaInherited = []string{"Descriptor", "DefaultInstance", "[]DefaultInstance"}

// goInherited is the field that Go would spell as a method of every message that protoc-gen-go does not steer clear of.
const goInherited = "proto_reflect"

// oneof takes the name of a oneof.
func (n fieldNames) oneof(name string) {
	n.taken[name] = true
	n.squeezed[squeezed(name)] = true
	n.accessors[javaCamel(name)+"Case"] = true
}

func (n fieldNames) enter(f *descriptorpb.FieldDescriptorProto) {
	n.taken[f.GetName()] = true
	n.squeezed[squeezed(f.GetName())] = true
	repeated := f.GetLabel() == descriptorpb.FieldDescriptorProto_LABEL_REPEATED
	for _, a := range javaAccessors(f.GetName(), f.GetType(), repeated) {
		n.accessors[a] = true
	}
}

// free returns the name of a field: the one that it wants, or that with the first number from 2 on that makes it clash
// with nothing.
func (n fieldNames) free(p part, oneof bool) string {
	typ, repeated := fieldType(nil), false
	if p.wit != nil {
		kind, t := label(p.wit, oneof)
		typ, repeated = fieldType(t), kind == Repeated
	}
	name, key := p.name, squeezed(p.name)
	for n.clashes(name, typ, repeated) {
		n.last[key] = max(n.last[key], 1) + 1
		name = p.name + "_" + strconv.Itoa(n.last[key])
	}
	return name
}

func (n fieldNames) clashes(name string, typ descriptorpb.FieldDescriptorProto_Type, repeated bool) bool {
	if n.taken[name] || n.squeezed[squeezed(name)] || name == goInherited {
		return true
	}
	for _, a := range javaAccessors(name, typ, repeated) {
		if n.accessors[a] {
			return true
		}
	}
	return false
}

// javaAccessors returns what generated Java calls the getters of a field, with [] for those that take an index. What
// protoc makes distinct itself (List, Count) is left out.
func javaAccessors(name string, typ descriptorpb.FieldDescriptorProto_Type, repeated bool) []string {
	name = javaCamel(name)
	var suffixes []string
	switch typ {
	case descriptorpb.FieldDescriptorProto_TYPE_STRING:
		suffixes = []string{"Bytes"}
	case descriptorpb.FieldDescriptorProto_TYPE_ENUM:
		suffixes = []string{"Value"}
	case descriptorpb.FieldDescriptorProto_TYPE_MESSAGE:
		suffixes = []string{"Builder", "OrBuilder"}
	}
	var names []string
	if typ == descriptorpb.FieldDescriptorProto_TYPE_MESSAGE {
		names = append(names, name+"FieldBuilder")
	}
	if !repeated {
		names = append(names, name)
		for _, s := range suffixes {
			names = append(names, name+s)
		}
		return names
	}
	names = append(names, "[]"+name)
	for _, s := range suffixes {
		names = append(names, "[]"+name+s)
		if s != "Bytes" {
			names = append(names, name+s+"List")
		}
	}
	return names
}
