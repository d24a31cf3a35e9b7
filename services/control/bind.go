package control

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/services/near"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
)

// Outside is what the API needs of outgoing.Caller.
type Outside interface {
	// Allowed refuses an address that functions may not call.
	Allowed(address string) error
	// Compare asks the service at an address for its schema and compares it with that of an import. It returns nil for a
	// service without reflection, or that can't be reached now.
	Compare(ctx context.Context, address string, imported *contract.Service, schema *descriptorpb.FileDescriptorSet) error
}

// maxCandidates is how many functions that export an interface are looked at to find the one that an import is bound to.
const maxCandidates = 32

// bound is what the imports of a component are bound to.
type bound struct {
	bindings []*catalogv1.Binding
	imports  []*contract.Service
	// packages are those whose contracts the imports use.
	packages []string
	// changed are the contracts that imports from outside add to, by package, and changes what they add.
	changed map[string]*weftv1.Contract
	changes []*weftv1.Change
}

// changedContracts are the values of changed, ordered by package.
func (b *bound) changedContracts() []*weftv1.Contract {
	var all []*weftv1.Contract
	for _, pkg := range slices.Sorted(maps.Keys(b.changed)) {
		all = append(all, b.changed[pkg])
	}
	return all
}

// binder finds who answers the imports of one component.
type binder struct {
	server              *Server
	view                *catalog.View
	namespace, function string
	// requested are the targets that the user named, and before the bindings of the current revision.
	requested map[string]string
	before    []*catalogv1.Binding
	// contracts are those of the namespace, as after the deploy.
	contracts map[string]*weftv1.Contract
	seeds     map[string]*weftv1.Contract
	// breaking accepts what breaks callers.
	breaking bool
	bound    bound
}

// foreign gives the imports of a component that weft itself does not provide, and refuses those that nobody can.
func (s *Server) foreign(world *wit.World) ([]*wit.Interface, error) {
	var foreign []*wit.Interface
	own := *world
	own.Imports = nil
	for _, i := range world.Imports {
		resource := slices.ContainsFunc(i.Types, func(t wit.NamedType) bool { return t.Resource != nil })
		bindable := len(i.Functions) > 0 && !resource && i.Package != "" && i.Namespace != "wasi" && i.Namespace != "weft"
		if bindable && s.config.Executor.CheckImports(&wit.World{Imports: []*wit.Interface{i}}) != nil {
			foreign = append(foreign, i)
		} else {
			own.Imports = append(own.Imports, i)
		}
	}
	return foreign, s.config.Executor.CheckImports(&own)
}

// bind binds all of some imports.
func (b *binder) bind(ctx context.Context, foreign []*wit.Interface) (*bound, error) {
	if err := b.checkRequested(foreign); err != nil {
		return nil, err
	}
	b.bound.changed = map[string]*weftv1.Contract{}
	foreign = slices.SortedFunc(slices.Values(foreign), func(x, y *wit.Interface) int { return strings.Compare(x.ID, y.ID) })
	for _, i := range foreign {
		binding, imported, err := b.one(ctx, i)
		if err != nil {
			return nil, err
		}
		binding.Import, binding.Service = i.ID, imported.Name
		b.bound.bindings = append(b.bound.bindings, binding)
		b.bound.imports = append(b.bound.imports, imported)
		for _, c := range b.used(imported) {
			b.bound.packages = append(b.bound.packages, c.GetPackage())
		}
	}
	slices.Sort(b.bound.packages)
	b.bound.packages = slices.Compact(b.bound.packages)
	if path := b.view.Cycle(b.namespace, b.function, b.bound.bindings); path != nil {
		return nil, failure.Newf(codes.FailedPrecondition, Cycle, "the bindings of %s would make a cycle: %s; bind one of them elsewhere",
			b.function, strings.Join(path, " → "))
	}
	return &b.bound, nil
}

// checkRequested refuses targets for imports that the component does not have.
func (b *binder) checkRequested(foreign []*wit.Interface) error {
	for _, name := range slices.Sorted(maps.Keys(b.requested)) {
		if slices.ContainsFunc(foreign, func(i *wit.Interface) bool { return i.ID == name || unversioned(i.ID) == name }) {
			continue
		}
		if len(foreign) == 0 {
			return invalid("binding of %q: the component imports nothing that could be bound", name)
		}
		var names []string
		for _, i := range foreign {
			names = append(names, i.ID)
		}
		return invalid("binding of %q: the component has no such import; it imports %s", name, strings.Join(names, ", "))
	}
	return nil
}

