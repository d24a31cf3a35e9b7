package catalog

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

// model is the catalog written the naive way: maps, loops over everything, no views and no hash.
type model struct {
	index     uint64
	level     uint32
	functions map[string]*modelFunction // by name; the model has one namespace
	numbers   map[string]uint32         // last number ever given, by function
	contracts map[string]*weftv1.Contract
	routes    map[string]string
	results   map[string]*catalogv1.Result
	cluster   modelCluster
	secrets   map[[2]string]*catalogv1.Secret // by function and key
}

type modelFunction struct {
	created   uint64
	revisions []*catalogv1.Revision
}

func newModel() *model {
	return &model{
		level: 1, functions: map[string]*modelFunction{}, numbers: map[string]uint32{}, contracts: map[string]*weftv1.Contract{},
		routes: map[string]string{}, results: map[string]*catalogv1.Result{}, cluster: newModelCluster(),
		secrets: map[[2]string]*catalogv1.Secret{},
	}
}

func (f *modelFunction) current() *catalogv1.Revision { return f.revisions[len(f.revisions)-1] }

func (m *model) apply(index uint64, cmd *catalogv1.Command) *catalogv1.Result {
	m.index = index
	if first, ok := m.results[cmd.RequestId]; ok {
		return first
	}
	result := m.do(cmd)
	if result.Refusal == nil {
		result.Index = index
		m.results[cmd.RequestId] = result
	}
	return result
}

func (m *model) do(cmd *catalogv1.Command) *catalogv1.Result {
	if cmd.Level > m.level {
		return no(catalogv1.Refusal_REASON_LEVEL)
	}
	switch a := cmd.Action.(type) {
	case *catalogv1.Command_PutRevision:
		p := a.PutRevision
		f := m.functions[p.Name]
		if p.BaseRevision != 0 && f == nil {
			return no(catalogv1.Refusal_REASON_NOT_FOUND)
		}
		if p.BaseRevision != 0 && f.current().Number != p.BaseRevision {
			return no(catalogv1.Refusal_REASON_CONFLICT)
		}
		for pkg, version := range p.BaseVersions {
			if m.contracts[pkg].GetVersion() != version {
				return no(catalogv1.Refusal_REASON_CONFLICT)
			}
		}
		for _, c := range p.Contracts {
			if _, compared := p.BaseVersions[c.Package]; !compared && m.contracts[c.Package] != nil {
				return no(catalogv1.Refusal_REASON_CONFLICT)
			}
		}
		for _, pkg := range p.Revision.Packages {
			put := slices.ContainsFunc(p.Contracts, func(c *weftv1.Contract) bool { return c.Package == pkg })
			if !put && m.contracts[pkg] == nil {
				return no(catalogv1.Refusal_REASON_NOT_FOUND)
			}
		}
		if refusal := m.bind(p.Name, p.Revision.Bindings); refusal != nil {
			return refusal
		}
		for _, c := range p.Contracts {
			m.contracts[c.Package] = c
		}
		if f == nil {
			f = &modelFunction{created: m.index}
			m.functions[p.Name] = f
		}
		m.numbers[p.Name]++
		f.revisions = append(f.revisions, &catalogv1.Revision{Number: m.numbers[p.Name], Services: p.Revision.Services, Packages: p.Revision.Packages, Bindings: p.Revision.Bindings})
		if cmd.Level >= 2 {
			m.trim(p.Name)
		}
		return &catalogv1.Result{Revision: m.numbers[p.Name]}
	case *catalogv1.Command_DeleteFunction:
		name := a.DeleteFunction.Name
		f := m.functions[name]
		if f == nil {
			return no(catalogv1.Refusal_REASON_NOT_FOUND)
		}
		for _, other := range m.functions {
			if slices.Contains(calledBy(other.current()), name) {
				return no(catalogv1.Refusal_REASON_IN_USE)
			}
		}
		delete(m.functions, name)
		maps.DeleteFunc(m.cluster.placements, func(k Key, _ []string) bool { return k.Function == name })
		maps.DeleteFunc(m.routes, func(_, function string) bool { return function == name })
		before := len(m.secrets)
		if cmd.Level >= 4 {
			maps.DeleteFunc(m.secrets, func(k [2]string, _ *catalogv1.Secret) bool { return k[0] == name })
		}
		return &catalogv1.Result{DeletedRevisions: uint32(len(f.revisions)), DeletedSecrets: uint32(before - len(m.secrets))}
	case *catalogv1.Command_SetRoute:
		service, name := a.SetRoute.Service, a.SetRoute.Function
		if m.functions[name] == nil {
			return no(catalogv1.Refusal_REASON_NOT_FOUND)
		}
		if !slices.Contains(m.functions[name].current().Services, service) {
			return no(catalogv1.Refusal_REASON_NOT_EXPORTED)
		}
		previous := m.owner(service)
		m.routes[service] = name
		return &catalogv1.Result{PreviousOwner: previous}
	case *catalogv1.Command_ForgetContract:
		pkg := a.ForgetContract.Package
		if m.contracts[pkg] == nil {
			return no(catalogv1.Refusal_REASON_NOT_FOUND)
		}
		for _, f := range m.functions {
			for _, r := range f.revisions {
				if slices.Contains(r.Packages, pkg) {
					return no(catalogv1.Refusal_REASON_IN_USE)
				}
			}
		}
		for other, c := range m.contracts {
			if other != pkg && slices.Contains(c.Files[0].Dependency, fileOf(pkg)) {
				return no(catalogv1.Refusal_REASON_IN_USE)
			}
		}
		delete(m.contracts, pkg)
		return &catalogv1.Result{}
	case *catalogv1.Command_RaiseLevel:
		if l := a.RaiseLevel.Level; l != m.level && l != m.level+1 {
			return no(catalogv1.Refusal_REASON_INVALID)
		}
		m.level = a.RaiseLevel.Level
		return &catalogv1.Result{}
	}
	if result := m.doSecret(cmd); result != nil {
		return result
	}
	return m.doCluster(cmd)
}

