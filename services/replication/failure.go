package replication

import (
	"errors"
	"fmt"

	"github.com/weft-run/weft/consensus"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
)

// failures are the errors that keep their meaning on the way, the more telling ones first: an error may be several.
var failures = []struct {
	failure clusterv1.Failure
	err     error
}{
	{clusterv1.Failure_FAILURE_OUTCOME_UNKNOWN, consensus.ErrOutcomeUnknown},
	{clusterv1.Failure_FAILURE_NOT_LEADER, consensus.ErrNotLeader},
	{clusterv1.Failure_FAILURE_NOT_LEADER, consensus.ErrNoLeader}, // it was to be the leader
	{clusterv1.Failure_FAILURE_STORAGE, consensus.ErrStorage},
	{clusterv1.Failure_FAILURE_TOO_LARGE, consensus.ErrTooLarge},
	{clusterv1.Failure_FAILURE_DAMAGED, consensus.ErrDamaged},
	{clusterv1.Failure_FAILURE_CLOSED, consensus.ErrClosed},
}

// failureOf says which error it is; unspecified if none of those that keep their meaning.
func failureOf(err error) clusterv1.Failure {
	for _, f := range failures {
		if errors.Is(err, f.err) {
			return f.failure
		}
	}
	return clusterv1.Failure_FAILURE_UNSPECIFIED
}

// errorOf is the error that a failure of a node was.
func errorOf(failure clusterv1.Failure, node string) error {
	for _, f := range failures {
		if f.failure == failure {
			return fmt.Errorf("node %s: %w", node, f.err)
		}
	}
	return fmt.Errorf("%w: node %s fails in a way that this weft does not know (%d)", consensus.ErrOutcomeUnknown, node, failure)
}
