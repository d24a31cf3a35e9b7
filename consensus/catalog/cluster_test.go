package catalog

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"google.golang.org/protobuf/proto"
)

// Commands of level 2.

func level2(cmd *catalogv1.Command) *catalogv1.Command {
	cmd.Level = 2
	return cmd
}

// nodeID makes an ID out of a number.
func nodeID(n int) string { return fmt.Sprintf("%020x", n) }

func member(n int, change ...func(*catalogv1.Node)) *catalogv1.Command {
	node := &catalogv1.Node{Id: nodeID(n), Name: fmt.Sprint("node-", n), Scheduler: true, Executor: true}
	for _, f := range change {
		f(node)
	}
	return level2(&catalogv1.Command{Action: &catalogv1.Command_PutNode{PutNode: &catalogv1.PutNode{Node: node}}})
}

func removal(n int) *catalogv1.Command {
	return level2(&catalogv1.Command{Action: &catalogv1.Command_RemoveNode{RemoveNode: &catalogv1.RemoveNode{Node: nodeID(n)}}})
}

func drain(n int, draining bool) *catalogv1.Command {
	return level2(&catalogv1.Command{Action: &catalogv1.Command_SetDrain{SetDrain: &catalogv1.SetDrain{Node: nodeID(n), Draining: draining}}})
}

// secret is the hash of a token's secret.
func secret(text string) [32]byte {
	var hash [32]byte
	copy(hash[:], text)
	return hash
}

func token(id, secretText string, expires, now int64) *catalogv1.Command {
	hash := secret(secretText)
	return level2(&catalogv1.Command{TimeUnixNanos: now, Action: &catalogv1.Command_PutToken{PutToken: &catalogv1.PutToken{
		Token: &catalogv1.Token{Id: id, SecretHash: hash[:], ExpiresUnixNanos: expires},
	}}})
}

func revoke(id string) *catalogv1.Command {
	return level2(&catalogv1.Command{Action: &catalogv1.Command_RevokeToken{RevokeToken: &catalogv1.RevokeToken{Id: id}}})
}

func on(name string, revision uint32, nodes ...int) *catalogv1.Placement {
	p := &catalogv1.Placement{Namespace: ns, Name: name, Revision: revision}
	for _, n := range nodes {
		p.Nodes = append(p.Nodes, nodeID(n))
	}
	return p
}

func place(ps ...*catalogv1.Placement) *catalogv1.Command {
	return level2(&catalogv1.Command{Action: &catalogv1.Command_SetPlacements{SetPlacements: &catalogv1.SetPlacements{Placements: ps}}})
}

// newCluster returns a log at level 2 with some nodes, the first of which are numbered from 1.
func newCluster(t *testing.T, nodes int) *log {
	t.Helper()
	l := newLog(t)
	l.must(raise(2))
	for n := 1; n <= nodes; n++ {
		l.must(member(n))
	}
	return l
}

// placements gives all placements of the view as text: function@revision=nodes.
func (l *log) placements() string {
	var all []string
	for p := range l.c.View().AllPlacements() {
		var nodes []string
		for _, id := range p.GetNodes() {
			nodes = append(nodes, strings.TrimLeft(id, "0"))
		}
		all = append(all, fmt.Sprintf("%s@%d=%s", p.GetName(), p.GetRevision(), strings.Join(nodes, ",")))
	}
	return strings.Join(all, " ")
}

// placed gives what a node has, as text, and compares it with the placements.
func (l *log) placed(n int) string {
	l.t.Helper()
	var all []string
	for k := range l.c.View().Placed(nodeID(n)) {
		all = append(all, fmt.Sprintf("%s@%d", k.Function, k.Revision))
		if k.Namespace != ns || !slices.Contains(l.c.View().Placement(k.Namespace, k.Function, k.Revision), nodeID(n)) {
			l.t.Fatalf("node %d has %v, whose placement does not say so", n, k)
		}
	}
	return strings.Join(all, " ")
}

func (l *log) wantPlacements(want string) {
	l.t.Helper()
	if got := l.placements(); got != want {
		l.t.Fatalf("placements %q, want %q", got, want)
	}
}

