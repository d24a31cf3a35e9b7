package catalog

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

const ns = "default"

// log applies commands at growing indexes under growing request IDs.
type log struct {
	t     *testing.T
	c     *Catalog
	index uint64
}

func newLog(t *testing.T) *log {
	t.Helper()
	return &log{t: t, c: New()}
}

func (l *log) apply(cmd *catalogv1.Command) *catalogv1.Result {
	l.t.Helper()
	l.index++
	if cmd.RequestId == "" {
		cmd.RequestId = fmt.Sprintf("request-%d", l.index)
	}
	before := proto.CloneOf(cmd)
	result := l.c.Apply(l.index, cmd)
	if !proto.Equal(before, cmd) {
		l.t.Fatalf("Apply changed the command %v", before)
	}
	if got := l.c.View().Index(); got != l.index {
		l.t.Fatalf("view at index %d after applying %d", got, l.index)
	}
	checkSum(l.t, l.c)
	return result
}

func (l *log) must(cmd *catalogv1.Command) *catalogv1.Result {
	l.t.Helper()
	result := l.apply(cmd)
	if result.GetRefusal() != nil {
		l.t.Fatalf("refused: %v", result.GetRefusal())
	}
	return result
}

func (l *log) refused(reason catalogv1.Refusal_Reason, mention string, cmd *catalogv1.Command) {
	l.t.Helper()
	hash := l.c.View().Hash()
	result := l.apply(cmd)
	if got := result.GetRefusal(); got.GetReason() != reason || !strings.Contains(got.GetMessage(), mention) {
		l.t.Fatalf("result %v, want %v that mentions %q", result, reason, mention)
	}
	if !bytes.Equal(hash, l.c.View().Hash()) {
		l.t.Fatal("a refused command changed the state")
	}
}

// checkSum compares the hash that Apply kept with one that is counted anew from the rows.
func checkSum(t testing.TB, c *Catalog) {
	t.Helper()
	m := c.Image()
	fresh := state{level: m.state.level}
	for row := range m.rows() {
		fresh.add(row)
	}
	if fresh.sum != m.state.sum || fresh.rows != m.state.rows {
		t.Fatalf("index %d: the rows add up to %x in %d rows, the state says %x in %d", m.state.index, fresh.sum, fresh.rows, m.state.sum, m.state.rows)
	}
}

type deploy struct {
	name      string
	services  []string
	contracts []*weftv1.Contract
	packages  []string // besides those of contracts
	base      map[string]uint64
	current   uint32
}

func put(d deploy) *catalogv1.Command {
	packages := d.packages
	for _, c := range d.contracts {
		packages = append(packages, c.GetPackage())
	}
	return &catalogv1.Command{TimeUnixNanos: 77, Action: &catalogv1.Command_PutRevision{PutRevision: &catalogv1.PutRevision{
		Namespace: ns, Name: d.name, Contracts: d.contracts, BaseVersions: d.base, BaseRevision: d.current,
		Revision: &catalogv1.Revision{Digest: make([]byte, 32), Services: d.services, Packages: packages},
	}}}
}

func del(name string) *catalogv1.Command {
	return &catalogv1.Command{Action: &catalogv1.Command_DeleteFunction{DeleteFunction: &catalogv1.DeleteFunction{Namespace: ns, Name: name}}}
}

func route(service, function string) *catalogv1.Command {
	return &catalogv1.Command{Action: &catalogv1.Command_SetRoute{SetRoute: &catalogv1.SetRoute{Namespace: ns, Service: service, Function: function}}}
}

func forget(pkg string) *catalogv1.Command {
	return &catalogv1.Command{Action: &catalogv1.Command_ForgetContract{ForgetContract: &catalogv1.ForgetContract{Namespace: ns, Package: pkg}}}
}

func raise(level uint32) *catalogv1.Command {
	return &catalogv1.Command{Action: &catalogv1.Command_RaiseLevel{RaiseLevel: &catalogv1.RaiseLevel{Level: level}}}
}

func schema(pkg string, version uint64, imports ...string) *weftv1.Contract {
	return &weftv1.Contract{Package: pkg, Version: version, Files: []*descriptorpb.FileDescriptorProto{
		{Name: new(fileOf(pkg)), Package: new(pkg), Dependency: imports},
	}}
}

func fileOf(pkg string) string { return strings.ReplaceAll(pkg, ".", "/") + "/file.proto" }

