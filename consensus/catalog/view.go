package catalog

import (
	"iter"
	"path"
	"slices"
	"strings"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// View is the catalog at one log index. It never changes and is safe for concurrent use. The functions, nodes, tokens
// and placements that it returns are shared by all readers: they must not be changed. Contracts are decoded for each
// caller, who owns them.
type View struct {
	state   state
	changed chan struct{} // closed when a newer view is shown
}

// Index returns the log index of the last command in the view; 0 for an empty catalog.
func (v *View) Index() uint64 { return v.state.index }

// Level returns the format level that the cluster has been raised to.
func (v *View) Level() uint32 { return v.state.level }

// Hash returns the 32 bytes of the state hash. Equal states have equal hashes however they came about.
func (v *View) Hash() []byte { return v.state.hash() }

// Changed returns a channel that is closed when the catalog shows a newer view than this one.
func (v *View) Changed() <-chan struct{} { return v.changed }

// Function returns a function; nil if there is none.
func (v *View) Function(namespace, name string) *catalogv1.Function {
	f, _ := v.state.functions.Get(key(namespace, name))
	return f
}

// Functions returns the functions of a namespace, ordered by name.
func (v *View) Functions(namespace string) []*catalogv1.Function {
	var all []*catalogv1.Function
	for _, f := range prefixed(v.state.functions, namespace) {
		all = append(all, f)
	}
	return all
}

// All ranges over the functions of all namespaces, ordered by namespace and name.
func (v *View) All() iter.Seq[*catalogv1.Function] {
	return values(v.state.functions)
}

// Len returns the number of functions in all namespaces.
func (v *View) Len() int { return v.state.functions.Len() }

// Revision returns a revision of a function; nil if there is none.
func (v *View) Revision(namespace, name string, number uint32) *catalogv1.Revision {
	return revision(v.Function(namespace, name), number)
}

// Current returns the revision of a function that answers calls; nil if there is none.
func Current(f *catalogv1.Function) *catalogv1.Revision { return currentRevision(f) }

// Contract decodes and returns the contract of a proto package; nil if there is none.
func (v *View) Contract(namespace, pkg string) *weftv1.Contract {
	row, ok := v.state.contracts.Get(key(namespace, pkg))
	if !ok {
		return nil
	}
	return row.decode()
}

// ContractVersion returns the version of a contract without decoding it; 0 if there is none.
func (v *View) ContractVersion(namespace, pkg string) uint64 {
	row, ok := v.state.contracts.Get(key(namespace, pkg))
	if !ok {
		return 0
	}
	return row.version
}

// Contracts decodes and returns the contracts of a namespace, ordered by package.
func (v *View) Contracts(namespace string) []*weftv1.Contract {
	var all []*weftv1.Contract
	for _, row := range prefixed(v.state.contracts, namespace) {
		all = append(all, row.decode())
	}
	return all
}

// Related decodes and returns the contracts that changes of some packages concern, by package: theirs, those that import them, and
// all that any of these import, directly or not. The others of the namespace are not decoded.
func (v *View) Related(namespace string, packages []string) map[string]*weftv1.Contract {
	concerned := closure(packages, func(pkg string) (users []string) {
		for user := range prefixed(v.state.importers, namespace, pkg) {
			users = append(users, user)
		}
		return users
	})
	concerned = closure(concerned, func(pkg string) []string {
		row, ok := v.state.contracts.Get(key(namespace, pkg))
		if !ok {
			return nil
		}
		return slices.Collect(row.imported())
	})
	related := make(map[string]*weftv1.Contract, len(concerned))
	for _, pkg := range concerned {
		if c := v.Contract(namespace, pkg); c != nil {
			related[pkg] = c
		}
	}
	return related
}

// packageOf gives the package of a contract's file: "demo/orders/v1/orders.proto" is of demo.orders.v1.
func packageOf(file string) string { return strings.ReplaceAll(path.Dir(file), "/", ".") }

// closure gives what is reached from some by next, those included.
func closure(from []string, next func(string) []string) []string {
	seen := make(map[string]bool, len(from))
	var all []string
	for todo := slices.Clone(from); len(todo) > 0; {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !seen[at] {
			seen[at] = true
			all = append(all, at)
			todo = append(todo, next(at)...)
		}
	}
	return all
}

// Owner returns the function that answers a service when the caller names none: the one that SetRoute named, if it
// still exports the service, else the oldest that exports it; "" if none does.
func (v *View) Owner(namespace, service string) string { return v.state.owner(namespace, service) }

func (s *state) owner(namespace, service string) string {
	if name, ok := s.routes.Get(key(namespace, service)); ok {
		if f, ok := s.functions.Get(key(namespace, name)); ok && exports(f, service) {
			return name
		}
	}
	for _, name := range prefixed(s.exporters, namespace, service) {
		return name
	}
	return ""
}

// OwnerWith returns what Owner will, once a function exports the service that may not do so yet.
func (v *View) OwnerWith(namespace, service, function string) string {
	owner := v.Owner(namespace, service)
	routed, _ := v.state.routes.Get(key(namespace, service))
	switch f := v.Function(namespace, function); {
	case owner == "", routed == function:
		return function
	case routed == owner, f == nil, f.GetCreatedIndex() > v.Function(namespace, owner).GetCreatedIndex():
		return owner
	}
	return function
}

// Exporters returns the functions whose current revision exports a service, the oldest first.
func (v *View) Exporters(namespace, service string) []string {
	var all []string
	for _, name := range prefixed(v.state.exporters, namespace, service) {
		all = append(all, name)
	}
	return all
}

// Services ranges over the services that functions of a namespace export, ordered by name, each with its owner.
func (v *View) Services(namespace string) iter.Seq2[string, string] {
	return func(yield func(service, owner string) bool) {
		last := ""
		for rest := range prefixed(v.state.exporters, namespace) {
			service := rest[:len(rest)-9] // a zero byte and eight of age
			if service == last {
				continue
			}
			last = service
			if !yield(service, v.Owner(namespace, service)) {
				return
			}
		}
	}
}

// decode panics only if the row was damaged in memory: it was checked when it was put or restored.
func (c *contract) decode() *weftv1.Contract {
	_, message, err := decodeContract(c.encoded)
	if err != nil {
		panic("catalog: contract: " + err.Error())
	}
	return message
}
