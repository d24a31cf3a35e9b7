package gateway

import (
	"testing"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/router"
)

// TestSeriesAtHand asks for the series of calls with the same head: those of the last call, unless that went elsewhere or they were
// dropped since.
func TestSeriesAtHand(t *testing.T) {
	m := newMetrics(&Gateway{})
	to := func(function string, revision uint32) *router.Destination {
		return &router.Destination{Key: executor.Key{Namespace: "default", Function: function, Revision: revision}}
	}
	w := &wanted{}
	orders := w.seriesOf(m, to("orders", 1))
	if w.seriesOf(m, to("orders", 2)) != orders {
		t.Error("another revision of the function has other series")
	}
	if s := w.seriesOf(m, to("shop", 1)); s == orders || s != m.of("default", "shop") {
		t.Error("another function has the series of the last one")
	}
	if w.seriesOf(m, to("orders", 2)) != orders {
		t.Error("a function has other series than before")
	}
	m.forget("default", "orders")
	if s := w.seriesOf(m, to("orders", 2)); s == orders || s != m.of("default", "orders") {
		t.Error("calls are counted where nobody sees it, as the series were dropped")
	}
}