func TestRevisionsAreNumberedOnce(t *testing.T) {
	l := newLog(t)
	for want := uint32(1); want <= 3; want++ {
		if got := l.must(put(deploy{name: "orders"})).GetRevision(); got != want {
			t.Fatalf("revision %d, want %d", got, want)
		}
	}
	if got := l.must(del("orders")).GetDeletedRevisions(); got != 3 {
		t.Fatalf("%d revisions deleted, want 3", got)
	}
	if l.c.View().Function(ns, "orders") != nil {
		t.Fatal("the function is still there")
	}
	if got := l.must(put(deploy{name: "orders"})).GetRevision(); got != 4 {
		t.Fatalf("revision %d after deletion, want 4", got)
	}
	l.must(del("orders"))
	if got := l.must(put(deploy{name: "orders"})).GetRevision(); got != 5 {
		t.Fatalf("revision %d after a second deletion, want 5", got)
	}
	f := l.c.View().Function(ns, "orders")
	if f.GetCreatedIndex() != l.index || f.GetCurrent() != 5 || f.GetRevisions()[0].GetCreatedUnixNanos() != 77 {
		t.Fatalf("function %v", f)
	}
	if r := l.c.View().Revision(ns, "orders", 5); r != f.GetRevisions()[0] || l.c.View().Revision(ns, "orders", 4) != nil {
		t.Fatal("Revision finds the wrong one")
	}
}

func TestRequestIDTakesEffectOnce(t *testing.T) {
	l := newLog(t)
	cmd := put(deploy{name: "orders"})
	first := l.must(cmd)
	hash := l.c.View().Hash()
	again := l.must(cmd)
	if !proto.Equal(first, again) || again.GetIndex() != 1 {
		t.Fatalf("repeated: %v, first: %v", again, first)
	}
	if !bytes.Equal(hash, l.c.View().Hash()) {
		t.Fatal("the repeated command changed the state")
	}
	// Another command under the same ID is a repeated one too: the ID decides.
	other := del("orders")
	other.RequestId = cmd.RequestId
	if got := l.must(other); !proto.Equal(first, got) {
		t.Fatalf("result %v", got)
	}
}

func TestRefusedRequestMayBeTriedAgain(t *testing.T) {
	l := newLog(t)
	l.must(put(deploy{name: "orders", contracts: []*weftv1.Contract{schema("demo.v1", 1)}}))
	cmd := put(deploy{name: "stock", contracts: []*weftv1.Contract{schema("demo.v1", 1)}})
	l.refused(catalogv1.Refusal_REASON_CONFLICT, "demo.v1", cmd)
	rebuilt := put(deploy{name: "stock", contracts: []*weftv1.Contract{schema("demo.v1", 2)}, base: map[string]uint64{"demo.v1": 1}})
	rebuilt.RequestId = cmd.RequestId
	if got := l.must(rebuilt).GetRevision(); got != 1 {
		t.Fatalf("revision %d", got)
	}
}

func TestWindowForgetsTheOldest(t *testing.T) {
	c := New()
	for i := uint64(1); i <= Remembered+1; i++ {
		cmd := raise(1)
		cmd.RequestId = fmt.Sprint("id-", i)
		c.Apply(i, cmd)
	}
	checkSum(t, c)
	for i, tt := range []struct {
		id   string
		want uint64
	}{{"id-3", 3}, {"id-1", Remembered + 3}, {"id-3", 3}, {"id-2", Remembered + 5}} {
		cmd := raise(1)
		cmd.RequestId = tt.id
		if got := c.Apply(c.Index()+1, cmd); got.GetIndex() != tt.want {
			t.Errorf("%d: %s applied at index %d, want %d", i, tt.id, got.GetIndex(), tt.want)
		}
	}
	checkSum(t, c)
}

