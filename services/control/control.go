package control

import (
	"context"
	"io"
	"log/slog"
	"time"

	"google.golang.org/grpc"

	"github.com/weft-run/weft/consensus"
	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/logs"
	"github.com/weft-run/weft/services/secrets"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
)

// Consensus is what the API needs of consensus.Node. Apply returns once the catalog shows what it did.
type Consensus interface {
	Apply(context.Context, *catalogv1.Command) (*catalogv1.Result, error)
	Linearize(context.Context) error
	Stale() time.Duration
	Leader() string
	Status() consensus.Status
	Catalog() *catalog.Catalog
}

// Artifacts is what the API needs of artifacts.Store.
type Artifacts interface {
	Put(ctx context.Context, r io.Reader, limit int64) (digest [32]byte, size int64, err error)
	// Release ends the hold of a Put. Settled: the revision it was for is there, or will never be.
	Release(digest [32]byte, settled bool)
	Path(digest [32]byte) (string, error)
}

// Executor is what the API needs of executor.Executor.
type Executor interface {
	CheckImports(*wit.World, ...*contract.Service) error
	Try(context.Context, executor.Revision) error
	Fingerprint() string
}

// Replicas makes an artifact outlive this node; *artifacts.Replicator is one.
type Replicas interface {
	// Replicate returns once a majority of the schedulers has an artifact on disk and will keep it for a while.
	Replicate(ctx context.Context, digest [32]byte) error
}

// Components reads what components are; *placement.Table does.
type Components interface {
	// Revision describes a revision of the catalog, fetching its component if need be.
	Revision(context.Context, executor.Key) (executor.Revision, error)
}

// Config configures a Server.
type Config struct {
	// Node is this node's name, Version that of the weft binary.
	Node, Version string
	// Roles are those of this node, for people.
	Roles []string

	Consensus  Consensus
	Artifacts  Artifacts
	Executor   Executor
	Replicas   Replicas
	Components Components
	Placements Placements
	Logs       *logs.Store
	// Members are the nodes of the cluster.
	Members Members
	Backups Backups
	// Outside calls services outside; nil if functions may call none.
	Outside Outside
	// Keys encrypt secrets; nil if there are none.
	Keys *secrets.Keyring
	// Peers are the other nodes; nil if there can be none.
	Peers Peers
	// Logger is told of deploys and of internal errors. Nil: slog.Default.
	Logger *slog.Logger

	// Uploads is how many deploys run at once; others wait. Default: 8.
	Uploads int
	// Idle is how long an upload may stand still. Default: 1 minute.
	Idle time.Duration
}

// Server implements weft.v1.FunctionService, weft.v1.NodeService and weft.v1.SecretService.
type Server struct {
	weftv1.UnimplementedFunctionServiceServer
	weftv1.UnimplementedNodeServiceServer
	weftv1.UnimplementedSecretServiceServer

	config  Config
	started time.Time
	uploads chan struct{} // holds a token of each deploy that runs
}

// New makes a server. It holds nothing that must be closed.
func New(c Config) *Server {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Uploads <= 0 {
		c.Uploads = 8
	}
	if c.Idle <= 0 {
		c.Idle = time.Minute
	}
	return &Server{config: c, started: time.Now(), uploads: make(chan struct{}, c.Uploads)}
}

// Register adds the services to a gRPC server.
func (s *Server) Register(r grpc.ServiceRegistrar) {
	weftv1.RegisterFunctionServiceServer(r, s)
	weftv1.RegisterNodeServiceServer(r, s)
	weftv1.RegisterSecretServiceServer(r, s)
}

func (s *Server) view() *catalog.View { return s.config.Consensus.Catalog().View() }
