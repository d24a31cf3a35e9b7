package wasmtime

import "fmt"

// Kind says what a [Value] holds. The numbers are those of the engine's C API.
type Kind uint8

// The kinds of values.
const (
	KindBool Kind = iota
	KindS8
	KindU8
	KindS16
	KindU16
	KindS32
	KindU32
	KindS64
	KindU64
	KindF32
	KindF64
	KindChar
	KindString
	KindList
	KindRecord
	KindTuple
	KindVariant
	KindEnum
	KindOption
	KindResult
	KindFlags
	KindResource
	KindMap
)

var kindNames = [...]string{
	"bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char", "string",
	"list", "record", "tuple", "variant", "enum", "option", "result", "flags", "resource", "map",
}

// String returns the word WIT has for k.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// KindError is what the readers of [Value] panic with when the value is of another kind. Inside a [HostFunc] it
// becomes the error of the call.
type KindError struct {
	// Want is what was asked for, Have what the value is.
	Want, Have Kind
}

func (e *KindError) Error() string {
	return fmt.Sprintf("wasmtime: value is a %v, not a %v", e.Have, e.Want)
}
