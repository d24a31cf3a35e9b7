package cluster

import (
	"strings"
	"testing"
	"time"
)

// denied checks that a node may not join, and that its log says why.
func (c *Cluster) denied(t *testing.T, name, token, address string, why ...string) {
	t.Helper()
	n, err := c.TryJoin(Spec{Name: name}, token, address)
	if err == nil {
		t.Fatalf("%s joins", name)
	}
	for _, text := range why {
		if !strings.Contains(n.Log(), text) {
			t.Errorf("the log of %s has no %q:\n%s", name, text, n.Log())
		}
	}
}

func TestBadTokens(t *testing.T) {
	c, n := alone(t)
	other := New(t)
	stranger := other.Found(Spec{Name: "stranger"})
	other.Leader()

	c.denied(t, "garbage", "garbage", n.PeerAddr(), "token")
	c.denied(t, "foreign", other.Token(stranger), n.PeerAddr(), "token")

	short := strings.TrimSpace(n.Must("token", "--life", "1s"))
	time.Sleep(1100 * time.Millisecond) // the token's life
	c.denied(t, "late", short, n.PeerAddr(), "ran out")

	revoked := strings.TrimSpace(n.Must("token"))
	n.Must("token", "revoke", revoked)
	c.denied(t, "revoked", revoked, n.PeerAddr(), "token")

	good := c.Token(n)
	wrong := good[:len(good)-1] + map[bool]string{true: "1", false: "0"}[good[len(good)-1] == '0']
	c.denied(t, "wrong", wrong, n.PeerAddr(), "token")

	if out := n.Must("nodes"); strings.Count(out, "\n") != 2 {
		t.Errorf("somebody is in:\n%s", out)
	}
	b, err := c.TryJoin(Spec{Name: "good"}, good, n.PeerAddr())
	check(t, err)
	c.Settle(n, b)
}

func TestTwoNodesWithOneName(t *testing.T) {
	c, n := alone(t)
	c.denied(t, "alone", c.Token(n), n.PeerAddr(), "alone", "name")
	c.Join(Spec{Name: "other"})
	c.Settle()
	n.adds(t)
}

// TestNodeOfAnotherCluster: a node is of one cluster for good.
func TestNodeOfAnotherCluster(t *testing.T) {
	c, n := alone(t)
	stranger := c.node(Spec{Name: "stranger"})
	check(t, stranger.start())
	stranger.Stop()
	err := stranger.start("--join", n.PeerAddr(), "--token", c.Token(n))
	if err == nil {
		t.Error("a node of another cluster starts with --join")
	}
	if !strings.Contains(stranger.Log(), "cluster") {
		t.Errorf("its log: %s", stranger.Log())
	}
	n.adds(t)
	if out := n.Must("nodes"); strings.Contains(out, "stranger") {
		t.Errorf("it is in:\n%s", out)
	}
}

// TestRemovedNode: its certificate is worth nothing any more, also after a restart.
func TestRemovedNode(t *testing.T) {
	c, nodes := three(t, Spec{})
	out := nodes[2]
	nodes[0].Must("remove", out.Name)
	c.Eventually("it ends", func() error {
		if out.Alive() || !strings.Contains(out.Log(), "removed") {
			return &textError{"alive, or without a word"}
		}
		return nil
	})
	if err := out.TryRestart(); err == nil {
		t.Error("it starts again")
	}
	c.Settle(nodes[:2]...)
	if list := nodes[0].Must("nodes"); strings.Contains(list, out.Name) {
		t.Errorf("it is in:\n%s", list)
	}
	nodes[1].adds(t)
}

type textError struct{ text string }

func (e *textError) Error() string { return e.text }

// TestClocks: clocks an hour apart are reported and break nothing.
func TestClocks(t *testing.T) {
	c := New(t)
	a := c.Found(Spec{Name: "a"})
	c.Leader()
	b := c.Join(Spec{Name: "b", Env: []string{"WEFT_TEST_CLOCK=1h"}})
	d := c.Join(Spec{Name: "d", Env: []string{"WEFT_TEST_CLOCK=-1h"}})
	c.Settle()
	a.Must("deploy", file(t), "--name", "calc", "--replicas", "all")
	for _, n := range []*Node{a, b, d} {
		c.Eventually("answers of "+n.Name, func() error { return n.answers() })
	}
	c.Eventually("a word about the clocks", func() error {
		list := a.Must("nodes", "--json")
		for _, text := range []string{"clock", "3600"} {
			if !strings.Contains(list, text) && !strings.Contains(list, "1h0m0") {
				return &textError{list}
			}
		}
		return nil
	})
	// Tokens of a node whose clock is wrong are good for their life by the leader's clock.
	e, err := c.TryJoin(Spec{Name: "e"}, c.Token(d), b.PeerAddr())
	check(t, err)
	a.Kill()
	a.Restart()
	c.Settle(a, b, d, e)
}
