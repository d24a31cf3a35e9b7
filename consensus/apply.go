package consensus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// Apply proposes a command and returns its result once it is committed and this node's catalog has it. The command
// must have a request ID; a time of 0 becomes the time now. It may be used again after Apply has returned.
//
// Without a leader Apply waits up to 10 s, then returns ErrNoLeader. ErrStorage, ErrTooLarge, ErrDamaged and ErrClosed
// mean that nothing was proposed, unless the error is ErrOutcomeUnknown as well: then the command may take effect or
// not, and the same one with the same request ID may be applied again to find out.
func (n *Node) Apply(ctx context.Context, cmd *catalogv1.Command) (*catalogv1.Result, error) {
	dated := &catalogv1.Command{
		RequestId: cmd.GetRequestId(), Level: cmd.GetLevel(), TimeUnixNanos: cmd.GetTimeUnixNanos(), Action: cmd.GetAction(),
	}
	if dated.GetTimeUnixNanos() == 0 {
		dated.TimeUnixNanos = time.Now().UnixNano()
	}
	entry, err := encodeEntry(dated)
	if err != nil {
		return nil, err
	}
	wait, cancel := context.WithTimeoutCause(ctx, n.config.patience, ErrNoLeader)
	defer cancel()
	for {
		s, term, err := n.leading(wait)
		if err != nil {
			return nil, err
		}
		result, err := s.propose(ctx, entry, n.config.patience)
		switch {
		case errors.Is(err, raft.ErrLeadershipTransferInProgress): // over soon, one way or the other
			if err := pause(wait, transferPause); err != nil {
				return nil, err
			}
		case errors.Is(err, raft.ErrNotLeader):
			s.forget(term)
		default:
			return result, err
		}
	}
}

// transferPause is between two tries to propose while the leadership is being handed over.
const transferPause = 20 * time.Millisecond

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
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
// prove that this is still the leader of that term, and wait until the state machine has reached the index.
func (n *Node) Linearize(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, n.config.patience, ErrNoLeader)
	defer cancel()
	for {
		s, term, err := n.leading(ctx)
		if err != nil {
			return err
		}
		index := s.raft.CommitIndex()
		err = s.await(ctx, func() error { return s.raft.VerifyLeader().Error() })
		if err == nil && s.raft.CurrentTerm() == term {
			err = s.fsm.applied.wait(ctx, s.done, index)
			if err == nil {
				return nil
			}
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		s.forget(term)
	}
}

// leading returns the session and the term in which this node leads, waiting for it until ctx is done.
func (n *Node) leading(ctx context.Context) (*session, uint64, error) {
	for {
		n.mu.Lock()
		s, fault, changed := n.session, errors.Join(n.damage, n.fault), n.changed
		n.mu.Unlock()
		select {
		case <-n.closing:
			return nil, 0, ErrClosed
		default:
		}
		if fault != nil {
			return nil, 0, fault
		}
		if s != nil {
			if term := s.leads(); term != 0 {
				return s, term, nil
			}
		}
		select {
		case <-changed:
		case <-n.closing:
		case <-ctx.Done():
			return nil, 0, context.Cause(ctx)
		}
	}
}
