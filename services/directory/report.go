package directory

import (
	"time"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/internal/clock"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
)

// reports makes this node's reports, one after the other. It belongs to one goroutine.
type reports struct {
	config   Config
	sent     map[executor.Key]Revision
	sequence uint64 // of the changes of revisions
	number   uint64 // of reports
}

func newReports(config Config) *reports {
	return &reports{config: config, sent: map[executor.Key]Revision{}}
}

// next makes the next report. With whole it has all revisions, otherwise those that have changed.
func (r *reports) next(whole, stopping bool) *clusterv1.ExchangeRequest {
	report := r.config.Self()
	r.number++
	report.Number = r.number
	report.Stopping = stopping
	report.ClockUnixNanos = clock.Now().UnixNano()
	changes := r.changes()
	if whole {
		changes = &clusterv1.RevisionChanges{Sequence: r.sequence, Whole: true}
		for _, revision := range r.sent {
			changes.Changed = append(changes.Changed, messageOf(revision))
		}
	}
	return &clusterv1.ExchangeRequest{Report: report, Revisions: changes}
}

// changes gives what has changed since it was called last; nil if nothing has. The first time it is never nil, so that a
// node without revisions is known to have none.
func (r *reports) changes() *clusterv1.RevisionChanges {
	changes := &clusterv1.RevisionChanges{Base: r.sequence, Sequence: r.sequence + 1}
	now := r.config.Placements.Snapshot()
	for _, revision := range now {
		if r.sent[revision.Key] != revision {
			r.sent[revision.Key] = revision
			changes.Changed = append(changes.Changed, messageOf(revision))
		}
	}
	if len(r.sent) > len(now) {
		changes.Gone = r.forget(now)
	}
	if len(changes.Changed) == 0 && len(changes.Gone) == 0 && r.sequence > 0 {
		return nil
	}
	r.sequence++
	return changes
}

// forget drops what is no longer there.
func (r *reports) forget(now []Revision) []*clusterv1.RevisionState {
	there := make(map[executor.Key]struct{}, len(now))
	for _, revision := range now {
		there[revision.Key] = struct{}{}
	}
	var gone []*clusterv1.RevisionState
	for k := range r.sent {
		if _, ok := there[k]; !ok {
			delete(r.sent, k)
			gone = append(gone, &clusterv1.RevisionState{Namespace: k.Namespace, Name: k.Function, Revision: k.Revision})
		}
	}
	return gone
}

// pace tells a reporter when the next report is due. It belongs to one goroutine.
type pace struct {
	placements Placements
	ticker     *time.Ticker
	gathered   *time.Timer
	changed    <-chan struct{} // nil while changes are gathered
	stopping   <-chan struct{} // nil once that was reported
}

func (d *Directory) newPace() *pace {
	p := &pace{
		placements: d.config.Placements, ticker: time.NewTicker(d.config.Interval), gathered: time.NewTimer(gather),
		changed: d.config.Placements.Changed(), stopping: d.stopping,
	}
	p.gathered.Stop()
	return p
}

func (p *pace) stop() {
	p.ticker.Stop()
	p.gathered.Stop()
}

// wait returns when a report is due: every interval, a moment after a change, and at once when the node is to stop. It is
// false when done is closed.
func (p *pace) wait(done <-chan struct{}) bool {
	for {
		select {
		case <-p.ticker.C:
			return true
		case <-p.changed:
			p.changed = nil
			p.gathered.Reset(gather)
		case <-p.gathered.C:
			p.changed = p.placements.Changed()
			return true
		case <-p.stopping:
			p.stopping = nil
			return true
		case <-done:
			return false
		}
	}
}

// isStopping tells whether Stopping was called.
func (d *Directory) isStopping() bool {
	select {
	case <-d.stopping:
		return true
	default:
		return false
	}
}
