package contract

import (
	"cmp"
	"fmt"

	"github.com/weft-run/weft/wit"
)

// Serves tells whether an exported service can answer the calls of an import; both are bound to one contract. The
// service may have more functions, more optional fields, and more cases in what it returns: the caller skips fields that
// it does not know, and such a case fails the call. What would be lost on the way to it, or missed there, is refused.
// The error is a *RefusedError that names the import, the type and the field.
func Serves(export, imported *Service) error {
	methods := make(map[string]*Method, len(export.Methods))
	for _, m := range export.Methods {
		methods[m.Name] = m
	}
	c := comparison{by: cmp.Or(export.Interface, export.Name), seen: make(map[pairKey]bool)}
	for _, m := range imported.Methods {
		if err := c.method(methods[m.Name], m); err != nil {
			return &RefusedError{Path: "import " + imported.Interface, Msg: err.Error()}
		}
	}
	return nil
}

// comparison compares the shapes of who exports an interface with those of who imports it.
type comparison struct {
	by   string // who exports
	seen map[pairKey]bool
}

// pairKey is a pair of shapes that was compared.
type pairKey struct {
	export, imported *Shape
	request          bool
}

func (c *comparison) method(export, imported *Method) error {
	where := "function " + imported.Function.Name
	if export == nil {
		return fmt.Errorf("%s: %s does not have it", where, c.by)
	}
	if err := c.requests(where, "parameter", paramWords(export), paramWords(imported), export.Params, imported.Params); err != nil {
		return err
	}
	if (export.Result == nil) != (imported.Result == nil) {
		return fmt.Errorf("%s, result: only one of it and %s returns a value", where, c.by)
	}
	if imported.Result != nil {
		if err := c.shape(export.Result.Shape, imported.Result.Shape, false); err != nil {
			return err
		}
	}
	if imported.Error == nil || export.Error == nil {
		return nil // who never fails is fine, and BindImport has seen that the error's type is the contract's
	}
	if imported.Error.Field != nil && export.Error.Field != nil {
		return c.shape(export.Error.Field.Shape, imported.Error.Field.Shape, false)
	}
	return c.shape(export.Error.Shape, imported.Error.Shape, false)
}

func paramWords(m *Method) []string {
	words := make([]string, len(m.Function.Params))
	for i, p := range m.Function.Params {
		words[i] = p.Name
	}
	return words
}

// shape compares two shapes; request tells whether values go to who exports.
func (c *comparison) shape(export, imported *Shape, request bool) error {
	key := pairKey{export, imported, request}
	if export == nil || imported == nil || export == imported || c.seen[key] {
		return nil
	}
	c.seen[key] = true
	where := "type " + cmp.Or(imported.Type.Name, imported.Message)
	switch {
	case imported.Kind == wit.Enum && request:
		return c.values(where, export, imported)
	case request:
		kind := map[wit.Kind]string{wit.Variant: "case", wit.Flags: "flag"}[imported.Kind]
		return c.requests(where, cmp.Or(kind, "field"), shapeWords(export), shapeWords(imported), export.Fields, imported.Fields)
	default:
		return c.responses(where, export, imported)
	}
}

func shapeWords(s *Shape) []string {
	words := make([]string, len(s.Fields))
	members := membersOf(s.Type)
	for i, f := range s.Fields {
		words[i] = f.Name
		if i < len(members) {
			words[i] = members[i].Name
		}
	}
	return words
}

// requests compares fields that go to who exports.
func (c *comparison) requests(where, kind string, exportWords, importWords []string, export, imported []Field) error {
	known := make(map[int32]Field, len(export))
	for _, f := range export {
		known[f.Number] = f
	}
	for i, f := range imported {
		e, ok := known[f.Number]
		if !ok {
			return fmt.Errorf("%s, %s %s: %s does not have it", where, kind, importWords[i], c.by)
		}
		delete(known, f.Number)
		if err := c.shape(e.Shape, f.Shape, true); err != nil {
			return err
		}
	}
	if kind == "case" {
		return nil
	}
	for i, f := range export {
		if _, left := known[f.Number]; left && f.Label == Single && f.Shape.Required() {
			return fmt.Errorf("%s, %s %s: %s requires it, and the import does not have it", where, kind, exportWords[i], c.by)
		}
	}
	return nil
}

// values compares the cases of an enum that goes to who exports.
func (c *comparison) values(where string, export, imported *Shape) error {
	known := make(map[int32]bool, len(export.Numbers))
	for _, n := range export.Numbers {
		known[n] = true
	}
	for i, n := range imported.Numbers {
		if !known[n] {
			return fmt.Errorf("%s, case %s: %s does not have it", where, imported.Type.Cases[i].Name, c.by)
		}
	}
	return nil
}

// responses compares fields that come from who exports.
func (c *comparison) responses(where string, export, imported *Shape) error {
	known := make(map[int32]Field, len(export.Fields))
	for _, f := range export.Fields {
		known[f.Number] = f
	}
	for i, f := range imported.Fields {
		e, ok := known[f.Number]
		switch {
		case ok:
			if err := c.shape(e.Shape, f.Shape, false); err != nil {
				return err
			}
		case imported.Kind == wit.Record && f.Label == Single && f.Shape.Required():
			return fmt.Errorf("%s, field %s: %s does not have it, and it must be there", where, shapeWords(imported)[i], c.by)
		}
	}
	return nil
}
