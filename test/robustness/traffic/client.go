package traffic

import (
	"context"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/weft-run/weft/test/cluster"
	"github.com/weft-run/weft/test/robustness/model"
)

// How long an operation may take. The server gives up on a missing leader after 10 s and says that nothing was changed,
// which is worth waiting for: an operation whose outcome is not known makes the history harder to explain.
const (
	changeTime = 20 * time.Second
	readTime   = 3 * time.Second
)

// client is one client.
type client struct {
	traffic *Traffic
	id      int
	random  *rand.Rand
}

// weights are how often operations come, of all.
var weights = []struct {
	kind   model.Kind
	weight int
}{
	{model.Deploy, 3},
	{model.Update, 4},
	{model.Delete, 1},
	{model.Get, 5},
	{model.Stale, 5},
	{model.Route, 1},
	{model.Owner, 2},
	{model.Call, 6},
}

func (c *client) work(ctx context.Context) {
	for ctx.Err() == nil {
		pause := time.Duration(c.random.Int64N(int64(c.traffic.config.Pause)))
		if !c.operate(ctx) {
			pause += 50 * time.Millisecond
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// operate does one operation and tells whether it worked. One that has begun goes on when ctx ends.
func (c *client) operate(ctx context.Context) bool {
	nodes := c.traffic.config.Nodes()
	if len(nodes) == 0 {
		return false
	}
	in := c.choose()
	return c.traffic.Do(context.WithoutCancel(ctx), c.id, nodes[c.random.IntN(len(nodes))], in, c.component(in.Kind))
}

func (c *client) choose() model.Input {
	config := c.traffic.config
	total := 0
	for _, w := range weights {
		total += w.weight
	}
	var kind model.Kind
	at := c.random.IntN(total)
	for _, w := range weights {
		if at -= w.weight; at < 0 {
			kind = w.kind
			break
		}
	}
	in := model.Input{Kind: kind, Function: "f" + strconv.Itoa(c.random.IntN(config.Functions))}
	switch kind {
	case model.Deploy, model.Update:
		in.Mark = c.traffic.mark()
	case model.Route:
		in.Function, in.Mark = config.Service, config.Routed[c.random.IntN(2)]
	case model.Owner:
		in.Function = config.Service
	}
	return in
}

func (c *client) component(kind model.Kind) []byte {
	if all := c.traffic.config.Components; kind == model.Deploy {
		return all[c.random.IntN(len(all))]
	}
	return nil
}

// Do does one operation at a node, records it, and tells whether it worked. It takes the time that it takes.
func (t *Traffic) Do(ctx context.Context, client int, n *cluster.Node, in model.Input, component []byte) bool {
	limit := readTime
	if (model.Operation{Input: in}).Effect() {
		limit = changeTime
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	o := model.Operation{Client: client, Node: n.Name, Start: n.Starts(), Input: in, Began: t.now()}
	err := t.ask(ctx, n, &o, component)
	o.Ended = t.now()
	if err != nil {
		o.Error = err.Error()
		switch outcome(err, in.Kind) {
		case nothing:
			t.fail(in.Kind, reason(err))
			return false
		case notFound:
			o.NotFound = true
		case unknown:
			o.Unknown = true
		}
	}
	t.record(o)
	return err == nil || o.NotFound
}

// Call calls a function at a node and returns the mark of the revision that answers. It is not recorded.
func (t *Traffic) Call(ctx context.Context, n *cluster.Node, function string) (mark string, err error) {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	o := model.Operation{Input: model.Input{Kind: model.Call, Function: function}}
	err = t.ask(ctx, n, &o, nil)
	return o.Seen, err
}
