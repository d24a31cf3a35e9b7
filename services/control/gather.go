package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"google.golang.org/grpc/status"
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

// gatherLimit is how long the kept lines of a node may take to come; what comes later is passed on late.
const gatherLimit = 5 * time.Second

// lookAgain is how often whoever follows looks for nodes that have come, or come back.
const lookAgain = time.Second

// gather sends the last tail of the kept lines of all sources, in the order of their time, and then new lines as they come. It ends when all
// sources have ended, ctx is done or send fails, whose error it returns. With follow it goes on as long as any is listed, and reads those that are listed
// later, or again: of them, what they have kept since they were read last, or since gather began. A source that fails is told of in a line of the stream "weft".
func gather(ctx context.Context, list func() []source, follow bool, tail int, send func(*weftv1.LogsResponse) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g := &gathering{events: make(chan event), nodes: map[string]*reading{}}
	began := time.Now()
	g.open(ctx, list(), time.Time{})
	for _, l := range g.history(ctx, tail) {
		if err := send(l); err != nil {
			return err
		}
	}
	var again <-chan time.Time
	if follow {
		ticker := time.NewTicker(lookAgain)
		defer ticker.Stop()
		again = ticker.C
	}
	for follow || g.running > 0 {
		select {
		case e := <-g.events:
			if l := g.take(e); l != nil {
				if err := send(l); err != nil {
					return err
				}
			}
		case <-again:
			if g.open(ctx, list(), began); g.running == 0 {
				return nil
			}
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// gathering is one gather that goes on. One goroutine uses it.
type gathering struct {
	events  chan event
	nodes   map[string]*reading // the latest of each node
	running int                 // readings that have not ended
	behind  int                 // readings that have not caught up
}

// reading is a source that is read, or was.
type reading struct {
	source
	since    time.Time // kept lines that are not after it were sent before
	last     time.Time // of the lines
	caughtUp bool
	over     bool
	reported bool // that it failed
}

// event is what a source has to say. Without a line it has caught up; with over, it has ended.
type event struct {
	from *reading
	line *weftv1.LogsResponse
	over bool
	err  error
}

// open begins to read the sources of nodes that are not being read. What nodes that were never read have kept is of interest after began.
func (g *gathering) open(ctx context.Context, sources []source, began time.Time) {
	for _, s := range sources {
		r := &reading{source: s, since: began}
		if before := g.nodes[s.node]; before != nil {
			if !before.over {
				continue
			}
			r.since, r.last = before.last, before.last
			if r.last.IsZero() {
				r.since = began
			}
			r.reported = before.reported
		}
		g.nodes[s.node] = r
		g.running++
		g.behind++
		go g.read(ctx, r) // it ends with ctx
	}
}

// read runs a source.
func (g *gathering) read(ctx context.Context, r *reading) {
	tell := func(e event) bool {
		select {
		case g.events <- e:
			return true
		case <-ctx.Done():
			return false
		}
	}
	err := r.read(ctx,
		func(l *weftv1.LogsResponse) bool { return tell(event{from: r, line: l}) },
		func() { tell(event{from: r}) })
	tell(event{from: r, over: true, err: err})
}

// history takes in lines until all sources have caught up, and gives the last of them in the order of their time.
func (g *gathering) history(ctx context.Context, tail int) []*weftv1.LogsResponse {
	ctx, cancel := context.WithTimeout(ctx, gatherLimit)
	defer cancel()
	var lines []*weftv1.LogsResponse
	for g.behind > 0 && ctx.Err() == nil {
		select {
		case e := <-g.events:
			if l := g.take(e); l != nil {
				lines = append(lines, l)
			}
		case <-ctx.Done():
		}
	}
	slices.SortStableFunc(lines, func(a, b *weftv1.LogsResponse) int {
		return a.GetTime().AsTime().Compare(b.GetTime().AsTime())
	})
	return lines[max(0, len(lines)-tail):]
}

// take takes an event in and gives the line to send, if it is or makes one.
func (g *gathering) take(e event) *weftv1.LogsResponse {
	r := e.from
	if e.line != nil {
		at := e.line.GetTime().AsTime()
		if !r.caughtUp && !at.After(r.since) {
			return nil
		}
		if at.After(r.last) {
			r.last = at
		}
		return e.line
	}
	if !r.caughtUp && !e.over {
		g.behind--
		r.caughtUp, r.reported = true, false
	}
	if !e.over {
		return nil
	}
	if !r.caughtUp {
		g.behind--
	}
	g.running--
	r.over = true
	if e.err == nil || errors.Is(e.err, io.EOF) || r.reported {
		return nil
	}
	r.reported = true
	return &weftv1.LogsResponse{
		Time: timestamppb.Now(), Stream: executor.StreamWeft, Level: "warn", Node: r.node,
		Message: fmt.Sprintf("node %s can't be read: %s", r.node, status.Convert(e.err).Message()),
	}
}
