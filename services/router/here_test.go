package router

import (
	"testing"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/placement"
)

// place is the place of a guest that waits.
type place struct {
	router   *Router
	taken    bool
	inFlight int
	ran      executor.Request
}

func (p *place) Run(r executor.Request) (executor.Response, bool, error) {
	if p.taken {
		return executor.Response{}, false, nil
	}
	p.ran, p.inFlight = r, p.router.InFlight()
	return executor.Response{Message: []byte("here")}, true, nil
}

// TestHere finds what answers on this node, and nothing where another one answers.
func TestHere(t *testing.T) {
	n := startCluster(t)
	one, two := n.deploy("f", orders), n.deploy("f", orders)
	target := Target{Namespace: "default", Service: orders, Function: "f"}
	want := func(k executor.Key) {
		t.Helper()
		d, ready := n.Here(target)
		if ready != (k != executor.Key{}) || ready && d.Key != k {
			t.Errorf("here is %+v, %t; want %v", d, ready, k)
		}
	}
	want(executor.Key{})
	n.set("ready", one)
	want(one)
	n.set("ready", two)
	want(two)

	// A newer one that is ready elsewhere answers, not an older one here.
	n.set("loading", two)
	setState(n.heard("n1"), two, placement.StateReady, "")
	n.show()
	want(executor.Key{})
	target.Function = "g"
	want(executor.Key{})
	if asked := n.wasAsked(); len(asked) != 0 {
		t.Errorf("%v were loaded", asked)
	}
}

func TestLocal(t *testing.T) {
	n := startAmong(t)
	p := &place{router: n.Router}
	request := executor.Request{Key: n.deploy("f", orders), Service: orders, Method: "Find"}
	r, ran, err := n.Local(request, p)
	if err != nil || !ran || string(r.Message) != "here" || r.Node != "name-n0" || p.ran.Key != request.Key || p.inFlight != 1 || n.InFlight() != 0 {
		t.Errorf("%+v, %t, %v; it ran %+v while %d were in flight", r, ran, err, p.ran, p.inFlight)
	}
	p.taken = true
	if _, ran, err := n.Local(request, p); ran || err != nil || n.InFlight() != 0 {
		t.Errorf("%t, %v", ran, err)
	}
}