// one binds one import.
func (b *binder) one(ctx context.Context, i *wit.Interface) (*catalogv1.Binding, *contract.Service, error) {
	target := b.target(i)
	switch {
	case strings.Contains(target, "://"):
		imported, err := b.toAddress(ctx, i, target)
		return &catalogv1.Binding{Target: &catalogv1.Binding_Address{Address: target}}, imported, err
	case target == "":
		var err error
		if target, err = b.choose(ctx, i); err != nil {
			return nil, nil, err
		}
	case !catalog.ValidName(target):
		return nil, nil, invalid("import %s: %q is neither the name of a function nor an address; write NAME, %sHOST:PORT or %sHOST:PORT",
			i.ID, target, catalog.SchemeTLS, catalog.SchemePlain)
	}
	imported, err := b.toFunction(ctx, i, target)
	return &catalogv1.Binding{Target: &catalogv1.Binding_Function{Function: target}}, imported, err
}

// target is what the user wants an import to be bound to, or else what it is bound to now; empty if there is neither.
func (b *binder) target(i *wit.Interface) string {
	if target, ok := b.requested[i.ID]; ok {
		return target
	}
	if target, ok := b.requested[unversioned(i.ID)]; ok {
		return target
	}
	var target string
	for _, old := range b.before {
		if old.GetImport() == i.ID || target == "" && unversioned(old.GetImport()) == unversioned(i.ID) {
			target = old.GetFunction() + old.GetAddress() // one of them is empty
		}
	}
	return target
}

// choose finds the one function that can answer an import.
func (b *binder) choose(ctx context.Context, i *wit.Interface) (string, error) {
	service, err := b.serviceName(i)
	if err != nil {
		return "", err
	}
	var fit, names []string
	var misfit error
	for _, name := range b.view.Exporters(b.namespace, service) {
		if name == b.function || len(names) == maxCandidates {
			continue
		}
		names = append(names, name)
		if _, err := b.toFunction(ctx, i, name); err == nil {
			fit = append(fit, name)
		} else if misfit == nil {
			misfit = err
		}
	}
	switch {
	case len(fit) == 1:
		return fit[0], nil
	case len(fit) > 1:
		return "", failure.Newf(codes.FailedPrecondition, Unbound, "import %s: %d functions export it, %s; say which is to answer: --bind %s=%s",
			i.ID, len(fit), strings.Join(fit, ", "), unversioned(i.ID), fit[0])
	case misfit != nil:
		return "", misfit
	}
	return "", failure.Newf(codes.FailedPrecondition, Unbound, "import %s: no function of namespace %s exports it%s; deploy one that does, "+
		"or say who is to answer: --bind %s=FUNCTION or --bind %s=%sHOST:PORT", i.ID, b.namespace, b.nearest(service), unversioned(i.ID),
		unversioned(i.ID), catalog.SchemeTLS)
}

// nearest names services that are called nearly like one, with their owners.
func (b *binder) nearest(service string) string {
	owners := map[string]string{}
	names := near.Names(service, func(yield func(string) bool) {
		for name, owner := range b.view.Services(b.namespace) {
			if owners[name] = owner; owner != b.function && !yield(name) {
				return
			}
		}
	})
	for n, name := range names {
		names[n] = fmt.Sprintf("%s (function %s)", name, owners[name])
	}
	return near.Hint(names)
}

// serviceName is the name that the service of an interface has, or would have.
func (b *binder) serviceName(i *wit.Interface) (string, error) {
	built, err := b.build(i, true)
	if err != nil {
		return "", err
	}
	return built.Services[0].Name, nil
}

// build adds an imported interface to the contracts as if it were exported.
func (b *binder) build(i *wit.Interface, allowBreaking bool) (*contract.Built, error) {
	return contract.Build(contract.Input{
		Function: b.function, World: &wit.World{Exports: []*wit.Interface{i}}, Stored: b.contracts, Seeds: b.seeds, AllowBreaking: allowBreaking,
	})
}

// toFunction binds an import to a function if that can answer it.
func (b *binder) toFunction(ctx context.Context, i *wit.Interface, name string) (*contract.Service, error) {
	row := b.view.Function(b.namespace, name)
	switch {
	case row == nil:
		return nil, notFound(b.view, b.namespace, name)
	case name == b.function:
		return nil, failure.Newf(codes.FailedPrecondition, Cycle, "import %s: %s can't be bound to itself; bind it to another function", i.ID, name)
	}
	provider, err := b.server.config.Components.Revision(ctx, keyOf(row, catalog.Current(row)))
	if err != nil {
		return nil, fmt.Errorf("import %s: read function %s: %w", i.ID, name, err)
	}
	export, err := exported(i, name, provider.Services)
	if err != nil {
		return nil, err
	}
	imported, err := contract.BindImport(i, b.contracts)
	if err == nil {
		err = contract.Serves(export, imported)
	}
	if err != nil {
		return nil, mismatch(err, "function "+name)
	}
	return imported, nil
}

