package executor

import (
	"fmt"

	"github.com/weft-run/weft/wit"
)

// differentFunctions compares a function that a component imports with the one that is there. The path leads to the first
// difference, "" if there is none: "(key)" or " -> result.err.other". want and have are what is there.
func differentFunctions(imported, mine *wit.Function) (path, want, have string) {
	if len(imported.Params) != len(mine.Params) {
		return "()", fmt.Sprintf("a function of %d parameters", len(imported.Params)), fmt.Sprintf("%d", len(mine.Params))
	}
	for i, p := range imported.Params {
		q := mine.Params[i]
		if p.Name != q.Name {
			return fmt.Sprintf("(parameter %d)", i+1), "named " + p.Name, q.Name
		}
		if path, want, have := differentTypes("", p.Type, q.Type); want != "" {
			return "(" + p.Name + path + ")", want, have
		}
	}
	if path, want, have := differentTypes("", imported.Result, mine.Result); want != "" {
		return " -> result" + path, want, have
	}
	return "", "", ""
}

// differentTypes compares two types. want is empty if they are the same.
func differentTypes(path string, imported, mine *wit.Type) (at, want, have string) {
	switch {
	case imported == nil && mine == nil:
		return "", "", ""
	case imported == nil || mine == nil || imported.Kind != mine.Kind:
		return path, kindText(imported), kindText(mine)
	case imported.Resource != nil && mine.Resource != nil && !sameResource(imported.Resource, mine.Resource):
		return path, "the resource " + resourceName(imported.Resource), "the resource " + resourceName(mine.Resource)
	case imported.Length != mine.Length:
		return path, fmt.Sprintf("%d long", imported.Length), fmt.Sprint(mine.Length)
	case len(imported.Fields) != len(mine.Fields):
		return path, fmt.Sprintf("of %d fields", len(imported.Fields)), fmt.Sprint(len(mine.Fields))
	case len(imported.Cases) != len(mine.Cases):
		return path, fmt.Sprintf("of %d cases", len(imported.Cases)), fmt.Sprint(len(mine.Cases))
	}
	for i, f := range imported.Fields {
		g := mine.Fields[i]
		if f.Name != g.Name {
			return fmt.Sprintf("%s.%d", path, i), "the field " + f.Name, "the field " + g.Name
		}
		name := f.Name
		if name == "" {
			name = fmt.Sprint(i)
		}
		if at, want, have = differentTypes(path+"."+name, f.Type, g.Type); want != "" {
			return at, want, have
		}
	}
	for i, c := range imported.Cases {
		d := mine.Cases[i]
		if c.Name != d.Name {
			return fmt.Sprintf("%s.%d", path, i), "the case " + c.Name, "the case " + d.Name
		}
		if at, want, have = differentTypes(path+"."+c.Name, c.Type, d.Type); want != "" {
			return at, want, have
		}
	}
	for _, side := range []struct {
		path string
		a, b *wit.Type
	}{{"[]", imported.Elem, mine.Elem}, {"[key]", imported.Key, mine.Key}, {".ok", imported.Ok, mine.Ok}, {".err", imported.Err, mine.Err}} {
		if at, want, have = differentTypes(path+side.path, side.a, side.b); want != "" {
			return at, want, have
		}
	}
	return "", "", ""
}

// sameResource compares by name: versions may differ, as an interface may be provided in several.
func sameResource(a, b *wit.Resource) bool {
	if a.Name != b.Name || (a.Interface == nil) != (b.Interface == nil) {
		return false
	}
	i, j := a.Interface, b.Interface
	return i == nil || i.Namespace == j.Namespace && i.Package == j.Package && i.Name == j.Name
}

func kindText(t *wit.Type) string {
	if t == nil {
		return "nothing"
	}
	return t.Kind.String()
}
