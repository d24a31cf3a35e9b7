//go:build weft_faults

package consensus

import (
	"bytes"
	"context"
	"os"
	"strconv"
	"time"

	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// breaks tells whether a rule is to be broken: the environment variable WEFT_TEST_BREAK names it.
func breaks(r rule) bool { return os.Getenv("WEFT_TEST_BREAK") == string(r) }

// foretell proposes a command and acknowledges it at once, with what it would give if nothing came between.
func (s *session) foretell(_ context.Context, cmd *catalogv1.Command, entry []byte) (*catalogv1.Result, error) {
	var snapshot bytes.Buffer
	if err := s.node.catalog.Image().Write(&snapshot); err != nil {
		return nil, err
	}
	future := catalog.New()
	if err := future.Restore(&snapshot); err != nil {
		return nil, err
	}
	result := future.Apply(future.Index()+1, cmd)
	if result.GetRefusal() == nil {
		s.raft.Apply(entry, 0)
	}
	return result, nil
}

// tuned makes snapshots come often: after so many entries as WEFT_TEST_SNAPSHOTS says, of which as many are kept in the
// log.
func (c Config) tuned() Config {
	if n, err := strconv.ParseUint(os.Getenv("WEFT_TEST_SNAPSHOTS"), 10, 64); err == nil && c.snapshotEvery == 0 {
		c.snapshotEvery, c.trailing, c.snapshotCheck = n, n, 250*time.Millisecond
	}
	return c
}