// bind follows all ways from a function, as often as there are functions.
func (m *model) bind(name string, bindings []*catalogv1.Binding) *catalogv1.Result {
	reached := map[string]bool{}
	for _, b := range bindings {
		f := m.functions[b.GetFunction()]
		if b.GetFunction() != "" && b.GetFunction() != name {
			if f == nil {
				return no(catalogv1.Refusal_REASON_NOT_FOUND)
			}
			if !slices.Contains(f.current().Services, b.Service) {
				return no(catalogv1.Refusal_REASON_NOT_EXPORTED)
			}
		}
		reached[b.GetFunction()] = true
	}
	for range m.functions {
		for other, f := range m.functions {
			for _, called := range calledBy(f.current()) {
				reached[called] = reached[called] || reached[other] && other != name
			}
		}
	}
	if reached[name] {
		return no(catalogv1.Refusal_REASON_CYCLE)
	}
	return nil
}

func calledBy(r *catalogv1.Revision) (names []string) {
	for _, b := range r.Bindings {
		names = append(names, b.GetFunction())
	}
	return names
}

func no(reason catalogv1.Refusal_Reason) *catalogv1.Result {
	return &catalogv1.Result{Refusal: &catalogv1.Refusal{Reason: reason}}
}

func (m *model) exporters(service string) []string {
	var names []string
	for name, f := range m.functions {
		if slices.Contains(f.current().Services, service) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return int(m.functions[a].created) - int(m.functions[b].created) })
	return names
}

func (m *model) owner(service string) string {
	names := m.exporters(service)
	if name := m.routes[service]; slices.Contains(names, name) {
		return name
	}
	if len(names) > 0 {
		return names[0]
	}
	return ""
}

var (
	someFunctions = []string{"a", "ab", "b", "c-1"}
	someServices  = []string{"x.S", "x.S2", "x.T", "y.S"}
	somePackages  = []string{"x", "x.y", "y"}
)

