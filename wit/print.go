package wit

import (
	"fmt"
	"strings"
)

var kindNames = [...]string{
	Bool: "bool", S8: "s8", U8: "u8", S16: "s16", U16: "u16", S32: "s32", U32: "u32", S64: "s64", U64: "u64",
	F32: "f32", F64: "f64", Char: "char", String: "string", List: "list", Option: "option", Result: "result",
	Tuple: "tuple", Record: "record", Variant: "variant", Enum: "enum", Flags: "flags", Own: "own", Borrow: "borrow",
	Stream: "stream", Future: "future", ErrorContext: "error-context", Map: "map", FixedList: "fixed-length list",
}

// String returns the name of a kind, as WIT has it where it does.
func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// maxPrint bounds the text of a type or function in bytes. What is longer ends in "…".
const maxPrint = 4096

// String returns the type as WIT text: "list<option<order>>". A named type is its name. The text is cut with "…"
// at 4 KiB, so it is safe to print the types of a hostile component.
func (t *Type) String() string {
	var p printer
	p.typ(t)
	return p.text()
}

// String returns the function as WIT text: "place: func(order: order) -> result<receipt, error>". A function of a
// resource has its name of the Component Model: "[method]cursor.next: func(self: borrow<cursor>) -> option<order>". The text is
// cut with "…" at 4 KiB.
func (f *Function) String() string {
	var p printer
	p.add(f.Name, ": ")
	if f.Async {
		p.add("async ")
	}
	p.add("func(")
	for i, param := range f.Params {
		if p.full() {
			break
		}
		if i > 0 {
			p.add(", ")
		}
		p.add(param.Name, ": ")
		p.typ(param.Type)
	}
	p.add(")")
	if f.Result != nil {
		p.add(" -> ")
		p.typ(f.Result)
	}
	return p.text()
}

// printer builds bounded text.
type printer struct{ out strings.Builder }

func (p *printer) full() bool { return p.out.Len() > maxPrint }

// text returns what was printed, cut where it is too long. Names are ASCII, so any byte is a place to cut.
func (p *printer) text() string {
	if p.full() {
		return p.out.String()[:maxPrint] + "…"
	}
	return p.out.String()
}

func (p *printer) add(parts ...string) {
	for _, s := range parts {
		if p.full() {
			return
		}
		p.out.WriteString(s)
	}
}

// typ prints a type. It stops inside a type once the text is full.
func (p *printer) typ(t *Type) {
	switch {
	case p.full():
	case t == nil:
		p.add("_")
	case t.Name != "":
		p.add(t.Name)
	default:
		p.unnamed(t)
	}
}

func (p *printer) unnamed(t *Type) {
	if t.Kind == Own { // WIT text writes a resource for a handle that owns it
		p.add(t.Resource.Name)
		return
	}
	p.add(strings.TrimPrefix(t.Kind.String(), "fixed-length "))
	switch t.Kind {
	case List, Option:
		p.args(t.Elem)
	case FixedList:
		p.add("<")
		p.typ(t.Elem)
		p.add(", ", fmt.Sprint(t.Length), ">")
	case Map:
		p.args(t.Key, t.Elem)
	case Stream, Future:
		if t.Elem != nil {
			p.args(t.Elem)
		}
	case Result:
		switch {
		case t.Err != nil:
			p.args(t.Ok, t.Err)
		case t.Ok != nil:
			p.args(t.Ok)
		}
	case Tuple:
		members := make([]*Type, 0, min(len(t.Fields), maxPrint))
		for _, f := range t.Fields[:min(len(t.Fields), maxPrint)] {
			members = append(members, f.Type)
		}
		p.args(members...)
	case Borrow:
		p.add("<", t.Resource.Name, ">")
	}
}

// args prints the arguments of a type.
func (p *printer) args(types ...*Type) {
	p.add("<")
	for i, t := range types {
		if p.full() {
			break
		}
		if i > 0 {
			p.add(", ")
		}
		p.typ(t)
	}
	p.add(">")
}