func TestContractsAreCompared(t *testing.T) {
	l := newLog(t)
	l.must(put(deploy{name: "orders", contracts: []*weftv1.Contract{schema("demo.v1", 1)}}))
	l.must(put(deploy{name: "orders", contracts: []*weftv1.Contract{schema("demo.v1", 2)}, base: map[string]uint64{"demo.v1": 1}}))
	if got := l.c.View().ContractVersion(ns, "demo.v1"); got != 2 {
		t.Fatalf("version %d", got)
	}
	if got := l.c.View().Contract(ns, "demo.v1"); !proto.Equal(got, schema("demo.v1", 2)) {
		t.Fatalf("contract %v", got)
	}
	for _, tt := range []struct {
		name    string
		reason  catalogv1.Refusal_Reason
		mention string
		deploy  deploy
	}{
		{"built from an older one", catalogv1.Refusal_REASON_CONFLICT, "at version 2, not 1", deploy{contracts: []*weftv1.Contract{schema("demo.v1", 2)}, base: map[string]uint64{"demo.v1": 1}}},
		{"built from none", catalogv1.Refusal_REASON_CONFLICT, "at version 2, not 0", deploy{contracts: []*weftv1.Contract{schema("demo.v1", 1)}}},
		{"only read, and older", catalogv1.Refusal_REASON_CONFLICT, "demo.v1", deploy{packages: []string{"demo.v1"}, base: map[string]uint64{"demo.v1": 1}}},
		{"read, and forgotten since", catalogv1.Refusal_REASON_CONFLICT, "gone.v1", deploy{base: map[string]uint64{"gone.v1": 3}}},
		{"version that skips one", catalogv1.Refusal_REASON_INVALID, "version 4", deploy{contracts: []*weftv1.Contract{schema("demo.v1", 4)}, base: map[string]uint64{"demo.v1": 2}}},
		{"twice", catalogv1.Refusal_REASON_INVALID, "twice", deploy{contracts: []*weftv1.Contract{schema("a.v1", 1), schema("a.v1", 1)}}},
		{"used but not there", catalogv1.Refusal_REASON_NOT_FOUND, "other.v1", deploy{packages: []string{"other.v1"}}},
	} {
		t.Run(tt.name, func(*testing.T) {
			tt.deploy.name = "stock"
			cmd := put(tt.deploy)
			if tt.name == "twice" {
				cmd.GetPutRevision().GetRevision().Packages = []string{"a.v1"}
			}
			l.refused(tt.reason, tt.mention, cmd)
		})
	}
}

func TestUpdateBuildsOnTheCurrentRevision(t *testing.T) {
	l := newLog(t)
	l.refused(catalogv1.Refusal_REASON_NOT_FOUND, "orders", put(deploy{name: "orders", current: 1}))
	l.must(put(deploy{name: "orders"}))
	l.must(put(deploy{name: "orders", current: 1}))
	l.refused(catalogv1.Refusal_REASON_CONFLICT, "revision 2, not 1", put(deploy{name: "orders", current: 1}))
}

func TestOwner(t *testing.T) {
	const service = "demo.v1.Orders"
	l := newLog(t)
	owner := func(want string) {
		t.Helper()
		if got := l.c.View().Owner(ns, service); got != want {
			t.Fatalf("owner %q, want %q", got, want)
		}
	}
	with := func(function, want string) {
		t.Helper()
		if got := l.c.View().OwnerWith(ns, service, function); got != want {
			t.Fatalf("owner with %s: %q, want %q", function, got, want)
		}
	}
	owner("")
	with("zebra", "zebra")
	l.must(put(deploy{name: "older"}))
	l.must(put(deploy{name: "zebra", services: []string{service}}))
	l.must(put(deploy{name: "ant", services: []string{service}}))
	l.must(put(deploy{name: "other", services: []string{"demo.v1.Other"}}))
	owner("zebra") // the oldest, not the first by name
	with("ant", "zebra")
	with("zebra", "zebra")
	with("other", "zebra")
	with("new", "zebra")
	with("older", "older")
	if got := fmt.Sprint(l.c.View().Exporters(ns, service)); got != "[zebra ant]" {
		t.Fatalf("exporters %s", got)
	}
	if got := l.must(route(service, "ant")).GetPreviousOwner(); got != "zebra" {
		t.Fatalf("previous owner %q", got)
	}
	owner("ant")
	with("older", "ant")
	l.must(put(deploy{name: "ant"})) // stops to export it
	owner("zebra")
	with("ant", "ant")
	with("older", "older")
	l.must(put(deploy{name: "ant", services: []string{service}})) // and takes it up again: the route still stands
	owner("ant")
	l.must(del("ant"))
	owner("zebra")
	l.must(put(deploy{name: "ant", services: []string{service}})) // another function of the name: the route is gone
	owner("zebra")
	l.refused(catalogv1.Refusal_REASON_NOT_EXPORTED, service, route(service, "other"))
	l.refused(catalogv1.Refusal_REASON_NOT_FOUND, "nobody", route(service, "nobody"))

	var services []string
	for service, owner := range l.c.View().Services(ns) {
		services = append(services, service+"="+owner)
	}
	if got := fmt.Sprint(services); got != "[demo.v1.Orders=zebra demo.v1.Other=other]" {
		t.Fatalf("services %s", got)
	}
	if l.c.View().Owner("elsewhere", service) != "" {
		t.Fatal("a namespace sees the services of another")
	}
}

