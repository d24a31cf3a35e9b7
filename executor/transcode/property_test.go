package transcode_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"
	"pgregory.net/rapid"

	"github.com/weft-run/weft/executor/transcode"
	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
	"github.com/weft-run/weft/wit/wittest"
)

// A binding is a world with its contract, its plans, and protobuf's own idea of the messages.
type binding struct {
	services []*contract.Service
	plans    *transcode.Plans
	files    *protoregistry.Files
}

// bind builds the contract of a world. It is nil where the world can't be mapped.
func bind(t interface{ Fatal(...any) }, world *wit.World) *binding {
	built, err := contract.Build(contract.Input{Function: "random-fn", World: world})
	if _, ok := errors.AsType[*contract.RefusedError](err); ok {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	set, err := contract.Files(built.Contracts)
	if err != nil {
		t.Fatal(err)
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		t.Fatal(err)
	}
	plans, err := transcode.New(built.Services)
	if err != nil {
		t.Fatal(err)
	}
	return &binding{built.Services, plans, files}
}

// message makes an empty message of a name.
func (b *binding) message(name string) *dynamicpb.Message {
	d, err := b.files.FindDescriptorByName(protoreflect.FullName(name))
	must(err)
	return dynamicpb.NewMessage(d.(protoreflect.MessageDescriptor))
}

// request writes the request of a method with random values, whose lists have so many elements at most, by protobuf's own means.
func (b *binding) request(t *rapid.T, m *contract.Method, elements int) []byte {
	request := b.message(m.Request)
	for i, f := range m.Params {
		put(request, f, wittest.Value(t, m.Function.Params[i].Type, elements))
	}
	message, err := proto.Marshal(request)
	must(err)
	return message
}

// methods calls f with each method.
func (b *binding) methods(f func(*contract.Method, *transcode.Plan)) {
	for _, s := range b.services {
		for _, m := range s.Methods {
			f(m, b.plans.Method(s.Name, m.Name))
		}
	}
}

// TestRequests turns random values into messages by protobuf's own means, writes those in all the ways that protobuf
// allows, and expects the same values to come out.
func TestRequests(t *testing.T) {
	arena := wasmtime.NewArena()
	defer arena.Free()
	rapid.Check(t, func(t *rapid.T) {
		b := bind(t, wittest.World(t, "demo"))
		if b == nil {
			return
		}
		defer b.plans.Close()
		b.methods(func(m *contract.Method, plan *transcode.Plan) {
			request := b.message(m.Request)
			var values []any
			for i, f := range m.Params {
				v := wittest.Value(t, m.Function.Params[i].Type, 5)
				values = append(values, v)
				put(request, f, v)
			}
			plain, err := proto.Marshal(request)
			must(err)
			mangled := mangle(t, request.Descriptor(), plain)
			again := request.New().Interface()
			if err := proto.Unmarshal(mangled, again); err != nil || !equalButUnknown(request, again) {
				t.Fatalf("this test is wrong: %x means another message than %x, %v", mangled, plain, err)
			}
			for _, message := range [][]byte{plain, mangled} {
				arena.Reset()
				args, err := plan.Decode(message, arena)
				if err != nil {
					t.Fatalf("%s of %x: %v", m.Request, message, err)
				}
				for i, p := range m.Function.Params {
					if got := read(args.At(i), p.Type); !same(got, values[i]) {
						t.Fatalf("%s of %x: parameter %s is %v, want %v", m.Request, message, p.Name, got, values[i])
					}
				}
			}
		})
	})
}

// equalButUnknown compares messages but for their unknown fields.
func equalButUnknown(a, b proto.Message) bool {
	b = proto.Clone(b)
	dropUnknown(b.ProtoReflect())
	return proto.Equal(a, b)
}

func dropUnknown(m protoreflect.Message) {
	m.SetUnknown(nil)
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.Message() == nil:
		case fd.IsList():
			for i := range v.List().Len() {
				dropUnknown(v.List().Get(i).Message())
			}
		default:
			dropUnknown(v.Message())
		}
		return true
	})
}

// TestResponses encodes random results and errors, and expects the bytes that protobuf itself would have written.
func TestResponses(t *testing.T) {
	arena := wasmtime.NewArena()
	defer arena.Free()
	rapid.Check(t, func(t *rapid.T) {
		b := bind(t, wittest.World(t, "demo"))
		if b == nil {
			return
		}
		defer b.plans.Close()
		b.methods(func(m *contract.Method, plan *transcode.Plan) {
			arena.Reset()
			var result wasmtime.Value
			var v any
			if typ := m.Function.Result; typ != nil {
				v = wittest.Value(t, typ, 5)
				result = arena.Args(1).At(0)
				write(arena, result, typ, v)
			}
			message, err := plan.Encode(result, math.MaxInt)
			c, failed := v.(wittest.Case)
			if failed = failed && m.Fallible && c.Index == 1; !failed {
				if err != nil {
					t.Fatalf("%s of %v: %v", m.Response, v, err)
				}
				want := b.message(m.Response)
				if m.Fallible {
					v = c.Value
				}
				if m.Result != nil {
					put(want, *m.Result, v)
				}
				expect(t, message, want)
				return
			}
			var failure *transcode.Failure
			if !errors.As(err, &failure) {
				t.Fatalf("%s of %v: %v", m.Response, v, err)
			}
			if m.Error == nil {
				if failure.DetailType != "" || failure.Detail != nil {
					t.Fatalf("an error without payload has the detail %v", failure)
				}
				return
			}
			if failure.DetailType != m.Error.Message {
				t.Fatalf("the detail is a %s, want %s", failure.DetailType, m.Error.Message)
			}
			want := b.message(m.Error.Message)
			if m.Error.Field != nil {
				put(want, *m.Error.Field, c.Value)
			} else {
				single(protoreflect.ValueOfMessage(want), m.Error.Shape, c.Value)
			}
			expect(t, failure.Detail, want)
		})
	})
}

// expect fails the test unless a message has the bytes that protobuf gives it.
func expect(t *rapid.T, got []byte, want proto.Message) {
	t.Helper()
	bytesWanted, err := proto.MarshalOptions{Deterministic: true}.Marshal(want)
	must(err)
	if !bytes.Equal(got, bytesWanted) {
		t.Fatalf("%s is %x, want %x of %v", want.ProtoReflect().Descriptor().FullName(), got, bytesWanted, want)
	}
}
