package catalog

import (
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// TestHandHashes compares the rows that are encoded by hand with what protobuf makes of them.
func TestHandHashes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := func(name string) string { return rapid.StringN(0, 300, 600).Draw(t, name) }
		f := &catalogv1.Function{
			Namespace: text("namespace"), Name: text("name"),
			CreatedIndex: rapid.Uint64().Draw(t, "created"), Current: rapid.Uint32().Draw(t, "current"),
		}
		if functionHash(f) != rowHash(functionRow(f)) {
			t.Errorf("the row of %v is encoded otherwise", f)
		}
		a := &catalogv1.Applied{RequestId: text("request")}
		if rapid.Bool().Draw(t, "result") {
			a.Result = &catalogv1.Result{
				Index: rapid.Uint64().Draw(t, "index"), Revision: rapid.Uint32().Draw(t, "revision"),
				PreviousOwner: text("previous"), DeletedRevisions: rapid.Uint32().Draw(t, "deleted"),
				SecretVersion: rapid.Uint64().Draw(t, "version"), DeletedSecrets: rapid.Uint32().Draw(t, "secrets"),
			}
			if rapid.Bool().Draw(t, "refusal") {
				a.Result.Refusal = &catalogv1.Refusal{Message: text("message")}
			}
		}
		if appliedHash(a) != rowHash(appliedRow(a)) {
			t.Errorf("the row of %v is encoded otherwise", a)
		}
	})
}

// TestRowsHaveEveryField makes sure that no field of a revision is forgotten on its way into the catalog, and that
// functionHash and appliedHash know of every field.
func TestRowsHaveEveryField(t *testing.T) {
	put := &catalogv1.Revision{}
	fill(put.ProtoReflect())
	want := proto.CloneOf(put)
	want.Number, want.CreatedUnixNanos = 7, 8
	if got := newRevision(put, 7, 8); !proto.Equal(got, want) {
		t.Errorf("the row is\n%v\nwant\n%v", got, want)
	}
	for message, fields := range map[proto.Message]int{&catalogv1.Function{}: 5, &catalogv1.Applied{}: 2, &catalogv1.Result{}: 7} {
		if n := message.ProtoReflect().Descriptor().Fields().Len(); n != fields {
			t.Errorf("%T has %d fields; hash.go knows %d", message, n, fields)
		}
	}
}

// fill sets every field of a message, the last one of a oneof. A message within one of its own type stays empty.
func fill(m protoreflect.Message, within ...protoreflect.FullName) {
	if slices.Contains(within, m.Descriptor().FullName()) {
		return
	}
	within = append(within, m.Descriptor().FullName())
	value := func(f protoreflect.FieldDescriptor, fresh func() protoreflect.Value) protoreflect.Value {
		switch f.Kind() {
		case protoreflect.MessageKind:
			v := fresh()
			fill(v.Message(), within...)
			return v
		case protoreflect.StringKind:
			return protoreflect.ValueOfString("x")
		case protoreflect.BytesKind:
			return protoreflect.ValueOfBytes([]byte("x"))
		case protoreflect.BoolKind:
			return protoreflect.ValueOfBool(true)
		case protoreflect.Uint32Kind:
			return protoreflect.ValueOfUint32(1)
		case protoreflect.Uint64Kind:
			return protoreflect.ValueOfUint64(1)
		default:
			return protoreflect.ValueOfInt64(1)
		}
	}
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		switch f := fields.Get(i); {
		case f.IsMap():
			entries := m.Mutable(f).Map()
			entries.Set(protoreflect.ValueOfString("k").MapKey(), value(f.MapValue(), entries.NewValue))
		case f.IsList():
			list := m.Mutable(f).List()
			list.Append(value(f, list.NewElement))
		default:
			m.Set(f, value(f, func() protoreflect.Value { return m.NewField(f) }))
		}
	}
}