// TestRelated expects the contracts that import a package, or are imported, and no others.
func TestRelated(t *testing.T) {
	l := newLog(t)
	for _, c := range []*weftv1.Contract{
		schema("base.v1", 1), schema("types.v1", 1, fileOf("base.v1")), schema("use.v1", 1, fileOf("types.v1"), "google/protobuf/empty.proto"),
		schema("further.v1", 1, fileOf("use.v1"), fileOf("aside.v1")), schema("aside.v1", 1), schema("stranger.v1", 1, "google/protobuf/empty.proto"),
	} {
		l.must(put(deploy{name: strings.TrimSuffix(c.GetPackage(), ".v1"), contracts: []*weftv1.Contract{c}}))
	}
	for pkg, want := range map[string]string{
		"types.v1":    "[aside.v1 base.v1 further.v1 types.v1 use.v1]",
		"further.v1":  "[aside.v1 base.v1 further.v1 types.v1 use.v1]",
		"aside.v1":    "[aside.v1 base.v1 further.v1 types.v1 use.v1]",
		"stranger.v1": "[stranger.v1]",
		"new.v1":      "[]",
	} {
		related := l.c.View().Related(ns, []string{pkg})
		if got := fmt.Sprint(slices.Sorted(maps.Keys(related))); got != want {
			t.Errorf("%s: %s, want %s", pkg, got, want)
		}
	}
	if got := l.c.View().Related("elsewhere", []string{"types.v1"}); len(got) != 0 {
		t.Errorf("a namespace sees the contracts of another: %v", got)
	}
}

func TestForgetContract(t *testing.T) {
	l := newLog(t)
	l.must(put(deploy{name: "orders", contracts: []*weftv1.Contract{schema("types.v1", 1), schema("use.v1", 1, fileOf("types.v1"))}[:1]}))
	l.must(put(deploy{name: "stock", contracts: []*weftv1.Contract{schema("use.v1", 1, fileOf("types.v1"), "google/protobuf/empty.proto")}}))
	l.refused(catalogv1.Refusal_REASON_IN_USE, `revision 1 of function "orders"`, forget("types.v1"))
	l.must(del("orders"))
	l.refused(catalogv1.Refusal_REASON_IN_USE, `imports "types/v1/file.proto"`, forget("types.v1"))
	l.must(put(deploy{name: "stock"})) // an older revision still uses it
	l.refused(catalogv1.Refusal_REASON_IN_USE, `revision 1 of function "stock"`, forget("use.v1"))
	l.must(del("stock"))
	if l.c.View().Contract(ns, "use.v1") == nil {
		t.Fatal("deleting a function dropped its contract")
	}
	l.must(forget("use.v1"))
	l.must(forget("types.v1"))
	if got := l.c.View().Contracts(ns); len(got) != 0 {
		t.Fatalf("contracts %v", got)
	}
	l.refused(catalogv1.Refusal_REASON_NOT_FOUND, "types.v1", forget("types.v1"))
}