func TestLevel2IsNeeded(t *testing.T) {
	scheduled := put(deploy{name: "orders"})
	scheduled.GetPutRevision().GetRevision().Scheduling = &catalogv1.Scheduling{Replicas: 2}
	for name, cmd := range map[string]*catalogv1.Command{
		"node": member(1), "remove": removal(1), "drain": drain(1, true), "token": token("a", "s", 10, 1), "revoke": revoke(""),
		"place": place(), "scheduling": scheduled,
	} {
		t.Run(name, func(t *testing.T) {
			if RequiredLevel(cmd) != 2 {
				t.Fatalf("requires level %d", RequiredLevel(cmd))
			}
			l := newLog(t)
			cmd.Level = 2
			l.refused(catalogv1.Refusal_REASON_LEVEL, "the cluster is at 1", proto.CloneOf(cmd))
			l.must(raise(2))
			for level := range uint32(2) {
				cmd.Level = level
				l.refused(catalogv1.Refusal_REASON_INVALID, "level 2", proto.CloneOf(cmd))
			}
		})
	}
	if RequiredLevel(put(deploy{name: "orders"})) != 1 || RequiredLevel(del("orders")) != 1 || RequiredLevel(&catalogv1.Command{}) != 1 {
		t.Fatal("what level 1 had needs more now")
	}
}

func TestNodes(t *testing.T) {
	l := newLog(t)
	l.must(raise(2))
	labelled := func(n *catalogv1.Node) { n.Labels = map[string]string{"zone": "a", "cloud/region": "eu-1"} }
	l.must(member(1, labelled, func(n *catalogv1.Node) { n.Draining, n.JoinedIndex = true, 99 }))
	joined := l.index
	n := l.c.View().Node(nodeID(1))
	if n.GetName() != "node-1" || n.GetDraining() || n.GetJoinedIndex() != joined || n.GetLabels()["zone"] != "a" || l.c.View().NodeByName("node-1") != n {
		t.Fatalf("node %v", n)
	}
	l.refused(catalogv1.Refusal_REASON_TAKEN, nodeID(1), member(2, func(n *catalogv1.Node) { n.Name = "node-1" }))
	l.must(member(2, func(n *catalogv1.Node) { n.Name = "ant" }))

	// A change: the name moves, the draining and the age stay.
	l.must(drain(1, true))
	l.must(member(1, func(n *catalogv1.Node) { n.Name = "zebra" }))
	n = l.c.View().Node(nodeID(1))
	if !n.GetDraining() || n.GetJoinedIndex() != joined || n.GetLabels() != nil || l.c.View().NodeByName("node-1") != nil || l.c.View().NodeByName("zebra") != n {
		t.Fatalf("node %v", n)
	}
	l.must(member(3, func(n *catalogv1.Node) { n.Name = "node-1" })) // the name is free again
	var names []string
	for n := range l.c.View().Nodes() {
		names = append(names, n.GetName())
	}
	if got := fmt.Sprint(names); got != "[ant node-1 zebra]" {
		t.Fatalf("nodes %s", got)
	}
	l.must(drain(1, false))
	if l.c.View().Node(nodeID(1)).GetDraining() {
		t.Fatal("it still drains")
	}

	l.must(removal(1))
	if l.c.View().Node(nodeID(1)) != nil || l.c.View().NodeByName("zebra") != nil || !l.c.View().Removed(nodeID(1)) || l.c.View().Removed(nodeID(2)) {
		t.Fatal("it was not removed")
	}
	for _, cmd := range []*catalogv1.Command{member(1), removal(1), drain(1, true)} {
		l.refused(catalogv1.Refusal_REASON_REMOVED, `was "zebra"`, cmd)
	}
	l.must(member(4, func(n *catalogv1.Node) { n.Name = "zebra" })) // another node of the name
	for _, cmd := range []*catalogv1.Command{removal(9), drain(9, true)} {
		l.refused(catalogv1.Refusal_REASON_NOT_FOUND, nodeID(9), cmd)
	}
}

func TestLastSchedulerStays(t *testing.T) {
	l := newCluster(t, 2)
	executor := func(n *catalogv1.Node) { n.Scheduler = false }
	l.must(member(3, executor))
	l.must(member(2, executor)) // gives the role up
	l.refused(catalogv1.Refusal_REASON_IN_USE, "last scheduler", member(1, executor))
	l.refused(catalogv1.Refusal_REASON_IN_USE, "last scheduler", removal(1))
	l.must(removal(3))
	l.must(member(2)) // takes it up again
	l.must(removal(1))
}

