package executor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
)

// CheckImports tells whether this executor can run a component some of whose imports are bound (Revision.Imports): its
// error names the first import that nobody provides, or the first export that weft can not serve, with its path, and says
// what to do. Its errors have Reason Unsupported.
func (x *Executor) CheckImports(world *wit.World, bound ...*contract.Service) error {
	for _, i := range world.Imports {
		if isBound(i, bound) {
			continue
		}
		reason, known := x.hosts.refused(i)
		if !known {
			reason = x.importRefused(i)
		}
		if reason != "" {
			return unsupported("import %s: %s", i.ID, reason)
		}
	}
	for _, f := range world.ImportFunctions {
		return unsupported("import %s: weft provides no functions to the world itself; move it to an interface that weft "+
			"provides, or remove it", f.Name)
	}
	for _, other := range world.ImportOthers {
		return unsupported("import %s: weft provides interfaces only, no modules, components or values; compose the "+
			"component with what it needs", other)
	}
	walk := exportWalk{seen: make(map[*wit.Type]bool)}
	for _, i := range world.Exports {
		if i.Namespace == "wasi" {
			continue // not served
		}
		for _, f := range i.Functions {
			if err := walk.function(i.ID+"#"+f.Name, f); err != nil {
				return err
			}
		}
	}
	for _, f := range world.ExportFunctions {
		if err := walk.function(f.Name, f); err != nil {
			return err
		}
	}
	return nil
}

func unsupported(format string, args ...any) error {
	return &Error{Reason: Unsupported, Message: fmt.Sprintf(format, args...)}
}

// isBound tells whether an import is answered by others than the host.
func isBound(i *wit.Interface, bound []*contract.Service) bool {
	return slices.ContainsFunc(bound, func(s *contract.Service) bool { return s.Interface == i.ID })
}

// importRefused says why nobody provides an interface. It is empty if somebody does.
func (x *Executor) importRefused(i *wit.Interface) string {
	if i.Namespace == "wasi" {
		return x.wasiRefused(i)
	}
	var resource string
	for _, t := range i.Types {
		if t.Resource != nil {
			resource = t.Name
			break
		}
	}
	switch {
	case len(i.Functions) > 0:
		return "nobody provides it; " + x.hosts.provided() + ". Bind it to a function that exports it (--bind), or compose the component with one"
	case resource != "":
		return fmt.Sprintf("nobody provides its resource %s; compose the component with one that exports the interface, "+
			"or remove the import", resource)
	default:
		return "" // an interface of types needs no provider
	}
}

func (x *Executor) wasiRefused(i *wit.Interface) string {
	names := x.hosts.wasi(i.Package)
	switch {
	case i.Package == "http":
		return "weft gives functions no outgoing HTTP by wasi:http, and serves gRPC instead of HTTP handlers; " + x.hosts.provided() +
			". Build without it (componentize-js: disableFeatures ['http', 'fetch-event'])"
	case len(names) == 0:
		return "weft does not provide this part of WASI; " + x.hosts.provided() + ". Build without it"
	case i.Version != "0.2" && !strings.HasPrefix(i.Version, "0.2.") || strings.Contains(i.Version, "-"):
		return "weft provides WASI 0.2; build with an SDK for that version"
	case len(i.Functions) == 0 && len(i.Types) == 0:
		return ""
	default:
		return fmt.Sprintf("weft provides of wasi:%s only %s; build without it", i.Package, strings.Join(names, ", "))
	}
}

// exportWalk looks for types that weft can't serve.
type exportWalk struct{ seen map[*wit.Type]bool }

func (w exportWalk) function(path string, f *wit.Function) error {
	if bracket, ok := strings.CutPrefix(f.Name, "["); ok {
		kind, name, _ := strings.Cut(bracket, "]")
		resource, _, _ := strings.Cut(name, ".")
		return unsupported("export %s: a %s of the resource %s; weft can not serve resources yet: use plain functions and "+
			"records", path, kind, resource)
	}
	if f.Async {
		return unsupported("export %s: async functions are not supported; declare it without async", path)
	}
	for _, p := range f.Params {
		if err := w.typ(path+"("+p.Name+")", p.Type); err != nil {
			return err
		}
	}
	return w.typ(path+" -> result", f.Result)
}

func (w exportWalk) typ(path string, t *wit.Type) error {
	if t == nil || w.seen[t] {
		return nil
	}
	w.seen[t] = true
	switch t.Kind {
	case wit.Own, wit.Borrow:
		name := ""
		if t.Resource != nil {
			name = " " + t.Resource.Name
		}
		return unsupported("export %s: the resource%s; weft can not serve resources yet: use records and ids", path, name)
	case wit.Stream, wit.Future, wit.ErrorContext:
		return unsupported("export %s: %v is not supported; use a list or an option", path, t.Kind)
	case wit.Map, wit.FixedList:
		return unsupported("export %s: %v is not supported; use a list of tuples, or a list", path, t.Kind)
	}
	for _, e := range []*wit.Type{t.Elem, t.Key} {
		if err := w.typ(path+"[]", e); err != nil {
			return err
		}
	}
	if err := w.typ(path+".ok", t.Ok); err != nil {
		return err
	}
	if err := w.typ(path+".err", t.Err); err != nil {
		return err
	}
	for i, f := range t.Fields {
		name := f.Name
		if name == "" {
			name = fmt.Sprintf("f%d", i)
		}
		if err := w.typ(path+"."+name, f.Type); err != nil {
			return err
		}
	}
	for _, c := range t.Cases {
		if err := w.typ(path+"."+c.Name, c.Type); err != nil {
			return err
		}
	}
	return nil
}
