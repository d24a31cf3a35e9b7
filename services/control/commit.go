package control

import (
	"context"
	"crypto/rand"
	mrand "math/rand/v2"
	"time"

	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/failure"
)

// maxAttempts is how often a deploy is planned again because another one has changed a contract meanwhile. Each time,
// one of those that compete has got through.
const maxAttempts = 20

// commit makes a component a revision and returns its number, with the plan that was carried out.
func (s *Server) commit(ctx context.Context, c *candidate, spec *weftv1.DeploySpec, p *plan) (uint32, *plan, error) {
	id := requestID(spec.GetRequestId())
	for attempt := 1; ; attempt++ {
		result, err := s.apply(ctx, id, &catalogv1.Command{
			Action: &catalogv1.Command_PutRevision{PutRevision: &catalogv1.PutRevision{
				Namespace:    spec.GetNamespace(),
				Name:         spec.GetName(),
				Revision:     newRow(spec, p),
				Contracts:    p.changed,
				BaseVersions: p.base,
			}},
		})
		if err != nil {
			return 0, nil, err
		}
		r := result.GetRefusal()
		switch {
		case r == nil:
			return result.GetRevision(), p, nil
		case r.GetReason() != catalogv1.Refusal_REASON_CONFLICT || attempt == maxAttempts:
			return 0, nil, failure.Refused(r)
		}
		if err := s.pause(ctx, attempt); err != nil {
			return 0, nil, err
		}
		before := p.artifact.digest
		if p, err = s.plan(ctx, c, spec, spec.GetAllowBreaking()); err != nil {
			return 0, nil, err
		}
		if p.artifact.digest != before { // a provider that it is linked with has changed
			if err := s.config.Executor.Try(ctx, p.runnable(spec)); err != nil {
				return 0, nil, err
			}
			if err := s.config.Replicas.Replicate(ctx, p.artifact.digest); err != nil {
				return 0, nil, err
			}
		}
	}
}

// newRow is the revision that a component becomes, where it is to run like the revision before unless the spec says so.
func newRow(spec *weftv1.DeploySpec, p *plan) *catalogv1.Revision {
	row := &catalogv1.Revision{
		Digest:      p.artifact.digest[:],
		SizeBytes:   p.artifact.size,
		Environment: spec.GetEnvironment(),
		Services:    p.services(),
		Packages:    p.packages(),
		Bindings:    p.bindings,
	}
	setLimits(row, defaultLimits())
	setLimits(row, spec.GetLimits())
	row.Scheduling = catalog.Current(p.view.Function(spec.GetNamespace(), spec.GetName())).GetScheduling()
	setScheduling(row, spec.GetScheduling())
	return row
}

// pause waits a little and makes sure that this node sees what it lost against.
func (s *Server) pause(ctx context.Context, attempt int) error {
	select {
	case <-time.After(mrand.N(time.Duration(attempt) * 5 * time.Millisecond)): //nolint:gosec // no secret
	case <-ctx.Done():
		return ctx.Err()
	}
	return s.config.Consensus.Linearize(ctx)
}

// apply puts a command into the log and returns once this node's catalog shows what it did.
func (s *Server) apply(ctx context.Context, id string, command *catalogv1.Command) (*catalogv1.Result, error) {
	command.RequestId = id
	// That of the cluster, for what it does besides, such as trimming revisions; or what the command needs, for a refusal
	// that says that the cluster is not that far.
	command.Level = max(min(s.view().Level(), catalog.Level), catalog.RequiredLevel(command))
	return s.config.Consensus.Apply(ctx, command)
}

// requestID makes one up where there is none.
func requestID(id string) string {
	if id == "" {
		return rand.Text()
	}
	return id
}