func TestInvalidCommands(t *testing.T) {
	ok := func() *catalogv1.PutRevision { return put(deploy{name: "orders"}).GetPutRevision() }
	with := func(change func(*catalogv1.PutRevision)) *catalogv1.Command {
		p := ok()
		change(p)
		return &catalogv1.Command{Action: &catalogv1.Command_PutRevision{PutRevision: p}}
	}
	for name, cmd := range map[string]*catalogv1.Command{
		"no action":         {},
		"empty action":      {Action: &catalogv1.Command_PutRevision{}},
		"no ID":             nil,
		"long ID":           {RequestId: strings.Repeat("x", 129), Action: del("a").GetAction()},
		"ID not UTF-8":      {RequestId: "\xff", Action: del("a").GetAction()},
		"name":              with(func(p *catalogv1.PutRevision) { p.Name = "Orders" }),
		"long name":         with(func(p *catalogv1.PutRevision) { p.Name = strings.Repeat("a", 64) }),
		"namespace":         with(func(p *catalogv1.PutRevision) { p.Namespace = "" }),
		"digest":            with(func(p *catalogv1.PutRevision) { p.Revision.Digest = nil }),
		"no revision":       with(func(p *catalogv1.PutRevision) { p.Revision = nil }),
		"timeout":           with(func(p *catalogv1.PutRevision) { p.Revision.TimeoutNanos = -1 }),
		"service":           with(func(p *catalogv1.PutRevision) { p.Revision.Services = []string{"a..b"} }),
		"order of services": with(func(p *catalogv1.PutRevision) { p.Revision.Services = []string{"b", "a"} }),
		"service twice":     with(func(p *catalogv1.PutRevision) { p.Revision.Services = []string{"a", "a"} }),
		"package":           with(func(p *catalogv1.PutRevision) { p.Revision.Packages = []string{"a\x00b"} }),
		"environment name":  with(func(p *catalogv1.PutRevision) { p.Revision.Environment = map[string]string{"A=B": ""} }),
		"environment size": with(func(p *catalogv1.PutRevision) {
			p.Revision.Environment = map[string]string{"A": strings.Repeat("x", maxEnvironment)}
		}),
		"contract": with(func(p *catalogv1.PutRevision) { p.Contracts = []*weftv1.Contract{nil} }),
		"contract not UTF-8": with(func(p *catalogv1.PutRevision) {
			p.Contracts = []*weftv1.Contract{{Package: "a", Version: 1, Claims: []*weftv1.Claim{{Item: "\xff"}}}}
		}),
		"contract size": with(func(p *catalogv1.PutRevision) {
			p.Contracts = []*weftv1.Contract{{Package: "a", Version: 1, Claims: []*weftv1.Claim{{Item: strings.Repeat("x", maxContract)}}}}
		}),
		"delete":     del("-"),
		"route":      route("a b", "orders"),
		"forget":     forget(""),
		"level by 2": raise(3),
		"level 0":    raise(0),
	} {
		t.Run(name, func(t *testing.T) {
			l := newLog(t)
			if cmd == nil {
				if got := l.c.Apply(1, del("a")); got.GetRefusal().GetReason() != catalogv1.Refusal_REASON_INVALID {
					t.Fatalf("result %v", got)
				}
				return
			}
			l.refused(catalogv1.Refusal_REASON_INVALID, "", cmd)
		})
	}
}

func TestIndexMustGrow(t *testing.T) {
	l := newLog(t)
	l.must(put(deploy{name: "a"}))
	cmd := put(deploy{name: "b"})
	cmd.RequestId = "b"
	if got := l.c.Apply(1, cmd); got.GetRefusal().GetReason() != catalogv1.Refusal_REASON_INVALID || l.c.View().Function(ns, "b") != nil {
		t.Fatalf("result %v", got)
	}
}

func TestLevels(t *testing.T) {
	l := newLog(t)
	ahead := put(deploy{name: "orders"})
	ahead.Level = 2
	l.refused(catalogv1.Refusal_REASON_LEVEL, "level 2", ahead)
	l.must(raise(1))
	for level := uint32(2); level <= Level+1; level++ {
		l.must(raise(level))
	}
	l.must(put(deploy{name: "orders"})) // of level 1, which stays good
	index, hash := l.c.Index(), l.c.View().Hash()

	// A command that this build can't know: it must not be skipped, and nothing after it may be applied.
	for _, level := range []uint32{Level + 1, 1} {
		cmd := put(deploy{name: "later"})
		cmd.RequestId, cmd.Level = "later", level
		if got := l.c.Apply(l.index+1, cmd); got.GetRefusal().GetReason() != catalogv1.Refusal_REASON_LEVEL {
			t.Fatalf("result %v", got)
		}
		if l.c.Err() == nil || l.c.Index() != index || !bytes.Equal(l.c.View().Hash(), hash) {
			t.Fatal("the catalog went on after a command that it does not know")
		}
	}
}

func TestChanged(t *testing.T) {
	l := newLog(t)
	closed := func(ch <-chan struct{}) bool {
		select {
		case <-ch:
			return true
		default:
			return false
		}
	}
	old := l.c.View()
	ch := l.c.Changed()
	if closed(ch) {
		t.Fatal("changed before anything was applied")
	}
	l.must(put(deploy{name: "orders"}))
	if !closed(ch) || !closed(old.Changed()) || closed(l.c.Changed()) {
		t.Fatal("the channel of the older view must be closed, that of the newest open")
	}
	if old.Function(ns, "orders") != nil || old.Index() != 0 || old.Len() != 0 {
		t.Fatal("an older view changed")
	}
}
