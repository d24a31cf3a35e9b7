package router

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/directory"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/services/placement"
)

// wait waits until a revision that answers the target is ready somewhere. It loads the wanted one here if it may. By then
// a newer one may have come, so it decides again whenever something changes.
func (r *Router) wait(ctx context.Context, target Target, key executor.Key) (*Destination, error) {
	if !r.mayWait() {
		return nil, failure.Newf(codes.Unavailable, failure.Busy,
			"%s is not ready, and %d calls already wait for a revision; try again later", key, r.config.Waiting)
	}
	defer r.waiting.Add(-1)
	limited, cancel := context.WithTimeout(ctx, r.config.Wait)
	defer cancel()
	w := waiter{router: r, key: key}
	defer func() { cancel(); w.end() }()
	for {
		view, known := r.config.Catalog.View(), r.config.Directory.View()
		candidates, err := r.current().candidates(target)
		if err != nil {
			return nil, err
		}
		if d := r.ready(candidates); d != nil {
			return d, nil
		}
		if why, hopeless := w.hopeless(limited, view, known); hopeless {
			return nil, failure.Newf(codes.Unavailable, failure.NotReady, "%s is not ready: %s", key, why)
		}
		select {
		case w.err = <-w.loading:
			w.loaded, w.loading = true, nil
		case <-view.Changed():
		case <-known.Changed():
		case <-limited.Done():
			return nil, w.late(ctx)
		}
	}
}

// waiter is one call that waits.
type waiter struct {
	router  *Router
	key     executor.Key
	loading chan error // gives the result of loading it here; nil while it is not being loaded
	loaded  bool       // the result is there
	err     error      // that result
}

// end waits for what the waiter has started, whose context is done.
func (w *waiter) end() {
	if w.loading != nil {
		<-w.loading //nolint:errcheck // nobody is interested any more
	}
}

// hopeless tells that there is nothing to wait for, and why. Otherwise it sees to it that the revision is loaded here, if
// it may be.
func (w *waiter) hopeless(ctx context.Context, view *catalog.View, known *directory.View) (why string, hopeless bool) {
	here := w.router.mayLoad(view, w.key)
	if here && !w.loaded && w.loading == nil {
		w.loading = make(chan error, 1)
		go func() { w.loading <- w.router.config.Placements.Ensure(ctx, w.key) }()
	}
	failed := w.loaded && w.err != nil && ctx.Err() == nil
	if here && !failed {
		return "", false
	}
	var reasons []string
	if failed {
		reasons = append(reasons, reasonOf(w.err, w.key))
	}
	for _, id := range view.Placement(w.key.Namespace, w.key.Function, w.key.Revision) {
		if id == w.router.config.ID {
			continue
		}
		node := known.Node(id)
		if node == nil {
			return "", false
		}
		state, ok := node.Revision(w.key)
		if !ok || state.State != placement.StateFailed {
			return "", false
		}
		reasons = append(reasons, fmt.Sprintf("on node %s: %s", node.Name, state.Reason))
	}
	return strings.Join(reasons, "; "), len(reasons) > 0
}

// late is the error when the time is over.
func (w *waiter) late(ctx context.Context) error {
	deadline, limits := ctx.Deadline()
	switch {
	case limits && !time.Now().Before(deadline): // It ends the stream, so the context may say that it was canceled.
		return failure.Newf(codes.DeadlineExceeded, failure.Deadline, "the deadline came while %s was loading", w.key)
	case ctx.Err() != nil:
		return failure.Newf(codes.Canceled, failure.Canceled, "the caller went away while %s was loading", w.key)
	}
	return failure.Newf(codes.Unavailable, failure.NotReady, "%s is %s", w.key, w.router.why(w.key))
}

// why says how a revision that is not ready does.
func (r *Router) why(k executor.Key) string {
	view, known := r.config.Catalog.View(), r.config.Directory.View()
	unplaced, short := known.Unplaced(k)
	var reasons []string
	for _, id := range view.Placement(k.Namespace, k.Function, k.Revision) {
		node := known.Node(id)
		if node == nil {
			reasons = append(reasons, fmt.Sprintf("node %s has not been heard of", name(view, id)))
			continue
		}
		state, _ := node.Revision(k)
		switch {
		case !node.Alive:
			reasons = append(reasons, fmt.Sprintf("node %s is lost", node.Name))
		case state.State == placement.StateFailed:
			reasons = append(reasons, fmt.Sprintf("on node %s: %s", node.Name, state.Reason))
		default:
			reasons = append(reasons, fmt.Sprintf("node %s loads it", node.Name))
		}
	}
	switch {
	case len(reasons) > 0:
		return "not ready yet: " + strings.Join(reasons, "; ") + "; try again"
	case short:
		return "placed nowhere: " + unplaced.Reason
	case r.mayLoad(view, k):
		return "still loading; try again"
	default:
		return "placed nowhere yet; try again"
	}
}

func name(view *catalog.View, id string) string {
	if node := view.Node(id); node != nil {
		return node.GetName()
	}
	return id
}

// via gives the revision whose nodes are candidates for a call: this one, or the current one if this is an older one that
// is ready nowhere and can't be loaded here, as nodes load older ones when calls ask for them.
func (r *Router) via(k executor.Key) executor.Key {
	if r.config.Executor != nil || r.nodes.reachable(k) {
		return k
	}
	if f := r.config.Catalog.View().Function(k.Namespace, k.Function); f.GetCurrent() != 0 {
		k.Revision = f.GetCurrent()
	}
	return k
}

// mayLoad tells whether this node may load a revision when a call asks for it: one that is placed here, or an older one
// of a function, which is loaded where it is asked for. Before the catalog has placements, that is every one.
func (r *Router) mayLoad(view *catalog.View, k executor.Key) bool {
	if r.config.Executor == nil {
		return false
	}
	if placed := view.Placement(k.Namespace, k.Function, k.Revision); len(placed) > 0 {
		return slices.Contains(placed, r.config.ID)
	}
	return view.Level() < 2 || view.Function(k.Namespace, k.Function).GetCurrent() != k.Revision
}

// reasonOf gives why a revision could not be loaded.
func reasonOf(err error, k executor.Key) string {
	return strings.TrimPrefix(err.Error(), "load "+k.String()+": ")
}
