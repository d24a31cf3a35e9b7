package wittest

import (
	"fmt"

	"pgregory.net/rapid"

	"github.com/weft-run/weft/wit"
)

// names are WIT names of which many clash somewhere: with each other once they are protobuf, with keywords, or with
// what code generators make of others.
var names = []string{
	"a", "b", "c", "ab", "a-b", "a1", "a-1", "x-y-z", "xy-z", "kind", "variant", "value", "items", "ok", "err",
	"result", "f0", "f1", "class", "type", "package", "string", "import", "message", "option", "order", "order-request",
	"order-error", "order-or-builder", "level", "level-low", "low", "unspecified", "builder", "descriptor",
	"default-instance", "body", "body-bytes", "level-value", "URL", "url-x", "HTTP-2", "empty", "object", "place", "get",
	"get-request", "place-response", "orders", "types", "result-case", "kind-case", "variant-case", "names", "names-list", "names-count", "a1-field", "a1-2", "body-bytes-2", "level-unspecified", "reset", "string-bytes",
}

// name draws a name that is not taken, and takes it. WIT tells no names apart by case alone.
func name(t *rapid.T, label string, taken map[string]bool) string {
	n := rapid.SampledFrom(names).Draw(t, label)
	for base, i := n, 2; taken[n]; i++ {
		n = fmt.Sprintf("%s-n%d", base, i)
	}
	taken[n] = true
	return n
}

// World draws a world of up to two packages of a namespace with up to two interfaces each, what the world exports
// itself among them. Types of one package are used in the other.
func World(t *rapid.T, namespace string) *wit.World {
	w := &wit.World{}
	var types []*wit.Type
	packages := map[string]bool{}
	for range rapid.IntRange(1, 2).Draw(t, "packages") {
		pkg := name(t, "package", packages)
		version := rapid.SampledFrom([]string{"", "1.2.3", "0.4.2", "0.0.4", "0.2.0-draft"}).Draw(t, "version")
		interfaces := map[string]bool{}
		for range rapid.IntRange(1, 2).Draw(t, "interfaces") {
			i := &wit.Interface{Namespace: namespace, Package: pkg, Name: name(t, "interface", interfaces), Version: version}
			i.ID = namespace + ":" + pkg + "/" + i.Name
			if version != "" {
				i.ID += "@" + version
			}
			types = body(t, i, types)
			if rapid.IntRange(0, 3).Draw(t, "exported") > 0 {
				w.Exports = append(w.Exports, i)
			}
		}
	}
	if rapid.Bool().Draw(t, "functions of the world") {
		own := Named(t, nil, name(t, "type", map[string]bool{}), types)
		w.ExportFunctions = functions(t, append(types, own))
	}
	return w
}

// body fills an interface; it returns the types that were there before and its own.
func body(t *rapid.T, i *wit.Interface, types []*wit.Type) []*wit.Type {
	taken := map[string]bool{}
	for range rapid.IntRange(0, 4).Draw(t, "types") {
		n := Named(t, i, name(t, "type", taken), types)
		i.Types = append(i.Types, wit.NamedType{Name: n.Name, Type: n})
		types = append(types, n)
	}
	i.Functions = functions(t, types)
	return types
}

func functions(t *rapid.T, types []*wit.Type) []*wit.Function {
	taken := map[string]bool{}
	var out []*wit.Function
	for range rapid.IntRange(0, 3).Draw(t, "functions") {
		out = append(out, Function(t, name(t, "function", taken), types))
	}
	return out
}

// Function draws a function whose parameters and result may use the given named types.
func Function(t *rapid.T, called string, types []*wit.Type) *wit.Function {
	f := &wit.Function{Name: called}
	taken := map[string]bool{}
	for range rapid.IntRange(0, 4).Draw(t, "parameters") {
		f.Params = append(f.Params, wit.Field{Name: name(t, "parameter", taken), Type: Type(t, types)})
	}
	switch rapid.IntRange(0, 3).Draw(t, "returns") {
	case 0:
	case 1:
		f.Result = Type(t, types)
	default:
		f.Result = result(t, types, maxNesting)
	}
	return f
}

// Named draws a record, variant, enum or flags that an interface defines; nil is the world. Its fields may use the
// given named types.
func Named(t *rapid.T, i *wit.Interface, called string, types []*wit.Type) *wit.Type {
	n := &wit.Type{Name: called, Interface: i}
	n.Kind = rapid.SampledFrom([]wit.Kind{wit.Record, wit.Record, wit.Variant, wit.Variant, wit.Enum, wit.Flags}).Draw(t, "kind")
	taken := map[string]bool{}
	for range rapid.IntRange(1, 6).Draw(t, "members") {
		member := name(t, "member", taken)
		switch n.Kind {
		case wit.Record:
			n.Fields = append(n.Fields, wit.Field{Name: member, Type: Type(t, types)})
		case wit.Variant:
			c := wit.Case{Name: member}
			if rapid.IntRange(0, 3).Draw(t, "payload") > 0 {
				c.Type = Type(t, types)
			}
			n.Cases = append(n.Cases, c)
		default:
			n.Cases = append(n.Cases, wit.Case{Name: member})
		}
	}
	return n
}

// maxNesting is how deep types without a name nest in those that Type draws.
const maxNesting = 3

// Type draws a type that may use the given named types.
func Type(t *rapid.T, types []*wit.Type) *wit.Type { return typ(t, types, maxNesting) }

func typ(t *rapid.T, types []*wit.Type, nesting int) *wit.Type {
	what := rapid.IntRange(0, 9).Draw(t, "type")
	switch {
	case what < 3 && len(types) > 0:
		return types[rapid.IntRange(0, len(types)-1).Draw(t, "named")]
	case what < 6 || nesting == 0:
		return &wit.Type{Kind: wit.Kind(rapid.IntRange(int(wit.Bool), int(wit.String)).Draw(t, "scalar"))}
	case what == 6:
		return &wit.Type{Kind: wit.List, Elem: typ(t, types, nesting-1)}
	case what == 7:
		return &wit.Type{Kind: wit.Option, Elem: typ(t, types, nesting-1)}
	case what == 8:
		tuple := &wit.Type{Kind: wit.Tuple}
		for range rapid.IntRange(1, 3).Draw(t, "members") {
			tuple.Fields = append(tuple.Fields, wit.Field{Type: typ(t, types, nesting-1)})
		}
		return tuple
	default:
		return result(t, types, nesting)
	}
}

func result(t *rapid.T, types []*wit.Type, nesting int) *wit.Type {
	r := &wit.Type{Kind: wit.Result}
	if rapid.Bool().Draw(t, "ok") {
		r.Ok = typ(t, types, max(nesting-1, 0))
	}
	if rapid.Bool().Draw(t, "err") {
		r.Err = typ(t, types, max(nesting-1, 0))
	}
	return r
}
