// Package doc collects the doc comments of WIT text. A component binary has none, so `--wit DIR` at deploy brings
// them into reflection and schemas.
//
// [Parse] reads the syntax of WIT as the Component Model's WIT.md gives it, with nested packages, gates
// (@since, @unstable, @deprecated, @external-id), async functions and accessors. It checks the grammar and the form of
// identifiers, and resolves nothing: a file whose `use` leads nowhere still gives its comments.
//
// # Keys
//
// Comments are kept under the name of what they describe, without versions and without the % of an escaped keyword:
//
//	key    = owner | owner "#" item
//	owner  = namespace ":" package                  a package
//	       | namespace ":" package "/" name         an interface or a world
//	       | name                                   an interface that a world writes inline
//	       | ""                                     the world: only before "#"
//	item   = type                                   record, variant, enum, flags, resource, alias
//	       | type "." member                        a record's field, a variant's or enum's case, a flag
//	       | function "()"                          a function
//	       | function "()." parameter               a parameter
//
// A function's name is its name in a component: "[method]cursor.next", "[static]cursor.open",
// "[constructor]cursor", and "[get]size", "[set]size", "[method][get]cursor.size" for accessors. So:
//
//	demo:orders                                     /// above `package demo:orders@1.2.0;`
//	demo:orders/orders                              /// above `interface orders {`
//	demo:orders/orders#order                        /// above `record order {`
//	demo:orders/orders#order.note                   /// above its field `note: option<string>,`
//	demo:orders/orders#place()                      /// above `place: func(order: order);`
//	demo:orders/orders#place().order                /// above its parameter `order: order`
//	demo:orders/orders#[method]cursor.next()        /// above `next: func();` in `resource cursor {`
//	demo:orders/shop                                /// above `world shop {`
//	#total()                                        /// above `export total: func();` in any world
//	#money                                          /// above `type money = u64;` in any world
//	admin                                           /// above `export admin: interface {` in any world
//	admin#reset()                                   /// above `reset: func();` in it
//
// What a world defines itself has no package in a key, since a component does not say which world it was built
// from. Where two comments have one key, as for two versions of a package or two worlds with a function of one
// name, the one from a file outside any `deps` directory wins, then the one whose path sorts first, then the first in the file.
//
// # Text
//
// A doc comment is `/// …`, joined with its neighbours line by line, or `/** … */`. Lines with four slashes or more, `/***` and
// `/**/` are plain comments. Common indentation is removed, as is the column of stars of a block comment, and so
// are empty lines at both ends. Lines end in "\n"; the last one does not.
package doc

import (
	"fmt"

	"github.com/weft-run/weft/wit"
)

// Comments are doc comments by key; the package comment gives the grammar of keys. Nil is an empty set. Its methods
// return "" for what has no comment, and are safe for concurrent use while nobody writes to the map.
type Comments map[string]string

// Error is a syntax error in WIT text.
type Error struct {
	File string
	// Line and Column count from 1. A column is one character.
	Line, Column int
	Msg          string
}

func (e *Error) Error() string {
	return fmt.Sprintf("wit: %s:%d:%d: %s", e.File, e.Line, e.Column, e.Msg)
}

// Interface returns the comment on an interface. A nil interface is the world, which has none.
func (c Comments) Interface(i *wit.Interface) string {
	if i == nil {
		return ""
	}
	return c[owner(i)]
}

// Type returns the comment on a named type.
func (c Comments) Type(t *wit.Type) string {
	return c[owner(t.Interface)+"#"+t.Name]
}

// Resource returns the comment on a resource.
func (c Comments) Resource(r *wit.Resource) string {
	return c[owner(r.Interface)+"#"+r.Name]
}

// Member returns the comment on a field, case or flag of a named type.
func (c Comments) Member(t *wit.Type, name string) string {
	return c[owner(t.Interface)+"#"+t.Name+"."+name]
}

// Function returns the comment on a function of an interface, or of the world where i is nil.
func (c Comments) Function(i *wit.Interface, f *wit.Function) string {
	return c[owner(i)+"#"+f.Name+"()"]
}

// Param returns the comment on a parameter of a function.
func (c Comments) Param(i *wit.Interface, f *wit.Function, name string) string {
	return c[owner(i)+"#"+f.Name+"()."+name]
}

// owner returns the part of a key before "#".
func owner(i *wit.Interface) string {
	switch {
	case i == nil:
		return ""
	case i.Package == "":
		return i.Name
	default:
		return i.Namespace + ":" + i.Package + "/" + i.Name
	}
}