func TestTokens(t *testing.T) {
	l := newCluster(t, 1)
	l.must(token("b", "one", 100, 10))
	l.must(token("a", "two", 200, 10))
	v := l.c.View()
	if got := v.Token("b"); got.GetExpiresUnixNanos() != 100 || v.TokenBySecret(secret("one")) != got || v.TokenBySecret(secret("none")) != nil || v.Token("c") != nil {
		t.Fatalf("token %v", got)
	}
	l.refused(catalogv1.Refusal_REASON_TAKEN, `token "b"`, token("c", "one", 100, 10))
	l.refused(catalogv1.Refusal_REASON_INVALID, "expired", token("c", "three", 100, 100))

	l.must(token("a", "four", 300, 20)) // in place of the older one
	if v := l.c.View(); v.TokenBySecret(secret("two")) != nil || v.TokenBySecret(secret("four")).GetId() != "a" {
		t.Fatal("the older token's secret is still good")
	}
	l.must(token("c", "one", 400, 100)) // "b" has expired by now, and its secret is free
	var ids []string
	for t := range l.c.View().Tokens() {
		ids = append(ids, t.GetId())
	}
	if got := fmt.Sprint(ids); got != "[a c]" || l.c.View().Token("b") != nil {
		t.Fatalf("tokens %s", got)
	}
	l.refused(catalogv1.Refusal_REASON_NOT_FOUND, `"b"`, revoke("b"))
	l.must(revoke("a"))
	if v := l.c.View(); v.Token("a") != nil || v.TokenBySecret(secret("four")) != nil || v.Token("c") == nil {
		t.Fatal("one was to be revoked")
	}
	l.must(token("a", "four", 400, 110))
	l.must(revoke(""))
	l.must(revoke("")) // of none
	for token := range l.c.View().Tokens() {
		t.Fatalf("%v is left", token)
	}
}

func TestTokensAreBounded(t *testing.T) {
	c := New()
	apply := func(cmd *catalogv1.Command) *catalogv1.Result {
		cmd.RequestId = fmt.Sprint(c.Index())
		return c.Apply(c.Index()+1, cmd)
	}
	apply(raise(2))
	for i := range maxTokens {
		if got := apply(token(fmt.Sprint("t", i), fmt.Sprint(i), 100, 1)); got.GetRefusal() != nil {
			t.Fatal(got)
		}
	}
	if got := apply(token("more", "more", 100, 1)); got.GetRefusal().GetReason() != catalogv1.Refusal_REASON_INVALID {
		t.Fatalf("%d tokens: %v", maxTokens+1, got)
	}
	if got := apply(token("t5", "again", 100, 1)); got.GetRefusal() != nil {
		t.Fatalf("in place of one: %v", got)
	}
	if got := apply(token("more", "more", 200, 100)); got.GetRefusal() != nil {
		t.Fatalf("when the others have expired: %v", got)
	}
	checkSum(t, c)
	if !bytes.Equal(reload(t, c).View().Hash(), c.View().Hash()) {
		t.Fatal("the snapshot restores to another state")
	}
}

func TestPlacements(t *testing.T) {
	l := newCluster(t, 3)
	l.must(member(4, func(n *catalogv1.Node) { n.Executor = false }))
	l.must(put(deploy{name: "orders"}))
	l.must(put(deploy{name: "orders"}))
	l.must(put(deploy{name: "stock"}))
	l.must(put(deploy{name: "stocks"}))
	l.must(place(on("orders", 1, 1, 2), on("orders", 2, 1, 2, 3), on("stock", 1, 3), on("stocks", 1, 2)))
	l.wantPlacements("orders@1=1,2 orders@2=1,2,3 stock@1=3 stocks@1=2")
	if got := fmt.Sprint(l.placed(1), "|", l.placed(2), "|", l.placed(3), "|", l.placed(4)); got != "orders@1 orders@2|orders@1 orders@2 stocks@1|orders@2 stock@1|" {
		t.Fatalf("placed %s", got)
	}
	of := maps.Collect(l.c.View().Placements(ns, "orders"))
	if len(of) != 2 || !slices.Equal(of[2], []string{nodeID(1), nodeID(2), nodeID(3)}) {
		t.Fatalf("placements of orders: %v", of)
	}
	before, _ := l.c.state.placements.Get(placementKey(ns, "stock", 1))

	// What is not there, or not for running components, is left out; others stay as they are.
	l.must(place(on("orders", 3, 1), on("nobody", 1, 1), on("stock", 1, 3, 4, 9)))
	l.wantPlacements("orders@1=1,2 orders@2=1,2,3 stock@1=3 stocks@1=2")
	if after, _ := l.c.state.placements.Get(placementKey(ns, "stock", 1)); after != before {
		t.Fatal("a placement that stays as it is was written anew")
	}
	l.must(place(on("orders", 1), on("stock", 1, 4)))
	l.wantPlacements("orders@2=1,2,3 stocks@1=2")
	l.must(place(on("orders", 1, 1, 2), on("stock", 1, 3)))
	l.wantPlacements("orders@1=1,2 orders@2=1,2,3 stock@1=3 stocks@1=2")

	l.must(removal(3))
	l.wantPlacements("orders@1=1,2 orders@2=1,2 stocks@1=2")
	l.must(member(2, func(n *catalogv1.Node) { n.Executor = false }))
	l.wantPlacements("orders@1=1 orders@2=1")
	if l.placed(2)+l.placed(3) != "" {
		t.Fatalf("placed on those: %s %s", l.placed(2), l.placed(3))
	}
	l.must(drain(1, true))
	l.wantPlacements("orders@1=1 orders@2=1") // to be moved by a plan, not at once
	l.must(del("orders"))
	l.wantPlacements("")
	if l.placed(1) != "" {
		t.Fatalf("placed on 1: %s", l.placed(1))
	}
	l.must(put(deploy{name: "orders"}))
	l.wantPlacements("") // another function of the name
}