// drawCommand draws a command that often makes sense in the model's state, and often just misses it.
func drawCommand(t *rapid.T, m *model) *catalogv1.Command {
	name := rapid.SampledFrom(someFunctions).Draw(t, "function")
	var cmd *catalogv1.Command
	if m.level >= 2 && rapid.Bool().Draw(t, "cluster") {
		cmd = drawClusterCommand(t, m, name)
		cmd.RequestId = fmt.Sprint("id-", rapid.IntRange(0, 60).Draw(t, "id"))
		return cmd
	}
	if m.level >= 4 && rapid.IntRange(0, 3).Draw(t, "secret") == 0 {
		cmd = drawSecret(t, name)
		cmd.RequestId = fmt.Sprint("id-", rapid.IntRange(0, 60).Draw(t, "id"))
		return cmd
	}
	switch kind := rapid.IntRange(0, 11).Draw(t, "kind"); {
	case kind < 6:
		cmd = drawPut(t, m, name)
	case kind < 8:
		cmd = del(name)
		cmd.Level = rapid.Uint32Range(1, m.level).Draw(t, "level")
	case kind < 10:
		cmd = route(rapid.SampledFrom(someServices).Draw(t, "service"), name)
	case kind < 11 || rapid.IntRange(0, 3).Draw(t, "raise") > 0:
		cmd = forget(rapid.SampledFrom(somePackages).Draw(t, "package"))
	case m.level == Level:
		cmd = raise(m.level)
	default:
		cmd = raise(m.level + rapid.Uint32Range(0, 2).Draw(t, "up"))
	}
	cmd.RequestId = fmt.Sprint("id-", rapid.IntRange(0, 60).Draw(t, "id"))
	return cmd
}

func drawPut(t *rapid.T, m *model, name string) *catalogv1.Command {
	subset := func(of []string, label string) []string {
		return slices.Collect(func(yield func(string) bool) {
			for _, s := range of {
				if rapid.Bool().Draw(t, label) && !yield(s) {
					return
				}
			}
		})
	}
	packages := subset(somePackages, "uses")
	base, contracts := map[string]uint64{}, []*weftv1.Contract{}
	for _, pkg := range packages {
		version := m.contracts[pkg].GetVersion()
		if version > 0 && rapid.IntRange(0, 9).Draw(t, "stale") == 0 {
			version--
		}
		if version > 0 || rapid.Bool().Draw(t, "listed") {
			base[pkg] = version
		}
		if version == 0 || rapid.Bool().Draw(t, "changes") {
			var imports []string
			for _, other := range subset(somePackages, "imports") {
				if other != pkg {
					imports = append(imports, fileOf(other))
				}
			}
			contracts = append(contracts, schema(pkg, version+1, imports...))
		}
	}
	cmd := put(deploy{name: name, services: subset(someServices, "exports"), base: base, contracts: contracts})
	cmd.GetPutRevision().GetRevision().Packages = packages
	cmd.Level = rapid.Uint32Range(1, m.level).Draw(t, "level")
	if cmd.Level >= 3 && rapid.Bool().Draw(t, "bound") {
		for _, imported := range []string{"x:y/a", "x:y/b"} {
			switch rapid.IntRange(0, 3).Draw(t, "target") {
			case 0:
			case 1:
				cmd.GetPutRevision().Revision.Bindings = append(cmd.GetPutRevision().Revision.Bindings, toAddress(imported, "grpc://h:1", "s.S"))
			default:
				cmd.GetPutRevision().Revision.Bindings = append(cmd.GetPutRevision().Revision.Bindings, toFunction(imported,
					rapid.SampledFrom(someFunctions).Draw(t, "called"), rapid.SampledFrom(someServices).Draw(t, "by")))
			}
		}
	}
	if f := m.functions[name]; f != nil && rapid.IntRange(0, 4).Draw(t, "update") == 0 {
		cmd.GetPutRevision().BaseRevision = f.current().Number - rapid.Uint32Range(0, min(1, f.current().Number-1)).Draw(t, "behind")
	}
	return cmd
}

