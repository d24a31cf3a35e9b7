package transcode_test

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"
)

// mangle writes a message in another way that means the same: fields in another order, lists packed or not and
// scattered, messages in pieces, values that a later one replaces, unknown fields. The message must be one that
// protobuf itself has written.
func mangle(t *rapid.T, md protoreflect.MessageDescriptor, message []byte) []byte {
	var fields []wireField
	for len(message) > 0 {
		f := nextField(message)
		message = message[len(f.tag)+len(f.value):]
		fields = append(fields, vary(t, md, f)...)
	}
	fields = shuffle(t, fields)
	var out []byte
	for _, f := range fields {
		if rapid.IntRange(0, 9).Draw(t, "unknown") == 0 {
			out = append(out, unknown(t, md)...)
		}
		out = append(append(out, f.tag...), f.value...)
	}
	return out
}

// wireField is one field as it is on the wire.
type wireField struct {
	tag, value []byte
	order      protoreflect.FieldNumber // fields of one order must keep it: a list's elements, a oneof's members
}

func nextField(message []byte) wireField {
	number, wire, n := protowire.ConsumeTag(message)
	m := protowire.ConsumeFieldValue(number, wire, message[n:])
	return wireField{message[:n], message[n : n+m], number}
}

// vary writes one field in another way, as one field or more.
func vary(t *rapid.T, md protoreflect.MessageDescriptor, f wireField) []wireField {
	number, wire, _ := protowire.ConsumeTag(f.tag)
	fd := md.Fields().ByNumber(number)
	if o := fd.ContainingOneof(); o != nil {
		f.order = o.Fields().Get(0).Number()
	}
	switch {
	case fd.IsPacked():
		return unpack(t, fd, f)
	case fd.Message() == nil:
		if fd.IsList() || rapid.IntRange(0, 4).Draw(t, "replace") > 0 {
			return []wireField{f}
		}
		return []wireField{replaced(f, wire), f}
	}
	content, _ := protowire.ConsumeBytes(f.value)
	content = mangle(t, fd.Message(), content)
	pieces := [][]byte{content}
	if !fd.IsList() {
		pieces = split(t, content)
	}
	var out []wireField
	for _, p := range pieces {
		out = append(out, wireField{f.tag, protowire.AppendBytes(nil, p), f.order})
	}
	return out
}

// replaced gives a value that is as long as f's and that f replaces.
func replaced(f wireField, wire protowire.Type) wireField {
	f.value = append([]byte(nil), f.value...)
	last := len(f.value) - 1
	if wire == protowire.BytesType && last == 0 {
		return f
	}
	f.value[last] ^= 1
	return f
}

// unpack writes a packed list as packed pieces and single elements.
func unpack(t *rapid.T, fd protoreflect.FieldDescriptor, f wireField) []wireField {
	wire := protowire.VarintType
	switch fd.Kind() {
	case protoreflect.FloatKind:
		wire = protowire.Fixed32Type
	case protoreflect.DoubleKind:
		wire = protowire.Fixed64Type
	}
	content, _ := protowire.ConsumeBytes(f.value)
	var out []wireField
	for len(content) > 0 {
		n := 0
		for range rapid.IntRange(1, 3).Draw(t, "elements") {
			n += protowire.ConsumeFieldValue(fd.Number(), wire, content[n:])
			if n == len(content) {
				break
			}
		}
		if protowire.ConsumeFieldValue(fd.Number(), wire, content) == n && rapid.Bool().Draw(t, "unpacked") {
			out = append(out, wireField{protowire.AppendTag(nil, fd.Number(), wire), content[:n], f.order})
		} else {
			out = append(out, wireField{f.tag, protowire.AppendBytes(nil, content[:n]), f.order})
		}
		content = content[n:]
	}
	if rapid.IntRange(0, 4).Draw(t, "empty") == 0 {
		out = append(out, wireField{f.tag, []byte{0}, f.order})
	}
	return out
}

// split cuts the fields of a message into pieces, some of them empty.
func split(t *rapid.T, content []byte) [][]byte {
	pieces := [][]byte{nil}
	for len(content) > 0 {
		for rapid.IntRange(0, 3).Draw(t, "split") == 0 {
			pieces = append(pieces, nil)
		}
		f := nextField(content)
		n := len(f.tag) + len(f.value)
		pieces[len(pieces)-1] = append(pieces[len(pieces)-1], content[:n]...)
		content = content[n:]
	}
	return pieces
}

// shuffle orders fields at random, keeping the order of those that must.
func shuffle(t *rapid.T, fields []wireField) []wireField {
	mixed := rapid.Permutation(fields).Draw(t, "order")
	next := make(map[protoreflect.FieldNumber][]wireField)
	for _, f := range fields {
		next[f.order] = append(next[f.order], f)
	}
	var out []wireField
	for _, f := range mixed {
		out = append(out, next[f.order][0])
		next[f.order] = next[f.order][1:]
	}
	return out
}

// unknown makes a field that the message does not have.
func unknown(t *rapid.T, md protoreflect.MessageDescriptor) []byte {
	number := protowire.Number(rapid.IntRange(1, 1<<29-1).Draw(t, "number"))
	for md.Fields().ByNumber(number) != nil {
		number++
	}
	switch rapid.IntRange(0, 4).Draw(t, "form") {
	case 0:
		return protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.VarintType), rapid.Uint64().Draw(t, "value"))
	case 1:
		return protowire.AppendFixed32(protowire.AppendTag(nil, number, protowire.Fixed32Type), 7)
	case 2:
		return protowire.AppendFixed64(protowire.AppendTag(nil, number, protowire.Fixed64Type), 7)
	case 3:
		return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), []byte("unknown"))
	default:
		inner := protowire.AppendTag(nil, 1, protowire.StartGroupType)
		inner = protowire.AppendTag(inner, 1, protowire.EndGroupType)
		return protowire.AppendGroup(protowire.AppendTag(nil, number, protowire.StartGroupType), number, inner)
	}
}