// TestRevisionsAreTrimmed deploys until there are too many revisions.
func TestRevisionsAreTrimmed(t *testing.T) {
	numbers := func(l *log) (first, last uint32, count int) {
		rs := l.c.View().Function(ns, "orders").GetRevisions()
		return rs[0].GetNumber(), rs[len(rs)-1].GetNumber(), len(rs)
	}
	l := newCluster(t, 1)
	for range keptRevisions + 50 {
		l.must(put(deploy{name: "orders"})) // of level 1: as ever
	}
	if first, last, count := numbers(l); first != 1 || last != keptRevisions+50 || count != keptRevisions+50 {
		t.Fatalf("at level 1: %d revisions from %d to %d", count, first, last)
	}
	l.must(place(on("orders", 1, 1), on("orders", 60, 1)))
	old := l.c.View()
	l.must(level2(put(deploy{name: "orders"})))
	if first, last, count := numbers(l); first != 1 || last != keptRevisions+51 || count != keptRevisions {
		t.Fatalf("%d revisions from %d to %d", count, first, last)
	}
	v := l.c.View()
	if v.Revision(ns, "orders", 2) != nil || v.Revision(ns, "orders", 52) != nil || v.Revision(ns, "orders", 53) == nil || v.Revision(ns, "orders", 60) == nil {
		t.Fatal("others than the oldest ones that are not placed are gone")
	}
	if old.Revision(ns, "orders", 2) == nil {
		t.Fatal("an older view has changed")
	}
	l.must(place(on("orders", 1)))
	l.must(level2(put(deploy{name: "orders"})))
	if first, last, count := numbers(l); first != 53 || last != keptRevisions+52 || count != keptRevisions {
		t.Fatalf("%d revisions from %d to %d", count, first, last)
	}

	// When all are placed, all stay.
	var all []*catalogv1.Placement
	for _, r := range l.c.View().Function(ns, "orders").GetRevisions() {
		all = append(all, on("orders", r.GetNumber(), 1))
	}
	l.must(place(all...))
	l.must(level2(put(deploy{name: "orders"})))
	l.must(level2(put(deploy{name: "orders"})))
	if first, last, count := numbers(l); first != 53 || last != keptRevisions+54 || count != keptRevisions+1 {
		t.Fatalf("%d revisions from %d to %d", count, first, last) // all that are placed, and the new one
	}
}

func TestScheduling(t *testing.T) {
	l := newCluster(t, 0)
	cmd := level2(put(deploy{name: "orders"}))
	want := &catalogv1.Scheduling{Replicas: 3, Spread: []string{"zone", "rack"}, Require: map[string]string{"region": "eu", "gpu": ""}}
	cmd.GetPutRevision().GetRevision().Scheduling = want
	l.must(cmd)
	if got := Current(l.c.View().Function(ns, "orders")).GetScheduling(); !proto.Equal(got, want) {
		t.Fatalf("scheduling %v", got)
	}
	if got := Current(reload(t, l.c).View().Function(ns, "orders")).GetScheduling(); !proto.Equal(got, want) {
		t.Fatalf("restored: %v", got)
	}
}