func compare(t *rapid.T, m *model, c *Catalog) {
	v := c.View()
	if v.Index() != m.index || v.Level() != m.level || v.Len() != len(m.functions) {
		t.Fatalf("index %d level %d functions %d, model %d %d %d", v.Index(), v.Level(), v.Len(), m.index, m.level, len(m.functions))
	}
	for _, f := range v.Functions(ns) {
		want := m.functions[f.Name]
		if want == nil || f.CreatedIndex != want.created || f.Current != want.current().Number || len(f.Revisions) != len(want.revisions) {
			t.Fatalf("function %v, model %v", f, want)
		}
		for i, r := range f.Revisions {
			if !slices.EqualFunc(r.Bindings, want.revisions[i].Bindings, func(a, b *catalogv1.Binding) bool { return proto.Equal(a, b) }) {
				t.Fatalf("bindings of %v, model %v", r, want.revisions[i])
			}
			if r.Number != want.revisions[i].Number || !slices.Equal(r.Services, want.revisions[i].Services) {
				t.Fatalf("revision %v, model %v", r, want.revisions[i])
			}
		}
	}
	for _, service := range someServices {
		if got, want := v.Owner(ns, service), m.owner(service); got != want {
			t.Fatalf("owner of %s is %q, model %q", service, got, want)
		}
		if got, want := v.Exporters(ns, service), m.exporters(service); !slices.Equal(got, want) {
			t.Fatalf("exporters of %s are %q, model %q", service, got, want)
		}
	}
	for _, pkg := range somePackages {
		if got, want := v.ContractVersion(ns, pkg), m.contracts[pkg].GetVersion(); got != want {
			t.Fatalf("contract %s at version %d, model %d", pkg, got, want)
		}
	}
	compareCluster(t, m, v)
	compareSecrets(t, m, v)
	if got := len(v.Contracts(ns)); got != len(m.contracts) {
		t.Fatalf("%d contracts, model %d", got, len(m.contracts))
	}
}

// TestModel runs random logs through the catalog and the model, and through a second catalog that goes through a
// snapshot now and then: results, what readers see and hashes agree after every entry.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, c, other := newModel(), New(), New()
		index := uint64(0)
		if rapid.Bool().Draw(t, "raised") {
			before := []*catalogv1.Command{raise(2)}
			for level := uint32(3); level <= Level && rapid.IntRange(0, 3).Draw(t, "further") > 0; level++ {
				before = append(before, raise(level))
			}
			if rapid.IntRange(0, 9).Draw(t, "full") == 0 { // a function with as many revisions as it may keep
				before = append(before, slices.Repeat([]*catalogv1.Command{put(deploy{name: "a"})}, keptRevisions)...)
			}
			for _, cmd := range before {
				index++
				cmd.RequestId = fmt.Sprint("before-", index)
				m.apply(index, cmd)
				c.Apply(index, cmd)
				other.Apply(index, cmd)
			}
		}
		views := []*View{c.View()}
		for range rapid.IntRange(1, 60).Draw(t, "length") {
			index += rapid.Uint64Range(1, 3).Draw(t, "gap")
			cmd := drawCommand(t, m)
			want, got := m.apply(index, cmd), c.Apply(index, cmd)
			if got.GetRefusal().GetReason() != want.GetRefusal().GetReason() || got.Index != want.Index || got.Revision != want.Revision ||
				got.PreviousOwner != want.PreviousOwner || got.DeletedRevisions != want.DeletedRevisions ||
				got.SecretVersion != want.SecretVersion || got.DeletedSecrets != want.DeletedSecrets {
				t.Fatalf("%v gives %v, model %v", cmd, got, want)
			}
			compare(t, m, c)
			checkCallers(t, m, c.View())
			views = append(views, c.View())
			checkChanged(t, rapid.SampledFrom(views).Draw(t, "older"), c.View())
			if rapid.IntRange(0, 7).Draw(t, "snapshot") == 0 {
				other = reload(t, other)
			}
			other.Apply(index, cmd)
			checkCallers(t, m, other.View())
			if !bytes.Equal(c.View().Hash(), other.View().Hash()) {
				t.Fatalf("after index %d the hash depends on the way through a snapshot", index)
			}
		}
		if a, b := snapshotOf(t, c), snapshotOf(t, other); !bytes.Equal(a, b) {
			t.Fatal("equal states have different snapshots")
		}
	})
}

// reload writes a snapshot and restores it into a new catalog.
func reload(t rapid.TB, c *Catalog) *Catalog {
	fresh := New()
	if err := fresh.Restore(bytes.NewReader(snapshotOf(t, c))); err != nil {
		t.Fatal(err)
	}
	return fresh
}

func snapshotOf(t rapid.TB, c *Catalog) []byte {
	var b bytes.Buffer
	if err := c.Snapshot(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
