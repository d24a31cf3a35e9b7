package guest

import (
	"context"
	"time"

	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
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
	gone, err := g.config.Store.Left(ctx, func(f keyvalue.Function) bool { return f.Created > view.Index() || has(view, f) })
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
		older := view
		view = g.config.View()
		for _, f := range vanished(older, view) {
			if len(gone) < maxGone {
				gone = append(gone, f)
			}
		}
	}
}

// vanished gives the functions that an older view has and a newer one has not. A function that was made anew is another one.
func vanished(older, now *catalog.View) (gone []keyvalue.Function) {
	look := func(row *catalogv1.Function) {
		f := keyvalue.Function{Namespace: row.GetNamespace(), Name: row.GetName(), Created: row.GetCreatedIndex()}
		if row != nil && !has(now, f) {
			gone = append(gone, f)
		}
	}
	changed, known := now.ChangedSince(older)
	for _, f := range changed {
		look(older.Function(f.Namespace, f.Function))
	}
	if !known {
		for row := range older.All() {
			look(row)
		}
	}
	return gone
}

func has(view *catalog.View, f keyvalue.Function) bool {
	row := view.Function(f.Namespace, f.Name)
	return row != nil && row.GetCreatedIndex() == f.Created
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
