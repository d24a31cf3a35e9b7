package membership

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-run/weft/consensus"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
	"github.com/weft-run/weft/services/peer"
)

const (
	announceTimeout = 3 * time.Second // of one exchange
	announceAtOnce  = 8
	announceTries   = 6 // to a node that does not answer, once a majority of the schedulers knows
)

// fact is what a node has been told: where this node is since its incarnation, while that node was in one of its own.
type fact struct{ own, theirs uint64 }

// announce tells every known node where this one is: at the start until a majority of the schedulers has heard, and again
// to whoever starts anew. Others get a few tries. The answers say where others are. It runs until the service closes.
func (s *Service) announce() {
	a := &announcer{service: s, nodes: map[string]audience{}}
	retry := s.config.retry
	for {
		changed := s.config.Node.AddressesChanged()
		var again <-chan time.Time
		if a.round() && a.enough() {
			retry.reset()
		} else {
			again = time.After(retry.pause())
		}
		select {
		case <-changed:
		case <-again:
		case <-s.ctx.Done():
			return
		}
	}
}

// announcer remembers who knows what.
type announcer struct {
	service *Service
	own     consensus.Address // as of the last round
	alone   bool              // nobody else was known in the last round
	joined  uint64            // the incarnation that was told at the address of Config.Join

	mu    sync.Mutex
	nodes map[string]audience // guarded by mu; by ID
}

// audience is what one node was told.
type audience struct {
	told   fact // the last that it has heard
	trying fact // what it was last to be told
	tries  int  // how often that was tried
}

// round tells everybody who does not know yet, some at a time. It returns true if all know, or have had their tries.
func (a *announcer) round() (done bool) {
	s := a.service
	addresses := s.config.Node.Addresses()
	for _, address := range addresses {
		if address.Node == s.config.Node.ID() {
			a.own = address
		}
	}
	a.alone = len(addresses) < 2
	slots := make(chan struct{}, announceAtOnce)
	var wait sync.WaitGroup
	var pending atomic.Bool
	for _, address := range addresses {
		news := fact{a.own.Incarnation, address.Incarnation}
		if address.Node == a.own.Node || a.knows(address.Node, news) {
			continue
		}
		tries := a.try(address.Node, news)
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			if err := s.tell(address.Node, addresses); err != nil {
				s.config.Logger.Debug("a node does not know yet where this one is", "node", address.Node, "address", address.Cluster, "error", err)
				if tries < announceTries {
					pending.Store(true)
				}
				return
			}
			a.note(address.Node, news)
		})
	}
	wait.Wait()
	if s.config.Join != "" && a.joined != a.own.Incarnation {
		a.introduce(addresses)
	}
	return !pending.Load()
}

// introduce tells whichever node is at the address of Config.Join.
func (a *announcer) introduce(addresses []consensus.Address) {
	s := a.service
	id, err := s.tellAddress(s.config.Join, addresses)
	switch {
	case errors.Is(err, consensus.ErrOtherCluster):
		s.config.Logger.Error("the node at the address of --join belongs to another cluster than this one", "address", s.config.Join, "error", err)
		a.joined = a.own.Incarnation // no use in asking it again
	case err != nil:
		s.config.Logger.Debug("nobody answers at the address of --join", "address", s.config.Join, "error", err)
	default:
		a.joined = a.own.Incarnation
		for _, address := range s.config.Node.Addresses() {
			if address.Node == id {
				a.note(id, fact{a.own.Incarnation, address.Incarnation})
			}
		}
	}
}

func (a *announcer) knows(node string, news fact) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.nodes[node].told == news
}

// try counts the tries to tell a node something.
func (a *announcer) try(node string, news fact) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := a.nodes[node]
	if n.trying != news {
		n.trying, n.tries = news, 0
	}
	n.tries++
	a.nodes[node] = n
	return n.tries
}

func (a *announcer) note(node string, news fact) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := a.nodes[node]
	n.told = news
	a.nodes[node] = n
}

// enough tells whether a majority of the schedulers knows where this node is. While the catalog does not say who they are,
// anybody will do.
func (a *announcer) enough() bool {
	s := a.service
	a.mu.Lock()
	defer a.mu.Unlock()
	schedulers, heard := 0, 0
	for n := range s.config.Node.Catalog().View().Nodes() {
		if !n.GetScheduler() {
			continue
		}
		schedulers++
		if n.GetId() == a.own.Node || a.nodes[n.GetId()].told.own == a.own.Incarnation {
			heard++
		}
	}
	if schedulers > 0 {
		return heard > schedulers/2
	}
	for _, n := range a.nodes {
		if n.told.own == a.own.Incarnation {
			return true
		}
	}
	return a.alone && s.config.Join == ""
}

// tell exchanges addresses with a node.
func (s *Service) tell(node string, addresses []consensus.Address) error {
	conn, err := s.config.Peers.Conn(node)
	if err != nil {
		return err
	}
	return s.exchange(clusterv1.NewMembershipServiceClient(conn), addresses)
}

// tellAddress exchanges addresses with whichever node of this cluster is somewhere, and returns its ID.
func (s *Service) tellAddress(address string, addresses []consensus.Address) (string, error) {
	ctx, cancel := context.WithTimeout(s.ctx, announceTimeout)
	defer cancel()
	raw, id, err := s.config.Node.DialAddress(ctx, peer.Protocol, address)
	if err != nil {
		return "", err
	}
	conn, err := over(raw)
	if err != nil {
		return "", errors.Join(err, raw.Close())
	}
	defer func() { _ = conn.Close() }()
	return id, s.exchange(clusterv1.NewMembershipServiceClient(conn), addresses)
}

func (s *Service) exchange(client clusterv1.MembershipServiceClient, addresses []consensus.Address) error {
	ctx, cancel := context.WithTimeout(s.ctx, announceTimeout)
	defer cancel()
	response, err := client.Announce(ctx, &clusterv1.AnnounceRequest{Addresses: fromAddresses(addresses)})
	if err != nil {
		return err
	}
	s.config.Node.Learn(toAddresses(response.GetAddresses()))
	return nil
}
