package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weft-run/weft/executor"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// source is one node's log of a function.
type source struct {
	node string
	// read passes on the kept lines in order, tells that it has caught up, and goes on if it follows. It ends when line
	// returns false or ctx is done.
	read func(ctx context.Context, line func(*weftv1.LogsResponse) bool, caughtUp func()) error
}

// event is what a source has to say. Without a line it has caught up; with over, it has ended.
type event struct {
	from int
	line *weftv1.LogsResponse
	over bool
	err  error
}

// gatherLimit is how long the kept lines of a node may take to come; what comes later is passed on late.
const gatherLimit = 5 * time.Second

// gather sends the last tail of the kept lines of all sources, in the order of their time, and then new lines as they come. It ends when all sources have ended, ctx is done or send fails, whose error it returns. A source that
// fails is told of in a line of the stream "weft".
func gather(ctx context.Context, sources []source, tail int, send func(*weftv1.LogsResponse) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g := &gathering{sources: sources, events: make(chan event), open: len(sources), behind: len(sources), caughtUp: make([]bool, len(sources))}
	for i, s := range sources {
		go g.read(ctx, i, s) // it ends with ctx
	}
	for _, l := range g.history(ctx, tail) {
		if err := send(l); err != nil {
			return err
		}
	}
	for g.open > 0 {
		l, ok := g.next(ctx.Done())
		if !ok {
			return nil
		}
		if l == nil {
			continue
		}
		if err := send(l); err != nil {
			return err
		}
	}
	return nil
}

// gathering is one gather that goes on.
type gathering struct {
	sources  []source
	events   chan event
	open     int    // sources that have not ended
	behind   int    // sources that have not caught up
	caughtUp []bool // by source
}

// read runs a source.
func (g *gathering) read(ctx context.Context, i int, s source) {
	tell := func(e event) bool {
		select {
		case g.events <- e:
			return true
		case <-ctx.Done():
			return false
		}
	}
	err := s.read(ctx,
		func(l *weftv1.LogsResponse) bool { return tell(event{from: i, line: l}) },
		func() { tell(event{from: i}) })
	tell(event{from: i, over: true, err: err})
}

// history takes in lines until all sources have caught up, and gives the last of them in the order of their time.
func (g *gathering) history(ctx context.Context, tail int) []*weftv1.LogsResponse {
	ctx, cancel := context.WithTimeout(ctx, gatherLimit)
	defer cancel()
	var lines []*weftv1.LogsResponse
	for g.behind > 0 {
		l, ok := g.next(ctx.Done())
		if !ok {
			break
		}
		if l != nil {
			lines = append(lines, l)
		}
	}
	slices.SortStableFunc(lines, func(a, b *weftv1.LogsResponse) int {
		return a.GetTime().AsTime().Compare(b.GetTime().AsTime())
	})
	return lines[max(0, len(lines)-tail):]
}

// next waits for an event and gives its line, if it has one. It is false when done is closed.
func (g *gathering) next(done <-chan struct{}) (*weftv1.LogsResponse, bool) {
	var e event
	select {
	case e = <-g.events:
	case <-done:
		return nil, false
	}
	if e.line != nil {
		return e.line, true
	}
	if !g.caughtUp[e.from] {
		g.caughtUp[e.from] = true
		g.behind--
	}
	if !e.over {
		return nil, true
	}
	g.open--
	if e.err == nil || errors.Is(e.err, io.EOF) {
		return nil, true
	}
	node := g.sources[e.from].node
	return &weftv1.LogsResponse{
		Time: timestamppb.Now(), Stream: executor.StreamWeft, Level: "warn", Node: node,
		Message: fmt.Sprintf("node %s can't be read: %v", node, e.err),
	}, true
}
