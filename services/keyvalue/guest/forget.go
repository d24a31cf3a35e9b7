package guest

import (
	"context"
	"time"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/services/keyvalue"
)

const (
	// tryAgain is the pause after storage could not be reached.
	tryAgain = 30 * time.Second
	// maxGone is how many functions that are gone are remembered meanwhile.
	maxGone = 1024
)

// follow removes what functions have stored once the catalog has them no more, until ctx ends.
func (g *Guests) follow(ctx context.Context) {
	view := g.config.View()
	known := functions(view)
	gone, err := g.config.Store.Left(ctx, func(f keyvalue.Function) bool { return f.Created > view.Index() || known[f] })
	if err != nil {
		g.config.Logger.Warn("what deleted functions have stored stays until the next start", "error", err)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		gone = g.drop(ctx, gone)
		if len(gone) > 0 {
			timer.Reset(tryAgain)
		}
		select {
		case <-view.Changed():
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		view = g.config.View()
		now := functions(view)
		for f := range known {
			if !now[f] && len(gone) < maxGone {
				gone = append(gone, f)
			}
		}
		known = now
	}
}

// functions are all that the catalog has. A function that was made anew is another one.
func functions(view *catalog.View) map[keyvalue.Function]bool {
	all := make(map[keyvalue.Function]bool, view.Len())
	for f := range view.All() {
		all[keyvalue.Function{Namespace: f.GetNamespace(), Name: f.GetName(), Created: f.GetCreatedIndex()}] = true
	}
	return all
}

// drop removes what functions have stored, and gives those for which that is to be tried again.
func (g *Guests) drop(ctx context.Context, gone []keyvalue.Function) (again []keyvalue.Function) {
	for i, f := range gone {
		if err := g.config.Store.Drop(ctx, f); err != nil {
			if ctx.Err() == nil {
				g.config.Logger.Warn("what a deleted function has stored is still there", "function", f.Namespace+"/"+f.Name, "error", err)
			}
			return gone[i:]
		}
	}
	return nil
}
