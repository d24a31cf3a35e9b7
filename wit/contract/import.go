package contract

import (
	"errors"
	"fmt"
	"strings"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/wit"
)

// BindImport finds the numbers of an interface that a component imports in the contract of those who export it, as Bind
// does for exports. The service has the import's own ID, and of the contract's methods and fields those that the
// component knows: the contract may have more. What the component has and the contract lacks, or has with another type, is
// a *RefusedError that names both sides: "import demo:pay/api@2.3.0: type order, field note: the contract of demo.pay.v2
// has no field of type string for it".
//
// A contract is the union of all who export the interface, so Serves tells whether one of them will do.
func BindImport(i *wit.Interface, contracts map[string]*weftv1.Contract) (*Service, error) {
	s, err := bindImport(i, contracts)
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		return nil, importRefused(i, refused)
	}
	return s, err
}

func bindImport(i *wit.Interface, contracts map[string]*weftv1.Contract) (*Service, error) {
	at := interfacePlace(i)
	switch {
	case i.Package == "":
		return nil, at.refuse("it belongs to no package, so no other component can export it; declare the interface in a package")
	case len(i.Functions) == 0:
		return nil, at.refuse("it has no functions")
	}
	s := newSurveyor("")
	u, err := s.unit(i)
	if err != nil {
		return nil, err
	}
	// Types are mapped where functions use them: what the others are makes no difference to a call.
	if err := s.functions(u, i, i.Functions); err != nil {
		return nil, err
	}
	p := s.plan()
	b := newBook(p, nil)
	for _, u := range p.units {
		if c := contracts[u.pkg]; c != nil && b.ledgers[u.pkg] == nil {
			b.ledgers[u.pkg] = newLedger(c)
		}
	}
	if err := b.assign(); err != nil {
		return nil, err
	}
	for _, m := range u.methods {
		if err := b.sameError(u, m); err != nil {
			return nil, err
		}
	}
	services, err := newBinder(b).services()
	if err != nil {
		return nil, err
	}
	return services[0], nil // no other unit has methods
}

// sameError refuses a function that fails with another type than the contract's.
func (b *book) sameError(u *unit, m *method) error {
	form, want := "", b.ledgers[u.pkg].claims[m.item].GetForm()
	if m.err != nil {
		form = b.form(m.err)
	}
	if form == want {
		return nil
	}
	name := func(form string) string {
		if form == "" {
			return "no error"
		}
		return "an error of type " + form
	}
	return memberPlace(u.iface, m.function.Name+"()").refuse("it returns %s, and %s in the contract of %s", name(form),
		name(want), u.pkg)
}

// importRefused says where in an import something is, in words.
func importRefused(i *wit.Interface, err *RefusedError) error {
	out := &RefusedError{Path: "import " + i.ID, Msg: err.Msg}
	iface, member, ok := strings.Cut(err.Path, "#")
	if !ok {
		if iface != i.ID {
			out.Msg = fmt.Sprintf("interface %s: %s", err.Path, err.Msg)
		}
		return out
	}
	if name, rest, ok := strings.Cut(member, "()"); ok {
		out.Msg = "function " + name + partText(rest, "parameter") + ": " + err.Msg
		return out
	}
	name, rest, _ := strings.Cut(member, ".")
	kind := "field"
	for _, t := range i.Types {
		if t.Type == nil || t.Type.Name != name {
			continue
		}
		switch t.Type.Kind {
		case wit.Variant, wit.Enum:
			kind = "case"
		case wit.Flags:
			kind = "flag"
		}
	}
	if rest != "" {
		rest = partText("."+rest, kind)
	}
	if iface != i.ID {
		name = iface + "#" + name
	}
	out.Msg = "type " + name + rest + ": " + err.Msg
	return out
}

// partText names a part by what follows its owner in a path: ".amount[]", " error".
func partText(rest, kind string) string {
	if name, ok := strings.CutPrefix(rest, "."); ok {
		return ", " + kind + " " + name
	}
	if rest != "" {
		return "," + rest
	}
	return ""
}
