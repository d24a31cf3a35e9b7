package compose

import (
	"fmt"

	"github.com/weft-run/weft/wit"
)

// comparison compares types of two components. Types of values are equal where their parts are, by name and in order; a name of
// their own makes no difference.
type comparison struct {
	equal map[[2]*wit.Type]bool
	steps int
	// linked is set where one side answers the other. Otherwise both import, and a resource is the same where it has the same
	// name.
	linked bool
	// sides say where the two are, for people.
	sides [2]string
}

// maxSteps bounds a comparison.
const maxSteps = 1 << 20

// unfit says why an exported interface can't answer an imported one; it is empty if it can.
func unfit(imported, exported *wit.Interface) string {
	c := &comparison{linked: true, sides: [2]string{"the import", "the export"}}
	types := make(map[string]wit.NamedType, len(exported.Types))
	for _, t := range exported.Types {
		types[t.Name] = t
	}
	functions := make(map[string]*wit.Function, len(exported.Functions))
	for _, f := range exported.Functions {
		functions[f.Name] = f
	}
	for _, t := range imported.Types {
		other, ok := types[t.Name]
		if !ok {
			return fmt.Sprintf("it has no type %s", t.Name)
		}
		if reason := c.namedTypes(t, other); reason != "" {
			return fmt.Sprintf("type %s: %s", t.Name, reason)
		}
	}
	for _, f := range imported.Functions {
		other := functions[f.Name]
		if other == nil {
			return fmt.Sprintf("it has no function %s", f.Name)
		}
		if reason := c.functions(f, other); reason != "" {
			return fmt.Sprintf("function %s: %s", f.Name, reason)
		}
	}
	return ""
}

// namedTypes says how two entries of a type namespace differ.
func (c *comparison) namedTypes(a, b wit.NamedType) string {
	if (a.Resource == nil) != (b.Resource == nil) {
		return "it is a resource on one side only"
	}
	if a.Resource != nil {
		return c.resources(a.Resource, b.Resource)
	}
	return c.types(a.Type, b.Type)
}

func (c *comparison) resources(a, b *wit.Resource) string {
	switch {
	case c.linked:
		return fmt.Sprintf("it has the resource %s; resources can't be handed from one linked component to another", a.Name)
	case a.Name != b.Name || id(a.Interface) != id(b.Interface):
		return c.differ(a.Name+" of "+id(a.Interface), b.Name+" of "+id(b.Interface))
	}
	return ""
}

func id(i *wit.Interface) string {
	if i == nil {
		return "the world"
	}
	return i.ID
}

// differ says what each side has.
func (c *comparison) differ(a, b string) string {
	return fmt.Sprintf("it is %s in %s, and %s in %s", a, c.sides[0], b, c.sides[1])
}

// only names what one side has more of.
func (c *comparison) only(side int, what, name string) string {
	return fmt.Sprintf("only %s has a %s %s", c.sides[side], what, name)
}

// functions says how two functions differ.
func (c *comparison) functions(a, b *wit.Function) string {
	if a.Async != b.Async {
		return "it is async on one side only"
	}
	if reason := c.fields(a.Params, b.Params, "parameter"); reason != "" {
		return reason
	}
	if reason := c.optional(a.Result, b.Result); reason != "" {
		return "result: " + reason
	}
	return ""
}

func (c *comparison) optional(a, b *wit.Type) string {
	switch {
	case a == nil && b == nil:
		return ""
	case a == nil || b == nil:
		return c.differ(shown(a), shown(b))
	}
	return c.types(a, b)
}

func shown(t *wit.Type) string {
	if t == nil {
		return "nothing"
	}
	if t.Name != "" {
		return fmt.Sprintf("%v %s", t.Kind, t.Name)
	}
	return t.String()
}

// types says how two types differ.
func (c *comparison) types(a, b *wit.Type) string {
	pair := [2]*wit.Type{a, b}
	if c.equal[pair] {
		return ""
	}
	if c.steps += 1 + len(a.Fields) + len(a.Cases); c.steps > maxSteps {
		return "the types are too complex to compare"
	}
	if a.Kind != b.Kind || a.Length != b.Length {
		return c.differ(shown(a), shown(b))
	}
	var reason string
	if a.Resource != nil && b.Resource != nil {
		reason = c.resources(a.Resource, b.Resource)
	}
	for _, parts := range [][2]*wit.Type{{a.Elem, b.Elem}, {a.Key, b.Key}, {a.Ok, b.Ok}, {a.Err, b.Err}} {
		if reason == "" {
			reason = c.optional(parts[0], parts[1])
		}
	}
	if reason == "" {
		reason = c.fields(a.Fields, b.Fields, "field")
	}
	if reason == "" {
		reason = c.cases(a.Cases, b.Cases)
	}
	if reason != "" {
		return reason
	}
	if c.equal == nil {
		c.equal = map[[2]*wit.Type]bool{}
	}
	c.equal[pair] = true
	return ""
}

func (c *comparison) fields(a, b []wit.Field, what string) string {
	for n := range a {
		if n >= len(b) {
			return c.only(0, what, a[n].Name)
		}
		if a[n].Name != b[n].Name {
			return fmt.Sprintf("%s %d: %s", what, n+1, c.differ(a[n].Name, b[n].Name))
		}
		if reason := c.types(a[n].Type, b[n].Type); reason != "" {
			return fmt.Sprintf("%s %s: %s", what, a[n].Name, reason)
		}
	}
	if len(b) > len(a) {
		return c.only(1, what, b[len(a)].Name)
	}
	return ""
}

func (c *comparison) cases(a, b []wit.Case) string {
	for n := range a {
		if n >= len(b) {
			return c.only(0, "case", a[n].Name)
		}
		if a[n].Name != b[n].Name {
			return fmt.Sprintf("case %d: %s", n+1, c.differ(a[n].Name, b[n].Name))
		}
		if reason := c.optional(a[n].Type, b[n].Type); reason != "" {
			return fmt.Sprintf("case %s: %s", a[n].Name, reason)
		}
	}
	if len(b) > len(a) {
		return c.only(1, "case", b[len(a)].Name)
	}
	return ""
}
