package membership

import (
	"context"
	"crypto/tls"
	"errors"

	"github.com/weft-run/weft/consensus"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
)

// standingAsked is how many nodes are asked each time.
const standingAsked = 3

// watchStanding finds out whether this node was removed. Others tell a removed node nothing, and its own catalog may have
// stopped just before the removal. So a node that has heard nothing for a while asks at the join endpoints, which need
// no certificate. It runs until the service closes or the node is removed.
func (s *Service) watchStanding() {
	next := 0
	for {
		if sleep(s.ctx, s.config.doubt) != nil {
			return
		}
		select {
		case <-s.config.Node.Removed():
			return
		default:
		}
		if s.config.Node.Stale() < s.config.doubt {
			continue
		}
		places := s.places()
		for range min(standingAsked, len(places)) {
			place := places[next%len(places)]
			next++
			removed, err := s.askStanding(place)
			if err != nil {
				s.config.Logger.Debug("nobody says whether this node was removed", "address", place, "error", err)
				continue
			}
			if removed {
				s.config.Node.SetRemoved()
				return
			}
		}
	}
}

// places are the cluster ports of others.
func (s *Service) places() []string {
	var places []string
	if s.config.Join != "" {
		places = append(places, s.config.Join)
	}
	for _, a := range s.config.Node.Addresses() {
		if a.Node != s.config.Node.ID() && a.Cluster != s.config.Join {
			places = append(places, a.Cluster)
		}
	}
	return places
}

func (s *Service) askStanding(address string) (removed bool, err error) {
	ctx, cancel := context.WithTimeout(s.ctx, announceTimeout)
	defer cancel()
	raw, err := (&tls.Dialer{Config: consensus.JoinTLS(s.config.Node.Authority())}).DialContext(ctx, "tcp", address)
	if err != nil {
		return false, err
	}
	conn, err := over(raw)
	if err != nil {
		return false, errors.Join(err, raw.Close())
	}
	defer func() { _ = conn.Close() }()
	response, err := clusterv1.NewJoinServiceClient(conn).Standing(ctx, &clusterv1.StandingRequest{Id: s.config.Node.ID()})
	return response.GetRemoved(), err
}