func TestInvalidClusterCommands(t *testing.T) {
	scheduling := func(sc *catalogv1.Scheduling) *catalogv1.Command {
		cmd := level2(put(deploy{name: "orders"}))
		cmd.GetPutRevision().GetRevision().Scheduling = sc
		return cmd
	}
	node := func(change func(*catalogv1.Node)) *catalogv1.Command { return member(1, change) }
	label := func(name, value string) *catalogv1.Command {
		return node(func(n *catalogv1.Node) { n.Labels = map[string]string{name: value, "ok": ""} })
	}
	many := func(n int) map[string]string {
		labels := map[string]string{}
		for i := range n {
			labels[fmt.Sprint("l", i)] = "v"
		}
		return labels
	}
	short := token("a", "s", 10, 1)
	short.GetPutToken().GetToken().SecretHash = make([]byte, 31)
	twoNodes := on("orders", 1, 2, 1)
	for name, cmd := range map[string]*catalogv1.Command{
		"no node":             level2(&catalogv1.Command{Action: &catalogv1.Command_PutNode{PutNode: &catalogv1.PutNode{}}}),
		"ID":                  node(func(n *catalogv1.Node) { n.Id = "node-1" }),
		"ID in upper case":    node(func(n *catalogv1.Node) { n.Id = strings.ToUpper(nodeID(0xabcdef)) }),
		"no name":             node(func(n *catalogv1.Node) { n.Name = "" }),
		"name":                node(func(n *catalogv1.Node) { n.Name = "a b" }),
		"name like an ID":     node(func(n *catalogv1.Node) { n.Name = nodeID(7) }),
		"long name":           node(func(n *catalogv1.Node) { n.Name = strings.Repeat("a", 64) }),
		"no role":             node(func(n *catalogv1.Node) { n.Scheduler, n.Executor = false, false }),
		"label name":          label("Zone", "a"),
		"long label name":     label(strings.Repeat("a", 64), "a"),
		"label name, start":   label("-a", "a"),
		"label value":         label("zone", "ä"),
		"label value, line":   label("zone", "a\n"),
		"long label value":    label("zone", strings.Repeat("a", 64)),
		"labels":              node(func(n *catalogv1.Node) { n.Labels = many(maxLabels + 1) }),
		"remove":              level2(&catalogv1.Command{Action: &catalogv1.Command_RemoveNode{}}),
		"drain":               level2(&catalogv1.Command{Action: &catalogv1.Command_SetDrain{}}),
		"token ID":            token("a b", "s", 10, 1),
		"no token ID":         token("", "s", 10, 1),
		"long token ID":       token(strings.Repeat("a", 65), "s", 10, 1),
		"secret":              short,
		"revoke":              revoke("a\x00"),
		"replicas":            scheduling(&catalogv1.Scheduling{Replicas: maxReplicas + 1}),
		"replicas and all":    scheduling(&catalogv1.Scheduling{Replicas: 1, All: true}),
		"spread":              scheduling(&catalogv1.Scheduling{Spread: []string{"Zone"}}),
		"spread twice":        scheduling(&catalogv1.Scheduling{Spread: []string{"zone", "zone"}}),
		"long spread":         scheduling(&catalogv1.Scheduling{Spread: slices.Collect(maps.Keys(many(maxSpread + 1)))}),
		"require":             scheduling(&catalogv1.Scheduling{Require: map[string]string{"": ""}}),
		"long require":        scheduling(&catalogv1.Scheduling{Require: many(maxRequire + 1)}),
		"placed out of order": place(twoNodes),
		"placed twice":        place(on("orders", 1, 1, 1)),
		"placed where":        place(&catalogv1.Placement{Namespace: ns, Name: "orders", Revision: 1, Nodes: []string{"x"}}),
		"placement of what":   place(&catalogv1.Placement{Namespace: ns}),
		"one revision twice":  place(on("orders", 1, 1), on("orders", 1, 2)),
		"placements":          place(make([]*catalogv1.Placement, maxPlacements+1)...),
		"nodes":               place(&catalogv1.Placement{Namespace: ns, Name: "orders", Revision: 1, Nodes: make([]string, maxPlaced+1)}),
	} {
		t.Run(name, func(t *testing.T) {
			newCluster(t, 2).refused(catalogv1.Refusal_REASON_INVALID, "", cmd)
		})
	}
}
