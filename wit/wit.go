// Package wit holds WebAssembly Interface Types as Go values: what a component imports and exports, typed and
// named. Package wit/component decodes them from a component binary; package wit/contract maps them to protobuf.
//
// Values of this package are immutable once they are built and may be shared between goroutines. Types form a
// directed graph without cycles (WIT has no recursive types) in which shared types are shared pointers, so a walk
// over a hostile component must remember what it has seen.
package wit

// Kind says what a [Type] is.
type Kind uint8

// The kinds of types. Those from Stream on have no representation in weft and are refused at deploy, by name.
const (
	Bool Kind = iota + 1
	S8
	U8
	S16
	U16
	S32
	U32
	S64
	U64
	F32
	F64
	Char
	String
	List
	Option
	Result
	Tuple
	Record
	Variant
	Enum
	Flags
	Own
	Borrow
	Stream
	Future
	ErrorContext
	Map
	FixedList
)

// Type is a WIT value type.
//
// Aliases are seen through: `type a = b` gives the type of b. Record, Variant, Enum, Flags and resources have a
// name; two interfaces that `use` one type share its *Type.
type Type struct {
	Kind Kind

	// Name is the kebab-case name of a named type, empty otherwise.
	Name string
	// Interface is the interface that defines a named type; nil if the world itself does. In a composition it may
	// be one that the world neither imports nor exports.
	Interface *Interface

	// Elem is the element of List, Option, FixedList, Stream and Future (nil for the last two where they carry
	// nothing) and the value of Map.
	Elem *Type
	// Key is the key of Map.
	Key *Type
	// Ok and Err are the payloads of Result; nil where there is none.
	Ok, Err *Type
	// Fields are the fields of Record, in order, and the members of Tuple, which have no names.
	Fields []Field
	// Cases are the cases of Variant (with payloads), Enum and Flags (without), in order.
	Cases []Case
	// Resource is what Own and Borrow point to.
	Resource *Resource
	// Length is the length of FixedList.
	Length uint32
}

// Field is one field of a record or one parameter of a function.
type Field struct {
	Name string
	Type *Type
}

// Case is one case of a variant or enum, or one flag.
type Case struct {
	Name string
	// Type is the payload, nil if there is none.
	Type *Type
}

// Resource is a resource type.
type Resource struct {
	Name      string
	Interface *Interface
}

// Interface is an imported or exported instance.
type Interface struct {
	// ID is the name in the component: "demo:orders/orders@1.2.0", or a plain name such as "orders" for an interface
	// that the world writes inline.
	ID string
	// Namespace, Package, Name and Version are the parts of ID. Only Name is set for a plain name; Version is
	// empty where there is none.
	Namespace, Package, Name, Version string
	// Implements is set for a plain name that stands for a named interface, as in `export primary: demo:shop/store;`: it
	// is "demo:shop/store@1.0.0".
	Implements string

	// Types are the named types that the interface defines or re-exports, in order.
	Types []NamedType
	// Functions are its functions, in order. Methods, constructors and static functions of resources have their
	// Component Model names: "[method]cursor.next".
	Functions []*Function
}

// NamedType is an entry of an interface's type namespace. Its name differs from Type.Name where it is an alias.
type NamedType struct {
	Name string
	Type *Type
	// Resource is set instead of Type for a resource.
	Resource *Resource
}

// Function is an imported or exported function.
type Function struct {
	Name   string
	Params []Field
	// Result is nil if nothing is returned.
	Result *Type
	// Async is true for an async function, which weft refuses.
	Async bool
}

// World is what a component imports and exports.
type World struct {
	// Imports and Exports are the interfaces, in the order of the binary.
	Imports, Exports []*Interface
	// ImportFunctions and ExportFunctions are the functions that the world itself names.
	ImportFunctions, ExportFunctions []*Function
	// ImportTypes are the types that the world itself imports: those that it defines outside of any interface, and those that it
	// uses from its imports. Nobody has to provide them. Resources that it defines are among ImportOthers.
	ImportTypes []NamedType
	// ImportOthers names what else is imported and somebody would have to provide: core modules, components, values, and
	// resources outside any interface.
	ImportOthers []string
}
