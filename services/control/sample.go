package control

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/descriptorpb"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
)

// maxSample bounds a sample request, in bytes.
const maxSample = 4 << 10

// sampler writes requests that fit the types of a method, for people to start from: everything that must be there, and
// one element in each list.
type sampler struct {
	enums map[string]map[int32]string // full name of an enum → number → name of the value
}

func newSampler(contracts []*weftv1.Contract) *sampler {
	s := &sampler{enums: map[string]map[int32]string{}}
	for _, c := range contracts {
		for _, f := range c.GetFiles() {
			s.collect(f.GetPackage(), f.GetEnumType(), f.GetMessageType())
		}
	}
	return s
}

func (s *sampler) collect(scope string, enums []*descriptorpb.EnumDescriptorProto, messages []*descriptorpb.DescriptorProto) {
	for _, e := range enums {
		values := map[int32]string{}
		for _, v := range e.GetValue() {
			values[v.GetNumber()] = v.GetName()
		}
		s.enums[scope+"."+e.GetName()] = values
	}
	for _, m := range messages {
		s.collect(scope+"."+m.GetName(), m.GetEnumType(), m.GetNestedType())
	}
}

// request is a sample in JSON; empty if it would be too long.
func (s *sampler) request(m *contract.Method) string {
	w := &sample{sampler: s}
	w.object(m.Params)
	if w.full() {
		return ""
	}
	return string(w.text)
}

// sample is one request as it is written.
type sample struct {
	*sampler
	text []byte
}

func (w *sample) full() bool { return len(w.text) > maxSample }

func (w *sample) add(text string) { w.text = append(w.text, text...) }

// object writes the fields that must be there, or that a reader will want to see.
func (w *sample) object(fields []contract.Field) {
	w.add("{")
	first := true
	for _, f := range fields {
		if w.full() {
			return
		}
		if f.Label == contract.Optional {
			continue
		}
		if !first {
			w.add(",")
		}
		first = false
		w.field(f)
	}
	w.add("}")
}

func (w *sample) field(f contract.Field) {
	w.add(strconv.Quote(jsonName(f.Name)) + ":")
	if f.Label == contract.Repeated {
		w.add("[")
		w.value(f.Name, f.Shape)
		w.add("]")
		return
	}
	w.value(f.Name, f.Shape)
}

// value writes a value of a shape. A string says the name of its field.
func (w *sample) value(name string, shape *contract.Shape) {
	if w.full() {
		return
	}
	if shape == nil { // google.protobuf.Empty
		w.add("{}")
		return
	}
	switch shape.Kind {
	case wit.Bool:
		w.add("false")
	case wit.F32, wit.F64:
		w.add("1.5")
	case wit.Char:
		w.add(`"a"`)
	case wit.String:
		w.add(strconv.Quote(name)) // an identifier
	case wit.Enum:
		w.enum(shape)
	case wit.Record, wit.Tuple:
		w.object(shape.Fields)
	case wit.Variant, wit.Result, wit.Flags:
		w.object(shape.Fields[:min(1, len(shape.Fields))])
	case wit.List:
		if shape.Scalar() {
			w.add(`"d2VmdA=="`)
			return
		}
		w.object(shape.Fields)
	case wit.Option:
		w.add("{}")
	default: // integers
		w.add("1")
	}
}

func (w *sample) enum(shape *contract.Shape) {
	number := int32(1)
	if len(shape.Numbers) > 0 {
		number = shape.Numbers[0]
	}
	if name, ok := w.enums[strings.TrimPrefix(shape.Message, ".")][number]; ok {
		w.add(strconv.Quote(name))
		return
	}
	w.add(strconv.Itoa(int(number)))
}

// jsonName is protobuf's name of a field in JSON: "unit_price" is unitPrice.
func jsonName(name string) string {
	var b strings.Builder
	upper := false
	for i := range len(name) {
		c := name[i]
		switch {
		case c == '_':
			upper = true
			continue
		case upper && c >= 'a' && c <= 'z':
			c -= 'a' - 'A'
		}
		upper = false
		b.WriteByte(c)
	}
	return b.String()
}
