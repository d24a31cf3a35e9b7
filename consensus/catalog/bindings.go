package catalog

import (
	"iter"
	"net"
	"slices"
	"strconv"
	"strings"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// What the bindings of a revision may be.
const (
	maxBindings = 256
	maxImport   = 512 // bytes of an import's name
	maxAddress  = 300 // bytes of the address of a service outside
)

// The schemes of addresses of services outside.
const (
	// SchemeTLS begins the address of a gRPC service that is called with TLS.
	SchemeTLS = "grpc://"
	// SchemePlain begins the address of one that is called without.
	SchemePlain = "grpc+insecure://"
)

// SplitAddress reads the address of a gRPC service outside, SchemeTLS or SchemePlain and HOST:PORT. Hosts are names,
// IPv4 addresses, or IPv6 addresses in brackets.
func SplitAddress(address string) (hostPort string, tls, ok bool) {
	hostPort, tls = strings.CutPrefix(address, SchemeTLS)
	if !tls {
		if hostPort, ok = strings.CutPrefix(address, SchemePlain); !ok {
			return "", false, false
		}
	}
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil || host == "" || len(address) > maxAddress {
		return "", false, false
	}
	for i := range len(host) {
		if c := host[i]; !isLetter(c) && !isDigit(c) && !strings.ContainsRune(".-_:", rune(c)) {
			return "", false, false
		}
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", false, false
	}
	return hostPort, tls, true
}

// checkBindings wants bindings in order of their imports, each once.
func checkBindings(function string, bindings []*catalogv1.Binding) *catalogv1.Result {
	if len(bindings) > maxBindings {
		return refuse(catalogv1.Refusal_REASON_INVALID, "function %q: %d bindings are more than %d", function, len(bindings), maxBindings)
	}
	for i, b := range bindings {
		if !validImport(b.GetImport()) {
			return refuse(catalogv1.Refusal_REASON_INVALID, "function %q: %q is no import of an interface", function, clip(b.GetImport()))
		}
		if i > 0 && bindings[i-1].GetImport() >= b.GetImport() {
			return refuse(catalogv1.Refusal_REASON_INVALID, "function %q: the binding of %q is out of order", function, b.GetImport())
		}
		if !validFullName(b.GetService()) {
			return invalidFullName("service", b.GetService())
		}
		switch target := b.GetTarget().(type) {
		case *catalogv1.Binding_Function:
			if !ValidName(target.Function) {
				return invalidName("function", target.Function)
			}
		case *catalogv1.Binding_Address:
			if _, _, ok := SplitAddress(target.Address); !ok {
				return refuse(catalogv1.Refusal_REASON_INVALID, "function %q: %q is no address: write %sHOST:PORT or %sHOST:PORT",
					function, clip(target.Address), SchemeTLS, SchemePlain)
			}
		default:
			return refuse(catalogv1.Refusal_REASON_INVALID, "function %q: import %q is bound to nothing", function, b.GetImport())
		}
	}
	return nil
}

// validImport reports whether a name could be that of an interface: "demo:pay/api@1.0.0".
func validImport(name string) bool {
	for i := range len(name) {
		if c := name[i]; !isLetter(c) && !isDigit(c) && !strings.ContainsRune(":/@.+-", rune(c)) {
			return false
		}
	}
	pkg, rest, ok := strings.Cut(name, ":")
	return ok && pkg != "" && strings.Contains(rest, "/") && len(name) <= maxImport
}

// bind refuses bindings of a function's new revision that name what is not there, or that make a cycle.
func (s *state) bind(namespace, function string, bindings []*catalogv1.Binding) *catalogv1.Result {
	for _, b := range bindings {
		name := b.GetFunction()
		if name == "" || name == function { // a function that calls itself is a cycle
			continue
		}
		f, ok := s.functions.Get(key(namespace, name))
		if !ok {
			return refuse(catalogv1.Refusal_REASON_NOT_FOUND, "import %s of function %q is bound to function %q, which does not exist",
				b.GetImport(), function, name)
		}
		if b.GetLink() == nil && !exports(f, b.GetService()) { // what is linked is part of the component
			return refuse(catalogv1.Refusal_REASON_NOT_EXPORTED, "import %s of function %q is bound to function %q, which does not export %q",
				b.GetImport(), function, name, b.GetService())
		}
	}
	if path := s.cycle(namespace, function, bindings); path != nil {
		const shown = 20
		if len(path) > shown {
			path = slices.Concat(path[:shown/2], []string{"…"}, path[len(path)-shown/2:])
		}
		return refuse(catalogv1.Refusal_REASON_CYCLE, "the bindings make a cycle: %s; bind one of them elsewhere", strings.Join(path, " → "))
	}
	return nil
}

// cycle gives a path of bindings from a function to itself if it had the given ones, nil if there is none. It visits each
// function once, in the order of imports.
func (s *state) cycle(namespace, function string, bindings []*catalogv1.Binding) []string {
	seen := map[string]bool{}
	var walk func(path []string, bindings []*catalogv1.Binding) []string
	walk = func(path []string, bindings []*catalogv1.Binding) []string {
		for _, b := range bindings {
			name := b.GetFunction()
			switch {
			case name == function:
				return append(path, name)
			case name == "" || seen[name]:
				continue
			}
			seen[name] = true
			f, ok := s.functions.Get(key(namespace, name))
			if !ok {
				continue
			}
			if found := walk(append(path, name), currentRevision(f).GetBindings()); found != nil {
				return found
			}
		}
		return nil
	}
	return walk([]string{function}, bindings)
}

// Cycle gives a way from a function back to itself if its current revision had some bindings, ordered by import; nil if
// there is none.
func (v *View) Cycle(namespace, function string, bindings []*catalogv1.Binding) []string {
	return v.state.cycle(namespace, function, bindings)
}

// A Call is one binding of a function's current revision to another function.
type Call struct {
	// Function is the name of the one that calls, Import what it imports, and Service what that is called in gRPC.
	Function, Import, Service string
	// Linked is set where the one that calls was composed with what it calls (Binding.link).
	Linked bool
}

// Callers ranges over the bindings to a function, in order of the names of the functions that call it and their imports.
func (v *View) Callers(namespace, function string) iter.Seq[Call] {
	return v.state.callers(namespace, function)
}

func (s *state) callers(namespace, function string) iter.Seq[Call] {
	return func(yield func(Call) bool) {
		for name := range prefixed(s.called, namespace, function) {
			f, _ := s.functions.Get(key(namespace, name))
			for _, b := range currentRevision(f).GetBindings() {
				if b.GetFunction() == function && !yield(Call{name, b.GetImport(), b.GetService(), b.GetLink() != nil}) {
					return
				}
			}
		}
	}
}

// unused refuses to take away a function that others are bound to.
func (s *state) unused(f *catalogv1.Function) *catalogv1.Result {
	var names []string
	for call := range s.callers(f.GetNamespace(), f.GetName()) {
		names = append(names, call.Function)
	}
	names = slices.Compact(names)
	if len(names) == 0 {
		return nil
	}
	const shown = 3
	list := strings.Join(names[:min(len(names), shown)], ", ")
	if len(names) > shown {
		list += " and " + strconv.Itoa(len(names)-shown) + " more"
	}
	return refuse(catalogv1.Refusal_REASON_IN_USE, "function %q is called by %s; delete or rebind what calls it first (weft update NAME --bind)", f.GetName(), list)
}
