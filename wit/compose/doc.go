// Package compose puts components together into one, in which calls between them are calls within a sandbox: a few nanoseconds,
// with the values copied from one memory to the other by code that the engine compiles for their types.
//
// [New] takes the parts, the caller first, and says for each which of its imports another part answers. The composition is a
// component in the binary format of the Component Model (Binary.md, version 13):
//
//	custom      "weft-parts": the names of the parts
//	import      what the parts import and no part answers, an interface once, with all that any of them uses of it
//	component   the parts, byte by byte as they were given, but for Part.Once
//	component   what gives a part an environment of its own
//	instance    the parts from the last to the first, each with its imports
//	export      all that the first part exports, under the names that it has there
//
// The composition has no code of its own, as no code of an outer component may run while a part does.
//
// [Wrap] puts core code around one component: in front of its exports, behind its imports, or both, as parts before and behind it. An import
// may be answered in part, by functions that a part exports outside of an interface; it is then an instance that is put together of those, and of
// what the composition imports.
//
// # Types
//
// An outer component has to declare the types of what it imports, and in an order in which each interface comes after those
// whose types it uses. They are encoded anew from package wit rather than copied, because two parts seldom use the same functions
// of an interface: their declarations are merged. Interfaces of different versions are different interfaces and stay side by
// side, each with its own types; whoever provides them knows what they have in common.
//
// What a part imports as types only stays an import of types only, which nobody has to provide: types of values are the same where they have
// the same parts. Resources are not, so a part can't be linked with another through an interface that has any.
//
// # Bounds
//
// Parts may be hostile. What is encoded grows with the sum of the parts, and declarations of types are bounded besides
// ([ErrTooComplex]), since parts can share types in ways that are short to say and long to write down. A composition that
// breaks a rule of the Component Model that nobody here checks is refused by the engine when it is compiled.
package compose
