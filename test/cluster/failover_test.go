package cluster

import (
	"testing"

	"github.com/weft-run/weft/test/wat"
)

// calls calls Calc/Add at nodes, 200 times a second.
func calls(nodes ...*Node) *Calls {
	return StartCalls(200, "demo.calc.v1.Calc/Add", []byte{0x08, 1, 0x10, 2}, nodes) // a = 1, b = 2
}

// some lets some calls pass.
func (c *Calls) some(t *testing.T, n int) {
	t.Helper()
	want := c.Sent() + n
	check(t, Poll(patience, func() error {
		if c.Sent() < want {
			return errTooFew
		}
		return nil
	}))
}

// none checks that no call has failed.
func (c *Calls) none(t *testing.T) {
	t.Helper()
	r := c.Stop()
	t.Logf("%d calls, the longest gap %v", r.Sent, r.Gap)
	if r.Failed > 0 {
		t.Errorf("%d of %d calls failed; the first: %q", r.Failed, r.Sent, r.Errors)
	}
}

// TestLeaderKilled: calls that enter at nodes that live, of a function that is placed there, do not notice.
func TestLeaderKilled(t *testing.T) {
	c, nodes := three(t, Spec{})
	leader := c.Leader()
	load := calls(c.Others(leader)...)
	load.some(t, 100)
	leader.Kill()
	c.Leader()
	load.some(t, 200)
	leader.Restart()
	c.Settle(nodes...)
	load.some(t, 100)
	load.none(t)
}

// TestSchedulersDown: executors serve what they have without any scheduler, and after a restart of their own.
func TestSchedulersDown(t *testing.T) {
	c := New(t)
	schedulers := []*Node{c.Found(Spec{Name: "s1", Roles: "scheduler"})}
	c.Leader()
	for _, name := range []string{"s2", "s3"} {
		schedulers = append(schedulers, c.Join(Spec{Name: name, Roles: "scheduler"}))
	}
	executors := []*Node{c.Join(Spec{Name: "e1", Roles: "executor"}), c.Join(Spec{Name: "e2", Roles: "executor"})}
	c.Settle()
	schedulers[0].Must("deploy", wat.Guest{}.File(t), "--name", "calc", "--replicas", "all")
	c.Settle()
	for _, e := range executors {
		c.Eventually("the function on all executors", func() error { return e.answers() })
	}

	load := calls(executors...)
	load.some(t, 100)
	for _, s := range schedulers {
		s.Kill()
	}
	load.some(t, 400)
	load.none(t)

	load = calls(executors[1])
	executors[0].Kill()
	executors[0].Restart()
	executors[0].adds(t)
	load.some(t, 100)
	load.none(t)
	for _, s := range schedulers {
		s.Restart()
	}
	c.Settle()
	schedulers[2].Must("update", "calc", "--env", "A=1")
}

// TestDrainUnderLoad: no call fails while a node is drained, stopped, and back.
func TestDrainUnderLoad(t *testing.T) {
	c, nodes := three(t, Spec{})
	nodes[0].Must("deploy", wat.Guest{Interface: "demo:one/one@1.0.0", Functions: []string{"add"}}.File(t), "--name", "single")
	load := calls(nodes...)
	single := StartCalls(50, "demo.one.v1.One/Add", []byte{0x08, 1, 0x10, 2}, nodes[1:])
	for _, n := range nodes[:2] {
		single.some(t, 20)
		nodes[2].Must("drain", n.Name, "--wait", "30s")
		load.some(t, 100)
		nodes[2].Must("drain", n.Name, "--undo")
		c.Settle()
	}
	load.some(t, 100)
	load.none(t)
	single.none(t)
}
