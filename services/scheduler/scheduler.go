package scheduler

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"github.com/weft-run/weft/services/directory"
)

// Consensus is what the scheduler needs of consensus.Node.
type Consensus interface {
	// Leads gives the term in which this node leads, 0 if it does not, and a channel that is closed when that may have
	// changed. A node leads once its catalog has all that was committed in earlier terms.
	Leads() (term uint64, changed <-chan struct{})
	Apply(context.Context, *catalogv1.Command) (*catalogv1.Result, error)
	Catalog() *catalog.Catalog
}

// Directory is what the scheduler needs of directory.Directory.
type Directory interface {
	View() *directory.View
	// Changed gives a channel that is closed when there is a newer view.
	Changed() <-chan struct{}
	// SetUnplaced says why revisions run on fewer executors than they should, in place of what was said before.
	SetUnplaced([]directory.Unplaced)
}

// Config configures a Scheduler.
type Config struct {
	Consensus Consensus
	Directory Directory
	// Logger is told of plans and of what keeps them from being applied. Nil: slog.Default.
	Logger *slog.Logger
	// Registerer gets the metrics. It may be nil.
	Registerer prometheus.Registerer

	// Grace is how long a node that is not alive keeps what is placed there. Default: 10 s.
	Grace time.Duration
	// Settle is how long after winning the leadership no node is called lost and nothing that was there before is moved,
	// unless all executors are heard of earlier. Default: 3 s.
	Settle time.Duration
	// Failing is how long a revision fails on a node, which tries again by itself, before it is tried on another one too.
	// Default: 10 s.
	Failing time.Duration
	// Pause is the time from one plan to the next at least. Default: 100 ms.
	Pause time.Duration
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	for _, d := range []struct {
		value *time.Duration
		other time.Duration
	}{{&c.Grace, 10 * time.Second}, {&c.Settle, 3 * time.Second}, {&c.Failing, 10 * time.Second}, {&c.Pause, 100 * time.Millisecond}} {
		if *d.value <= 0 {
			*d.value = d.other
		}
	}
	return c
}

// Scheduler turns the catalog into placements while this node leads.
type Scheduler struct {
	config  Config
	metrics *metrics
}

// level is the format level of SetPlacements. Until the cluster is raised to it, the scheduler does nothing.
const level = 2

// New makes a scheduler. The error is that of registering its metrics.
func New(c Config) (*Scheduler, error) {
	c = c.withDefaults()
	m, err := newMetrics(c.Registerer)
	if err != nil {
		return nil, fmt.Errorf("scheduler: metrics: %w", err)
	}
	return &Scheduler{config: c, metrics: m}, nil
}

// Run schedules, whenever this node leads, until ctx is done. It is called once.
func (s *Scheduler) Run(ctx context.Context) {
	for ctx.Err() == nil {
		term, changed := s.config.Consensus.Leads()
		if term != 0 {
			s.lead(ctx, term)
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// lead schedules until this node leads that term no more.
func (s *Scheduler) lead(ctx context.Context, term uint64) {
	ctx, cancel := context.WithCancel(ctx)
	var watch sync.WaitGroup
	defer watch.Wait()
	defer cancel()
	watch.Go(func() {
		defer cancel() // what is being proposed is given up, too
		for now, changed := s.config.Consensus.Leads(); now == term; now, changed = s.config.Consensus.Leads() {
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	})
	newLeader(s, time.Now()).run(ctx)
	s.metrics.unplaced.Set(0)
}

// leader schedules in one term.
type leader struct {
	*Scheduler

	collector *collector
	planner   Planner
	said      []directory.Unplaced // what the directory was told; nil if nothing yet
	failures  int                  // of proposals, in a row
}

func newLeader(s *Scheduler, now time.Time) *leader {
	c := s.config
	return &leader{Scheduler: s, collector: newCollector(timing{settle: c.Settle, grace: c.Grace, failing: c.Failing}, now)}
}

// run makes a plan at once and whenever something may have changed, but never two within the pause.
func (l *leader) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		view := l.config.Consensus.Catalog().View()
		news := l.config.Directory.Changed()
		next := l.plan(ctx, view, l.config.Directory.View())
		if !pause(ctx, l.pause()) {
			return
		}
		if l.failures > 0 {
			continue // the pause was the wait
		}
		var wake <-chan time.Time
		if !next.IsZero() {
			timer.Reset(time.Until(next))
			wake = timer.C
		}
		select {
		case <-view.Changed():
		case <-news:
		case <-wake:
		case <-ctx.Done():
			return
		}
	}
}

// maxPause is the longest pause after proposals that failed.
const maxPause = 5 * time.Second

func (l *leader) pause() time.Duration {
	return min(l.config.Pause<<min(l.failures, 10), max(maxPause, l.config.Pause))
}

// pause waits; false if ctx was done first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// plan makes one plan and proposes it. The next one is due at next, whatever happens; never if that is zero.
func (l *leader) plan(ctx context.Context, view *catalog.View, known *directory.View) (next time.Time) {
	if view.Level() < level {
		return time.Time{}
	}
	began := time.Now()
	in, next := l.collector.collect(view, known, began)
	plan := l.planner.Plan(in)
	l.metrics.planned(time.Since(began))
	l.say(plan.Unplaced)
	if err := l.propose(ctx, plan); err != nil {
		l.failures++
		if ctx.Err() == nil {
			l.config.Logger.Warn("the placements could not be changed; trying again", "attempt", l.failures, "error", err)
		}
		return next
	}
	l.failures = 0
	return next
}

// propose has a plan applied. A plan whose outcome is not known is not repeated: the next one starts from what came of it.
func (l *leader) propose(ctx context.Context, plan Plan) error {
	for placements := range chunks(plan.Placements, maxPlacements) {
		result, err := l.config.Consensus.Apply(ctx, &catalogv1.Command{
			RequestId: "plan-" + rand.Text(), // terms may repeat where a backup was restored
			Level:     level,
			Action:    &catalogv1.Command_SetPlacements{SetPlacements: &catalogv1.SetPlacements{Placements: placements}},
		})
		if err != nil {
			return err
		}
		if refusal := result.GetRefusal(); refusal != nil {
			return errors.New(refusal.GetMessage())
		}
	}
	if len(plan.Placements) > 0 {
		l.metrics.moves.Add(float64(plan.Moves))
		l.config.Logger.Info("placements changed", "revisions", len(plan.Placements), "moves", plan.Moves, "unplaced", len(plan.Unplaced))
	}
	return nil
}

// maxSaid bounds what the directory is told: it goes to every node, in one message.
const maxSaid = 5000

// say tells the directory what is unplaced, if that is news.
func (l *leader) say(unplaced []directory.Unplaced) {
	l.metrics.unplaced.Set(float64(len(unplaced)))
	unplaced = unplaced[:min(len(unplaced), maxSaid)]
	if l.said != nil && slices.Equal(l.said, unplaced) {
		return
	}
	l.said = append([]directory.Unplaced{}, unplaced...)
	l.config.Directory.SetUnplaced(l.said)
}
