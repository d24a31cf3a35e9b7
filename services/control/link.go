package control

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/component"
	"github.com/weft-run/weft/wit/compose"
	"github.com/weft-run/weft/wit/contract"
)

// linker puts a function together with those that its imports are bound to, and those that theirs are bound to.
//
// What answers a call must not depend on whether it is linked. So each provider keeps the environment of its revision, and one is refused
// that calls services outside, whose memory limit is larger than its caller's, or that imports what the host answers by who
// asks.
type linker struct {
	server              *Server
	view                *catalog.View
	namespace, function string
	// memory is the memory limit of the function, which holds for each linear memory of a composition.
	memory uint64

	// members are the providers, by function; order holds them behind those that answer them.
	members map[string]*member
	order   []*member
	links   int
	// size is how many bytes the parts have so far.
	size uint64
}

// member is a component that becomes a part.
type member struct {
	part  compose.Part
	links []memberLink
	// link is what a binding to it is made of.
	link *catalogv1.Link
}

type memberLink struct {
	imported, exported string
	provider           *member
}

// linked is what a function is linked into.
type linked struct {
	composition *compose.Composition
	// bindings are those of the function, with their links.
	bindings []*catalogv1.Binding
	// notes say what could not be linked and did not have to be.
	notes []string
}

// link links a function's component, of which world is read.
func (l *linker) link(ctx context.Context, component []byte, world *wit.World, bindings []*catalogv1.Binding) (*linked, error) {
	l.members, l.size = map[string]*member{}, uint64(len(component))
	own := &member{part: compose.Part{Name: l.function, Component: component, World: world}}
	out := &linked{}
	for _, b := range bindings {
		b = proto.CloneOf(b)
		b.Link = nil
		out.bindings = append(out.bindings, b)
		if b.GetFunction() == "" {
			out.notes = append(out.notes, fmt.Sprintf("import %s stays a call to %s: services outside can't be linked", b.GetImport(), b.GetAddress()))
			continue
		}
		if err := l.provide(ctx, l.function, own, b); err != nil {
			return nil, err
		}
	}
	if len(own.links) == 0 {
		return nil, failure.New(codes.FailedPrecondition, Link, "nothing to link: no import of the component is answered by a function; deploy it without --link")
	}
	l.order = append(l.order, own)
	slices.Reverse(l.order)
	parts := make([]compose.Part, len(l.order))
	for n, m := range l.order {
		for _, link := range m.links {
			m.part.Links = append(m.part.Links, compose.Link{Import: link.imported, Part: slices.Index(l.order, link.provider), Export: link.exported})
		}
		parts[n] = m.part
	}
	var err error
	if out.composition, err = compose.New(parts); err != nil {
		return nil, failure.Newf(codes.FailedPrecondition, Link, "%s; deploy without --link, and calls go by the router", strings.TrimPrefix(err.Error(), "compose: "))
	}
	return out, nil
}

// provide links one import of a member.
func (l *linker) provide(ctx context.Context, caller string, m *member, b *catalogv1.Binding) error {
	if l.links++; l.links > catalog.MaxLinks {
		return failure.Newf(codes.FailedPrecondition, Link, "more than %d imports to link, with those of the providers; link some of them by themselves first", catalog.MaxLinks)
	}
	provider, services, err := l.member(ctx, caller, b)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(m.part.World.Imports, func(i *wit.Interface) bool { return i.ID == b.GetImport() })
	if at < 0 {
		return fmt.Errorf("%s has no import %s, which the catalog binds", caller, b.GetImport())
	}
	export, err := exported(m.part.World.Imports[at], b.GetFunction(), services)
	if err != nil {
		return err
	}
	m.links = append(m.links, memberLink{imported: b.GetImport(), exported: export.Interface, provider: provider})
	b.Link = provider.link
	l.links += count(provider.link.GetBindings())
	return nil
}

// count counts links with theirs.
func count(bindings []*catalogv1.Binding) int {
	n := len(bindings)
	for _, b := range bindings {
		n += count(b.GetLink().GetBindings())
	}
	return n
}

