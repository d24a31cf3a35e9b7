package node

import (
	"context"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/router"
)

// way is how calls of functions go on: by the router and the table, which are made after the executor that guests call
// from.
type way struct{ *Node }

func (w way) Route(ctx context.Context, target router.Target) (*router.Destination, error) {
	return w.router.Route(ctx, target)
}

func (w way) Call(ctx context.Context, request executor.Request) (router.Response, error) {
	return w.router.Call(ctx, request)
}

func (w way) Here(target router.Target) (*router.Destination, bool) { return w.router.Here(target) }

func (w way) Local(request executor.Request, place executor.Place) (router.Response, bool, error) {
	return w.router.Local(request, place)
}

func (w way) Revision(ctx context.Context, k executor.Key) (executor.Revision, error) {
	return w.table.Revision(ctx, k)
}
