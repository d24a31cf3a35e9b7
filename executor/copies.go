package executor

import (
	"fmt"
	"slices"

	"github.com/weft-run/weft/executor/wasmtime"
)

// The engine counts at some twenty places in memory who uses a component: at each of them when an instance is made, and again when it is
// dropped. Two cores that make instances of one component take these places from each other, which is a tenth of what a small call
// takes. So the code of a revision with many calls is loaded once more for each worker that may run at the same time. It is the same file in
// memory; what the engine makes of it is there several times.

const (
	// copyAfter is how many instances must have been timed before there are copies. Of cheap ones that is one of eight.
	copyAfter = 128
	// mostLanes is how many copies there are at most, however many slots.
	mostLanes = 8
)

// lane gives a new worker its lane: the one with the fewest workers. Those in one lane share a copy. q.mu is held.
func (q *queue) lane() int {
	lane := slices.Index(q.lanes, slices.Min(q.lanes))
	q.lanes[lane]++
	return lane
}

// leaveLane says that a worker has ended.
func (q *queue) leaveLane(lane int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lanes[lane]--
}

// of gives the template that is for the workers of a lane.
func (p *pool) of(lane int) *wasmtime.Template {
	if copies := p.copies.Load(); copies != nil {
		return (*copies)[lane]
	}
	return p.template
}

// timed counts an instance that was timed, and begins to make copies when there were enough. They are not worth their memory where
// starting an instance takes so long that it is done in advance.
func (p *pool) timed() {
	if p.samples.Add(1) != copyAfter || p.pays() {
		return
	}
	x, lanes := p.all.x, len(p.all.x.queue.lanes)
	need := int64(lanes-1) * loadedOverhead
	if lanes == 1 || !x.residency.grow(p.rev, need) {
		return
	}
	p.rev.retain()
	if !x.background(func() {
		defer p.rev.release()
		if err := p.copy(lanes); err != nil {
			x.residency.grow(p.rev, -need)
			p.rev.journal.weft("", "info", fmt.Sprintf("workers share its code, which could not be loaded once more: %v", err))
		}
	}) {
		p.rev.release()
	}
}

// copy makes a copy for each lane but the first, which has the template.
func (p *pool) copy(lanes int) (err error) {
	all := []*wasmtime.Template{p.template}
	defer func() {
		if err != nil {
			closeAll(all[1:])
		}
	}()
	for range lanes - 1 {
		c, err := p.all.x.engine.Load(p.path)
		if err != nil {
			return err
		}
		t, err := p.template.Again(c)
		c.Close()
		if err != nil {
			return err
		}
		all = append(all, t)
	}
	p.copies.Store(&all)
	return nil
}

func closeAll(templates []*wasmtime.Template) {
	for _, t := range templates {
		t.Close()
	}
}
