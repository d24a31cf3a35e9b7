package directory

import (
	"time"

	"github.com/weft-run/weft/internal/clock"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
	"github.com/weft-run/weft/services/placement"
)

// reports makes this node's reports, one after the other. It belongs to one goroutine.
type reports struct {
	config   Config
	sequence uint64 // of the changes of revisions
	number   uint64 // of reports
}

func newReports(config Config) *reports { return &reports{config: config} }

// next makes the next report. With whole it has all revisions, otherwise those that have changed.
func (r *reports) next(whole, stopping bool) *clusterv1.ExchangeRequest {
	report := r.config.Self()
	r.number++
	report.Number = r.number
	report.Stopping = stopping
	report.ClockUnixNanos = clock.Now().UnixNano()
	changes := r.changes()
	if whole { // what changes from here on is in the next report, and may be in this one, too
		changes = &clusterv1.RevisionChanges{Sequence: r.sequence, Whole: true}
		for _, revision := range r.config.Placements.Snapshot() {
			changes.Changed = append(changes.Changed, messageOf(revision))
		}
	}
	return &clusterv1.ExchangeRequest{Report: report, Revisions: changes}
}

// changes gives what has changed since it was called last; nil if nothing has. The first time it is never nil, so that a
// node without revisions is known to have none.
func (r *reports) changes() *clusterv1.RevisionChanges {
	news := r.config.Placements.News()
	if len(news) == 0 && r.sequence > 0 {
		return nil
	}
	changes := &clusterv1.RevisionChanges{Base: r.sequence, Sequence: r.sequence + 1}
	for _, revision := range news {
		if revision.State == placement.StateIdle {
			changes.Gone = append(changes.Gone, messageOf(Revision{Key: revision.Key}))
		} else {
			changes.Changed = append(changes.Changed, messageOf(revision))
		}
	}
	r.sequence++
	return changes
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
