//go:build !weft_faults

package consensus

import (
	"context"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// breaks tells whether this build breaks a rule on purpose, which only one for tests does.
func breaks(rule) bool { return false }

func (s *session) foretell(context.Context, *catalogv1.Command, []byte) (*catalogv1.Result, error) {
	return nil, ErrClosed // nobody asks for it
}

// tuned is for builds for tests to change.
func (c Config) tuned() Config { return c }
