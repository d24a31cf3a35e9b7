package consensus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/internal/clock"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// Apply has a command proposed by whoever leads and returns its result once it is committed and this node's catalog has
// it. The command must have a request ID; a time of 0 becomes the time now, a level of 0 the lowest that the command needs. It may be used again after Apply has returned.
//
// Without a leader Apply waits up to 10 s, then returns ErrNoLeader. ErrStorage, ErrTooLarge, ErrDamaged and ErrClosed
// mean that nothing was proposed, unless the error is ErrOutcomeUnknown as well: then the command may take effect or
// not, and the same one with the same request ID may be applied again to find out. Apply itself does so until the 10 s
// are over.
func (n *Node) Apply(ctx context.Context, cmd *catalogv1.Command) (*catalogv1.Result, error) {
	dated, entry, err := date(cmd)
	if err != nil {
		return nil, err
	}
	wait, cancel := context.WithTimeoutCause(ctx, n.config.patience, ErrNoLeader)
	defer cancel()
	began := n.catalog.View().Index()
	var unknown error // of an earlier try
	for {
		result, err := n.try(ctx, wait, dated, entry)
		switch {
		case err == nil:
			return result, nil
		case surelyNot(err):
		case errors.Is(err, ErrOutcomeUnknown) && ctx.Err() == nil:
			unknown = err
		case unknown != nil:
			return nil, unknown
		default:
			return nil, err
		}
		if unknown != nil && n.catalog.View().Index()-began > remembered {
			return nil, unknown // its request ID may be forgotten soon
		}
		if err := pause(wait, retryPause); err != nil {
			return nil, cmp.Or(unknown, err)
		}
	}
}

const (
	retryPause = 20 * time.Millisecond // between two tries, while there is no leader or it changes
	remembered = 5_000                 // entries after which a command is not tried again; the window of request IDs holds twice as many
)

// date completes a command with the time now and encodes it.
func date(cmd *catalogv1.Command) (*catalogv1.Command, []byte, error) {
	dated := &catalogv1.Command{
		RequestId: cmd.GetRequestId(), Level: cmd.GetLevel(), TimeUnixNanos: cmd.GetTimeUnixNanos(), Action: cmd.GetAction(),
	}
	if dated.GetLevel() == 0 {
		dated.Level = catalog.RequiredLevel(dated)
	}
	if dated.GetTimeUnixNanos() == 0 {
		dated.TimeUnixNanos = clock.Now().UnixNano()
	}
	entry, err := encodeEntry(dated)
	return dated, entry, err
}

// surelyNot reports whether an error means that nothing was proposed and that another try may end better.
func surelyNot(err error) bool {
	return errors.Is(err, ErrNotLeader) || errors.Is(err, ErrUnreachable)
}

// try has a command proposed once. Wait bounds the search for a leader.
func (n *Node) try(ctx, wait context.Context, cmd *catalogv1.Command, entry []byte) (*catalogv1.Result, error) {
	to, err := n.route(wait)
	if err != nil {
		return nil, err
	}
	if to.session != nil {
		return to.propose(ctx, cmd, entry, n.config.patience)
	}
	return n.forward(wait, to, cmd)
}

