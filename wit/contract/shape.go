package contract

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/weft-run/weft/wit"
)

// A Service is one exported interface of a component, bound to its contract.
type Service struct {
	// Name is the full name: "demo.orders.v1.Orders".
	Name string
	// Interface is the name of the export: "demo:orders/orders@1.2.0". Empty for the functions that the world
	// itself exports.
	Interface string
	// Methods are in WIT order.
	Methods []*Method
}

// A Method is one exported function, bound to its contract.
type Method struct {
	// Name is the gRPC name: "Place".
	Name string
	// Function is the WIT function.
	Function *wit.Function
	// Request and Response are the full names of the messages.
	Request, Response string
	// Params says where each parameter sits in the request, in WIT order.
	Params []Field
	// Result says where the returned value sits in the response; nil if nothing is returned, or only an error. For a
	// function that returns a result it is the ok payload.
	Result *Field
	// Fallible is true for a function that returns a result.
	Fallible bool
	// Error describes the err payload; nil if it has none.
	Error *Error
}

// Error says how the err payload of a function becomes a status detail.
type Error struct {
	// Message is the full name of the detail's message.
	Message string
	// Field is the only field of the detail where the payload is no message of its own. It is nil where the payload's
	// own message is the detail.
	Field *Field
	// Shape is the shape of the payload where Field is nil.
	Shape *Shape
}

// Label says how a field holds its value.
type Label uint8

// The labels of a field.
const (
	// Single holds a value whose absence means the default, or is refused where Shape.Required says so.
	Single Label = iota
	// Optional holds an option: absent is none.
	Optional
	// Repeated holds a list.
	Repeated
)

// Field says where a value sits in a message.
type Field struct {
	// Name is the protobuf name.
	Name   string
	Number int32
	Label  Label
	// Shape is the value itself: the element where Label is Optional or Repeated. It is nil for a case with no
	// payload, which is a google.protobuf.Empty.
	Shape *Shape
}

// A Shape says how values of one WIT type are laid out in protobuf. Shapes are immutable, form a graph without
// cycles, and are shared where types are: a walk must remember what it has seen.
//
//   - bool, numbers, string, char: a scalar field as DESIGN's table says.
//   - list<u8>: Kind is wit.List and Fields is empty; a bytes field. All other lists are a Label or a wrapper.
//   - enum: Numbers holds the number of each case in WIT order.
//   - record, tuple: Fields in WIT order.
//   - flags: Fields in WIT order, each a Single bool.
//   - variant: Fields are the cases in WIT order, members of one oneof.
//   - result: Fields are ok and err, members of one oneof.
//   - list, option where protobuf can't nest them: a wrapper message; Fields holds the one field `items` (Repeated) or
//     `value` (Optional), and Kind is wit.List or wit.Option.
type Shape struct {
	Kind wit.Kind
	// Type is the WIT type that the shape carries.
	Type *wit.Type
	// Message is the full name of the message, empty for what is no message. For an enum, its full name.
	Message string
	Fields  []Field
	Numbers []int32
}

// Scalar tells whether the value is a scalar field, not a message.
func (s *Shape) Scalar() bool {
	switch s.Kind {
	case wit.Record, wit.Tuple, wit.Flags, wit.Variant, wit.Result, wit.Option:
		return false
	case wit.List:
		return len(s.Fields) == 0
	default:
		return true
	}
}

// Wire returns how a value that is not in a packed list goes to the wire; the shape may be nil, as in a field.
func (s *Shape) Wire() protowire.Type {
	if s == nil || !s.Scalar() {
		return protowire.BytesType
	}
	switch s.Kind {
	case wit.F32:
		return protowire.Fixed32Type
	case wit.F64:
		return protowire.Fixed64Type
	case wit.String, wit.Char, wit.List:
		return protowire.BytesType
	default:
		return protowire.VarintType
	}
}

// Required tells whether a Single field must be present: a record, tuple, variant, result, enum or char has no
// default.
func (s *Shape) Required() bool {
	switch s.Kind {
	case wit.Record, wit.Tuple, wit.Variant, wit.Result, wit.Enum, wit.Char:
		return true
	default:
		return false
	}
}