// member gives the current revision of the function that a binding names, with what it exports.
func (l *linker) member(ctx context.Context, caller string, b *catalogv1.Binding) (*member, []*contract.Service, error) {
	name := b.GetFunction()
	function := l.view.Function(l.namespace, name)
	row := catalog.Current(function)
	if row == nil {
		return nil, nil, notFound(l.view, l.namespace, name)
	}
	r, err := l.server.config.Components.Revision(ctx, keyOf(function, row))
	if err != nil {
		return nil, nil, fmt.Errorf("import %s of %s: read function %s: %w", b.GetImport(), caller, name, err)
	}
	if m := l.members[name]; m != nil {
		return m, r.Services, nil
	}
	refuse := func(format string, args ...any) error {
		return failure.Newf(codes.FailedPrecondition, Link, "import %s of function %s: function %s can't be linked: %s; deploy without --link, and calls go by the router",
			b.GetImport(), caller, name, fmt.Sprintf(format, args...))
	}
	if row.GetMemoryBytes() > l.memory {
		return nil, nil, refuse("it may use %d bytes of memory, %s only %d (--memory)", row.GetMemoryBytes(), l.function, l.memory)
	}
	for _, i := range r.World.Imports {
		if bound := slices.ContainsFunc(row.GetBindings(), func(b *catalogv1.Binding) bool { return b.GetImport() == i.ID }); !bound && personal(i) {
			return nil, nil, refuse("it imports %s, whose answers depend on who asks, and that would be %s", i.ID, l.function)
		}
	}
	if l.size += row.GetSizeBytes(); l.size > MaxComponent || len(l.members) == compose.MaxParts {
		return nil, nil, refuse("with it the component would have over %d bytes, or over %d parts", MaxComponent, compose.MaxParts)
	}
	data, err := os.ReadFile(r.Path)
	if err != nil {
		return nil, nil, err
	}
	m := &member{
		part: compose.Part{
			Name: fmt.Sprintf("%s@%d", name, row.GetNumber()), Component: data, World: r.World,
			Environment: environmentOf(row), HasEnvironment: true,
		},
		link: &catalogv1.Link{Revision: row.GetNumber(), Digest: row.GetDigest()},
	}
	l.members[name] = m
	for _, inner := range row.GetBindings() {
		inner = proto.CloneOf(inner)
		switch {
		case inner.GetAddress() != "":
			return nil, nil, refuse("its import %s is answered by %s, which can't be linked", inner.GetImport(), inner.GetAddress())
		case inner.GetLink() == nil:
			if err := l.provide(ctx, name, m, inner); err != nil {
				return nil, nil, err
			}
		}
		m.link.Bindings = append(m.link.Bindings, inner)
	}
	l.order = append(l.order, m)
	return m, r.Services, nil
}

// environmentOf is the environment of a revision, ordered.
func environmentOf(row *catalogv1.Revision) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(row.GetEnvironment())) {
		all = append(all, name+"="+row.GetEnvironment()[name])
	}
	return all
}

// impersonal are the packages whose interfaces answer every function alike, or in the function's own log.
var impersonal = []string{
	"wasi:cli", "wasi:io", "wasi:clocks", "wasi:random", "wasi:filesystem", "wasi:sockets", "wasi:logging", "weft:http",
}

// personal tells whether the host's answers depend on which function asks.
func personal(i *wit.Interface) bool {
	resource := slices.ContainsFunc(i.Types, func(t wit.NamedType) bool { return t.Resource != nil })
	return (len(i.Functions) > 0 || resource) && !slices.Contains(impersonal, i.Namespace+":"+i.Package)
}

// linkPlan links what a plan deploys.
func (s *Server) linkPlan(ctx context.Context, c *candidate, spec *weftv1.DeploySpec, p *plan) error {
	data, err := os.ReadFile(c.path)
	if err != nil {
		return err
	}
	l := &linker{
		server: s, view: p.view, namespace: spec.GetNamespace(), function: spec.GetName(),
		memory: cmp.Or(spec.GetLimits().GetMemoryBytes(), executor.DefaultMemory),
	}
	out, err := l.link(ctx, data, c.world, p.bindings)
	if err != nil {
		return err
	}
	if p.artifact, err = s.keep(ctx, out.composition.Reader()); err != nil {
		return err
	}
	c.held = append(c.held, p.artifact.digest)
	p.bindings, p.notes, p.imports = out.bindings, out.notes, routed(out.bindings, p.imports)
	return nil
}

// routed are those imports of a function that are not linked.
func routed(bindings []*catalogv1.Binding, imports []*contract.Service) []*contract.Service {
	linked := map[string]bool{}
	for _, b := range bindings {
		linked[b.GetImport()] = b.GetLink() != nil
	}
	return slices.DeleteFunc(slices.Clone(imports), func(s *contract.Service) bool { return linked[s.Interface] })
}

// uploaded gives the component that was deployed, of a revision that may be linked, and its world.
func uploaded(row *catalogv1.Revision, path string, world *wit.World) ([]byte, *wit.World, error) {
	data, err := os.ReadFile(path)
	if err != nil || !catalog.Linked(row) {
		return data, world, err
	}
	parts, err := compose.Read(data)
	if err != nil {
		return nil, nil, err
	}
	own := data[parts[0].Offset:][:parts[0].Size]
	world, err = component.Decode(own)
	return own, world, err
}
