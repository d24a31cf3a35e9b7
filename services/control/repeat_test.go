package control

import (
	"log/slog"
	"testing"

	"google.golang.org/grpc/metadata"

	"github.com/weft-run/weft/consensus"
	"github.com/weft-run/weft/services/failure"
)

// TestRepeatedRequest: an attempt of gRPC's own that did nothing does not speak for the one before it.
func TestRepeatedRequest(t *testing.T) {
	s := &Server{config: Config{Logger: slog.New(slog.DiscardHandler)}}
	again := metadata.NewIncomingContext(t.Context(), metadata.Pairs("grpc-previous-rpc-attempts", "1"))
	for _, err := range []error{consensus.ErrNoLeader, consensus.ErrStorage, consensus.ErrClosed} {
		if got := failure.ReasonOf(s.changeStatus(again, err)); got != OutcomeUnknown {
			t.Errorf("%v, repeated: %s", err, got)
		}
		if got := failure.ReasonOf(s.changeStatus(t.Context(), err)); got == OutcomeUnknown {
			t.Errorf("%v, at first: %s", err, got)
		}
	}
	if got := failure.ReasonOf(s.changeStatus(again, invalid("no"))); got != InvalidRequest {
		t.Errorf("a request that can't be right: %s", got)
	}
}
