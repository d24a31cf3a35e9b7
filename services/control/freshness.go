package control

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/weft-run/weft/consensus/catalog"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// patience is how long a read that may be stale waits for a leader.
const patience = 2 * time.Second

// read gives a view of the catalog that is as fresh as the request wants.
func (s *Server) read(ctx context.Context, want weftv1.Consistency) (*catalog.View, *weftv1.Freshness, error) {
	switch want {
	case weftv1.Consistency_CONSISTENCY_UNSPECIFIED:
		limited, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if err := s.config.Consensus.Linearize(limited); err == nil {
			return s.linearizable()
		}
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
	case weftv1.Consistency_CONSISTENCY_LINEARIZABLE:
		if err := s.config.Consensus.Linearize(ctx); err != nil {
			return nil, nil, err
		}
		return s.linearizable()
	case weftv1.Consistency_CONSISTENCY_STALE:
	default:
		return nil, nil, invalid("consistency %d is not known to this weft", want)
	}
	view := s.view()
	return view, &weftv1.Freshness{Index: view.Index(), Stale: durationpb.New(s.config.Consensus.Stale())}, nil
}

// catchUp makes this node's catalog show every change acknowledged so far, so that what is worked out from it is not in vain.
// For what changes nothing it need not succeed.
func (s *Server) catchUp(ctx context.Context, changesNothing bool) error {
	if changesNothing {
		_, _, err := s.read(ctx, weftv1.Consistency_CONSISTENCY_UNSPECIFIED)
		return err
	}
	return s.config.Consensus.Linearize(ctx)
}

func (s *Server) linearizable() (*catalog.View, *weftv1.Freshness, error) {
	view := s.view()
	return view, &weftv1.Freshness{Linearizable: true, Index: view.Index()}, nil
}
