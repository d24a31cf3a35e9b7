package membership

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/weft-run/weft/consensus"
	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/internal/clock"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
	"github.com/weft-run/weft/services/directory"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/services/peer"
)

// nodeLevel is the format level from which on the catalog has nodes and tokens.
const nodeLevel = 2

// Node is what this package needs of *consensus.Node.
type Node interface {
	ID() string
	Name() string
	Removed() <-chan struct{}
	SetRemoved()
	Log
	Authority
	Port
}

// Log is the replicated state.
type Log interface {
	Apply(context.Context, *catalogv1.Command) (*catalogv1.Result, error)
	Linearize(context.Context) error
	Stale() time.Duration
	Leader() string
	Roles() map[string]string
	Catalog() *catalog.Catalog
}

// Authority is the node's part of the cluster's authority, and its own certificate.
type Authority interface {
	Authority() [sha256.Size]byte
	Certifies() bool
	Admit(id string, csr []byte, scheduler bool) (*consensus.Admission, error)
	Certify(id string, csr []byte) ([]byte, error)
	CertificateLife() (renew, end time.Time)
	Renew(ctx context.Context, certify func(ctx context.Context, csr []byte) ([]byte, error)) error
}

// Port is the cluster port, and where others have theirs.
type Port interface {
	Addresses() []consensus.Address
	Learn([]consensus.Address)
	AddressesChanged() <-chan struct{}
	Handle(protocol string, handler consensus.Handler)
	DialAddress(ctx context.Context, protocol, address string) (net.Conn, string, error)
}

// Peers reaches other nodes; *peer.Peers does.
type Peers interface {
	Conn(node string) (grpc.ClientConnInterface, error)
}

// Config configures a Service.
type Config struct {
	Node  Node
	Peers Peers
	// Known gives what the directory knows of a node; nil if nothing. It must be safe for concurrent use.
	Known func(id string) *directory.Node
	// Join is one more place to tell where this node is, HOST:PORT of a cluster port: where all nodes have moved at once,
	// somebody has to say where one of them is. It may be empty.
	Join string
	// Logger is told who comes and goes. Nil: slog.Default.
	Logger *slog.Logger

	// For tests.
	clock func() time.Time // default clock.Now
	doubt time.Duration    // how long without news before a node asks whether it was removed; default 5 s
	retry backoff          // between two tries to announce or to renew
}

// Service keeps this node in the cluster, lets others in, and tells people about all of them. Its methods are safe for
// concurrent use.
type Service struct {
	clusterv1.UnimplementedMembershipServiceServer

	config  Config
	lobby   *lobby
	guesses *bucket // of secrets that this node does not know

	ctx    context.Context //nolint:containedctx // done when the service closes
	cancel context.CancelFunc
	tasks  sync.WaitGroup
}

// New makes a service. It must be closed.
func New(c Config) *Service {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Known == nil {
		c.Known = func(string) *directory.Node { return nil }
	}
	if c.clock == nil {
		c.clock = clock.Now
	}
	if c.doubt <= 0 {
		c.doubt = 5 * time.Second
	}
	if c.retry.first <= 0 {
		c.retry = backoff{first: firstPause, last: lastPause}
	}
	s := &Service{config: c, guesses: &bucket{burst: 10, every: time.Second}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.lobby = newLobby(s)
	return s
}

// Register adds the service to those that peers may call. It comes before Start.
func (s *Service) Register(r grpc.ServiceRegistrar) { clusterv1.RegisterMembershipServiceServer(r, s) }

// Start begins to let nodes in and to look after this one's own place.
func (s *Service) Start() {
	s.lobby.start()
	s.config.Node.Handle(consensus.JoinProtocol, s.lobby.take)
	s.tasks.Go(s.announce)
	s.tasks.Go(s.renew)
	s.tasks.Go(s.watchStanding)
}

// Close ends all that.
func (s *Service) Close() {
	s.config.Node.Handle(consensus.JoinProtocol, nil)
	s.cancel()
	s.lobby.close()
	s.tasks.Wait()
}

// now is the time by the leader's clock, as far as it is known.
func (s *Service) now() time.Time {
	now := s.config.clock()
	if self := s.config.Known(s.config.Node.ID()); self != nil {
		now = now.Add(-self.ClockOffset)
	}
	return now
}

// Admit implements clusterv1.MembershipService.
func (s *Service) Admit(ctx context.Context, r *clusterv1.AdmitRequest) (*clusterv1.AdmitResponse, error) {
	if !s.config.Node.Certifies() {
		return nil, noAuthority()
	}
	response, err := s.admit(ctx, r.GetJoin())
	return &clusterv1.AdmitResponse{Join: response}, err
}

// Renew implements clusterv1.MembershipService.
func (s *Service) Renew(ctx context.Context, r *clusterv1.RenewRequest) (*clusterv1.RenewResponse, error) {
	node := peer.From(ctx)
	certificate, err := s.config.Node.Certify(node, r.GetCertificateRequest())
	switch {
	case errors.Is(err, consensus.ErrNoAuthority):
		return nil, noAuthority()
	case err != nil:
		return nil, failure.New(codes.InvalidArgument, failure.InvalidRequest, err.Error())
	}
	s.config.Logger.Info("a node has a new certificate", "node", node)
	return &clusterv1.RenewResponse{Certificate: certificate}, nil
}

// Announce implements clusterv1.MembershipService.
func (s *Service) Announce(_ context.Context, r *clusterv1.AnnounceRequest) (*clusterv1.AnnounceResponse, error) {
	s.config.Node.Learn(toAddresses(r.GetAddresses()))
	return &clusterv1.AnnounceResponse{Addresses: fromAddresses(s.config.Node.Addresses())}, nil
}

// noAuthority makes the caller ask the next scheduler.
func noAuthority() error {
	return failure.New(codes.Unavailable, failure.NotReady, consensus.ErrNoAuthority.Error())
}

// peerTimeout bounds a request to one scheduler of several that could answer.
const peerTimeout = 12 * time.Second

// askSchedulers asks one scheduler after the other, the leader first, until one answers with more than that it is not
// available.
func (s *Service) askSchedulers(ctx context.Context, ask func(context.Context, clusterv1.MembershipServiceClient) error) error {
	err := failure.New(codes.Unavailable, failure.NotReady, "no scheduler is known here yet")
	for _, id := range s.schedulers() {
		var conn grpc.ClientConnInterface
		if conn, err = s.config.Peers.Conn(id); err != nil {
			continue
		}
		limited, cancel := context.WithTimeout(ctx, peerTimeout)
		err = ask(limited, clusterv1.NewMembershipServiceClient(conn))
		cancel()
		if code := status.Code(err); code != codes.Unavailable && code != codes.DeadlineExceeded || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// schedulers lists the IDs of the other schedulers, the leader first. A node that does not have the catalog yet has to try
// every node that it knows.
func (s *Service) schedulers() []string {
	var leader, others []string
	for n := range s.config.Node.Catalog().View().Nodes() {
		switch known := s.config.Known(n.GetId()); {
		case !n.GetScheduler() || n.GetId() == s.config.Node.ID():
		case known != nil && known.Raft == "leader":
			leader = append(leader, n.GetId())
		default:
			others = append(others, n.GetId())
		}
	}
	if all := append(leader, others...); len(all) > 0 {
		return all
	}
	for _, a := range s.config.Node.Addresses() {
		if a.Node != s.config.Node.ID() {
			others = append(others, a.Node)
		}
	}
	return others
}