// mismatch says whose types are other ones.
func mismatch(err error, who string) error {
	if refused, ok := errors.AsType[*contract.RefusedError](err); ok {
		return failure.Newf(codes.FailedPrecondition, Mismatch, "%s can't answer %s", who, refused)
	}
	return err
}

// exported finds the service of a function that has an imported interface in a compatible version.
func exported(i *wit.Interface, function string, services []*contract.Service) (*contract.Service, error) {
	var others, all []string
	for _, s := range services {
		all = append(all, s.Interface)
		if unversioned(s.Interface) != unversioned(i.ID) {
			continue
		}
		if contract.Compatible(version(s.Interface), i.Version) {
			return s, nil
		}
		others = append(others, s.Interface)
	}
	if len(others) > 0 {
		return nil, failure.Newf(codes.FailedPrecondition, Mismatch, "import %s: function %s exports %s, which is not compatible by semantic versioning; "+
			"deploy a function with a version from %s on", i.ID, function, strings.Join(others, " and "), i.Version)
	}
	return nil, failure.Newf(codes.FailedPrecondition, NotExported, "import %s: function %s does not export it, only %s", i.ID, function,
		strings.Join(all, ", "))
}

// toAddress binds an import to a service outside.
func (b *binder) toAddress(ctx context.Context, i *wit.Interface, address string) (*contract.Service, error) {
	if _, _, ok := catalog.SplitAddress(address); !ok {
		return nil, invalid("import %s: %q is no address; write %sHOST:PORT, or %sHOST:PORT for a service without TLS", i.ID, address,
			catalog.SchemeTLS, catalog.SchemePlain)
	}
	if b.server.config.Outside == nil {
		return nil, failure.Newf(codes.PermissionDenied, NotAllowed, "import %s: this node calls no services outside", i.ID)
	}
	if err := b.server.config.Outside.Allowed(address); err != nil {
		return nil, failure.Newf(codes.PermissionDenied, NotAllowed, "import %s: %v", i.ID, err)
	}
	imported, err := contract.BindImport(i, b.contracts)
	if err != nil { // nobody has used it, or not all of it
		if imported, err = b.extend(i); err != nil {
			return nil, err
		}
	}
	schema, err := contract.Files(b.used(imported))
	if err != nil {
		return nil, err
	}
	if err := b.server.config.Outside.Compare(ctx, address, imported, schema); err != nil {
		return nil, failure.Newf(codes.FailedPrecondition, Mismatch, "import %s: %s: %v", i.ID, address, err)
	}
	return imported, nil
}

// extend adds an interface that is answered outside to the contracts, so that its names and numbers stay.
func (b *binder) extend(i *wit.Interface) (*contract.Service, error) {
	built, err := b.build(i, b.breaking)
	if err != nil {
		return nil, err
	}
	for _, c := range built.Changed {
		c.Version = b.view.ContractVersion(b.namespace, c.GetPackage()) + 1
		b.contracts[c.GetPackage()], b.bound.changed[c.GetPackage()] = c, c
	}
	b.bound.changes = append(b.bound.changes, built.Changes...)
	return contract.BindImport(i, b.contracts)
}

// used are the contract that an import is bound to and those whose types it uses, ordered by package.
func (b *binder) used(imported *contract.Service) []*weftv1.Contract {
	home := map[string]string{} // package of each file
	for pkg, c := range b.contracts {
		for _, f := range c.GetFiles() {
			home[f.GetName()] = pkg
		}
	}
	seen := map[string]bool{}
	todo := []string{imported.Name[:strings.LastIndexByte(imported.Name, '.')]}
	for len(todo) > 0 {
		pkg := todo[0]
		todo = todo[1:]
		if seen[pkg] || b.contracts[pkg] == nil {
			continue
		}
		seen[pkg] = true
		for _, f := range b.contracts[pkg].GetFiles() {
			for _, dependency := range f.GetDependency() {
				todo = append(todo, home[dependency])
			}
		}
	}
	var used []*weftv1.Contract
	for _, pkg := range slices.Sorted(maps.Keys(seen)) {
		used = append(used, b.contracts[pkg])
	}
	return used
}

func unversioned(id string) string {
	name, _, _ := strings.Cut(id, "@")
	return name
}

func version(id string) string {
	_, version, _ := strings.Cut(id, "@")
	return version
}
