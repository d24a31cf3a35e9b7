package catalog

import catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"

// Remembered is how many request IDs the catalog remembers. A command that is applied again after so many others took
// effect is applied anew; a client must have given up on it by then.
const Remembered = 10_000

// window holds the last results by request ID, in log order. Only Apply looks at it, so it is an ordinary ring and
// map; a snapshot copies the pointers.
type window struct {
	ring []*catalogv1.Applied // oldest first, starting at next once it is full
	next int
	byID map[string]*catalogv1.Applied
}

func newWindow() window {
	return window{byID: make(map[string]*catalogv1.Applied)}
}

// find returns the result of an earlier command of this ID; nil if there was none.
func (w *window) find(id string) *catalogv1.Result { return w.byID[id].GetResult() }

// remember adds an ID that is not there yet and returns the one that had to go; nil if none had.
func (w *window) remember(a *catalogv1.Applied) (gone *catalogv1.Applied) {
	if len(w.ring) < Remembered {
		w.ring = append(w.ring, a)
	} else {
		gone = w.ring[w.next]
		delete(w.byID, gone.GetRequestId())
		w.ring[w.next] = a
		w.next = (w.next + 1) % Remembered
	}
	w.byID[a.GetRequestId()] = a
	return gone
}

// inOrder copies the window, oldest first.
func (w *window) inOrder() []*catalogv1.Applied {
	all := make([]*catalogv1.Applied, 0, len(w.ring))
	all = append(all, w.ring[w.next:]...)
	return append(all, w.ring[:w.next]...)
}
