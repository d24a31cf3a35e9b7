package catalog

import catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"

// Remembered is how many request IDs the catalog remembers. A command that is applied again after so many others took
// effect is applied anew; a client must have given up on it by then.
const Remembered = 10_000

// window holds the last results by request ID, in log order. Only Apply looks at it, so it is an ordinary ring and
// map; a snapshot copies the pointers.
type window struct {
	ring []remembered // oldest first, starting at next once it is full
	next int
	byID map[string]*catalogv1.Applied
}

// remembered is a row with its hash, which is asked for again when the row goes.
type remembered struct {
	applied *catalogv1.Applied
	hash    [32]byte
}

func newWindow() window {
	return window{byID: make(map[string]*catalogv1.Applied)}
}

// find returns the result of an earlier command of this ID; nil if there was none.
func (w *window) find(id string) *catalogv1.Result { return w.byID[id].GetResult() }

// remember adds an ID that is not there yet, and tells which one had to go for it, if any.
func (w *window) remember(r remembered) (gone remembered, full bool) {
	if full = len(w.ring) == Remembered; full {
		gone = w.ring[w.next]
		delete(w.byID, gone.applied.GetRequestId())
		w.ring[w.next] = r
		w.next = (w.next + 1) % Remembered
	} else {
		w.ring = append(w.ring, r)
	}
	w.byID[r.applied.GetRequestId()] = r.applied
	return gone, full
}

// inOrder copies the window, oldest first.
func (w *window) inOrder() []*catalogv1.Applied {
	all := make([]*catalogv1.Applied, 0, len(w.ring))
	for i := range w.ring {
		all = append(all, w.ring[(w.next+i)%len(w.ring)].applied)
	}
	return all
}
