package scheduler

import (
	"time"

	"github.com/weft-run/weft/executor"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"github.com/weft-run/weft/services/directory"
)

// name is that of a function.
type name struct{ namespace, function string }

// reports are what nodes say of the revisions of a function, by number and node.
type reports map[uint32]map[string]*report

// report is what a node says of a revision.
type report struct {
	state string
	since time.Time // of the state
	code  int64     // bytes; 0 if not known
	round int       // of the member, when it last said so
}

// hear takes over what a node says now; known is nil if the directory does not know the node.
func (c *collector) hear(id string, m *member, known *directory.Node, now time.Time) {
	before := m.known
	m.known = known
	if known == before || known != nil && before != nil && known.SameRevisions(before) {
		return
	}
	m.round++
	if known != nil {
		for r := range known.Revisions() {
			c.report(id, m, r, now)
		}
	}
	for k, r := range m.reported {
		if r.round != m.round {
			delete(m.reported, k)
			c.forget(k, id)
		}
	}
}

func (c *collector) report(id string, m *member, now directory.Revision, at time.Time) {
	r := m.reported[now.Key]
	if r == nil {
		r = new(report)
		m.reported[now.Key] = r
		c.of(now.Key)[id] = r
	}
	r.round = m.round
	if r.state == now.State && r.code == now.CodeBytes {
		return
	}
	if r.state != now.State {
		r.state, r.since = now.State, at
	}
	r.code = now.CodeBytes
	c.dirty[name{now.Key.Namespace, now.Key.Function}] = true
}

// of gives what nodes say of a revision, to be written to.
func (c *collector) of(k executor.Key) map[string]*report {
	n := name{k.Namespace, k.Function}
	if c.reports[n] == nil {
		c.reports[n] = reports{}
	}
	if c.reports[n][k.Revision] == nil {
		c.reports[n][k.Revision] = map[string]*report{}
	}
	return c.reports[n][k.Revision]
}

func (c *collector) forget(k executor.Key, id string) {
	n := name{k.Namespace, k.Function}
	c.dirty[n] = true
	of := c.reports[n]
	delete(of[k.Revision], id)
	if len(of[k.Revision]) == 0 {
		delete(of, k.Revision)
	}
	if len(of) == 0 {
		delete(c.reports, n)
	}
}

// code gives the largest size that a node reports for the compiled code of a revision's component; 0 if none does.
func (rs reports) code(f *catalogv1.Function, r *catalogv1.Revision) int64 {
	largest := int64(0)
	if len(rs) == 0 {
		return largest
	}
	for _, other := range f.GetRevisions() {
		if of, ok := rs[other.GetNumber()]; ok && string(other.GetDigest()) == string(r.GetDigest()) {
			for _, report := range of {
				largest = max(largest, report.code)
			}
		}
	}
	return largest
}