// LocalApply is Apply for another node that takes this one for the leader: without a second hop. ErrNotLeader means that
// it does not lead, and that nothing was proposed.
func (n *Node) LocalApply(ctx context.Context, cmd *catalogv1.Command) (*catalogv1.Result, error) {
	dated, entry, err := date(cmd)
	if err != nil {
		return nil, err
	}
	to, ok := n.leading()
	if !ok {
		return nil, ErrNotLeader
	}
	result, err := to.propose(ctx, dated, entry, n.config.patience)
	if errors.Is(err, ErrNoLeader) { // it did not get around to it
		err = fmt.Errorf("%w: %w", ErrNotLeader, err)
	}
	return result, err
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// propose proposes as the leader of a term.
func (r route) propose(ctx context.Context, cmd *catalogv1.Command, entry []byte, patience time.Duration) (*catalogv1.Result, error) {
	if remove := cmd.GetRemoveNode(); remove != nil {
		if refusal, err := r.session.beforeRemoval(ctx, remove.GetNode()); refusal != nil || err != nil {
			return refusal, err
		}
	}
	if breaks(acksAreCommitted) {
		return r.session.foretell(ctx, cmd, entry)
	}
	result, err := r.session.propose(ctx, entry, patience)
	switch {
	case errors.Is(err, raft.ErrLeadershipTransferInProgress): // over soon, one way or the other
		return nil, fmt.Errorf("%w: %w", ErrNotLeader, err)
	case errors.Is(err, raft.ErrNotLeader):
		r.session.forget(r.term)
		return nil, fmt.Errorf("%w: %w", ErrNotLeader, err)
	}
	return result, err
}

// propose appends an entry to the log and waits until it is applied. With raft's ErrNotLeader and
// ErrLeadershipTransferInProgress it was turned away before it was in any log.
func (s *session) propose(ctx context.Context, entry []byte, patience time.Duration) (*catalogv1.Result, error) {
	var response any
	err := s.await(ctx, func() error {
		future := s.raft.Apply(entry, patience)
		err := future.Error()
		if err == nil {
			response = future.Response()
		}
		return err
	})
	switch {
	case err == nil:
	case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrLeadershipTransferInProgress):
		return nil, err
	case errors.Is(err, raft.ErrEnqueueTimeout):
		return nil, fmt.Errorf("%w: the leader did not take the command within %v", ErrNoLeader, patience)
	default:
		return nil, fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
	}
	switch response := response.(type) {
	case *catalogv1.Result:
		return response, nil
	case error:
		return nil, fmt.Errorf("%w: %w", ErrOutcomeUnknown, response)
	}
	return nil, fmt.Errorf("%w: unexpected response %T", ErrOutcomeUnknown, response)
}

// Linearize returns once this node's catalog shows every command that was acknowledged, to anyone, before the call.
// Its errors are those of Apply, but for ErrOutcomeUnknown.
//
// The rule: an entry of the leader's own term is committed (the barrier of session.win), then take the commit index,
// prove that this is still the leader of that term, and wait until the state machine has reached the index. A node that
// does not lead asks the leader for the index that its catalog has then, and waits for its own to have it.
func (n *Node) Linearize(ctx context.Context) error {
	if breaks(readsAreFresh) {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, n.config.patience, ErrNoLeader)
	defer cancel()
	for {
		to, err := n.route(ctx)
		if err != nil {
			return err
		}
		if to.session != nil {
			err = to.linearize(ctx)
		} else {
			err = n.forwardLinearize(ctx, to)
		}
		if err == nil {
			return nil
		}
		if err := pause(ctx, retryPause); err != nil {
			return err
		}
	}
}

// LocalLinearize is Linearize for another node that takes this one for the leader. It returns an index: a catalog that
// has reached it shows all that was acknowledged before the call. ErrNotLeader means that this node does not lead.
func (n *Node) LocalLinearize(ctx context.Context) (index uint64, err error) {
	to, ok := n.leading()
	if !ok {
		return 0, ErrNotLeader
	}
	if err := to.linearize(ctx); err != nil {
		return 0, err
	}
	return n.catalog.View().Index(), nil
}

// linearize proves that the state machine has all that was acknowledged when it was called. Any error is ErrNotLeader or
// that of ctx.
func (r route) linearize(ctx context.Context) error {
	s := r.session
	index := s.raft.CommitIndex()
	err := s.await(ctx, func() error { return s.raft.VerifyLeader().Error() })
	if err == nil && s.raft.CurrentTerm() == r.term {
		err = s.fsm.applied.wait(ctx, s.done, index)
		if err == nil {
			return nil
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s.forget(r.term)
	return fmt.Errorf("%w: its term is over", ErrNotLeader)
}
