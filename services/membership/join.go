package membership

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/weft-run/weft/consensus"
	"github.com/weft-run/weft/consensus/catalog"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
)

// Request is a node that wants to come in.
type Request struct {
	// Address is the cluster port of any node of the cluster, HOST:PORT.
	Address string
	Token   Token
	// Name, roles and labels of the new node.
	Name                string
	Scheduler, Executor bool
	Labels              map[string]string
	// Version is that of the weft binary.
	Version string
	// Logger is told why it has to wait. Nil: slog.Default.
	Logger *slog.Logger
	// Patience is how long to try while the cluster can't be reached or has no leader. Default: 1 minute.
	Patience time.Duration

	onRetry func() // for tests
}

const (
	joinPatience = time.Minute
	joinAttempt  = 20 * time.Second // the cluster may wait 10 s for a leader
	firstPause   = 200 * time.Millisecond
	lastPause    = 5 * time.Second
)

// Join asks a cluster to take a node in. It is what consensus.Config.Join calls. An error says what was wrong and what to
// do; it is consensus.ErrOtherCluster if the token is of another cluster.
func Join(ctx context.Context, r Request, application consensus.Application) (*consensus.Admission, error) {
	if r.Logger == nil {
		r.Logger = slog.Default()
	}
	if r.Patience <= 0 {
		r.Patience = joinPatience
	}
	ctx, cancel := context.WithTimeout(ctx, r.Patience)
	defer cancel()
	request := &clusterv1.JoinRequest{
		Secret: r.Token.Secret, Id: application.ID, Name: r.Name, Scheduler: r.Scheduler, Executor: r.Executor, Labels: r.Labels,
		CertificateRequest: application.CertificateRequest, Level: catalog.Level, Version: r.Version,
		Address: fromAddress(application.Address),
	}
	pause := backoff{first: firstPause, last: lastPause}
	for {
		response, err := r.ask(ctx, request)
		if err == nil {
			return admitted(response), nil
		}
		if _, final := errors.AsType[*refusedError](err); final || errors.Is(err, consensus.ErrOtherCluster) {
			return nil, fmt.Errorf("cluster at %s: %w", r.Address, err)
		}
		r.Logger.Warn("can't join yet; trying again", "address", r.Address, "error", err)
		if r.onRetry != nil {
			r.onRetry()
		}
		if pause.wait(ctx) != nil {
			return nil, fmt.Errorf("cluster at %s: gave up after %v: %w", r.Address, r.Patience, err)
		}
	}
}

// refusedError is an answer that another try would not change.
type refusedError struct{ message string }

func (e *refusedError) Error() string { return e.message }

func refused(format string, args ...any) error { return &refusedError{fmt.Sprintf(format, args...)} }

// ask makes one try.
func (r Request) ask(ctx context.Context, request *clusterv1.JoinRequest) (*clusterv1.JoinResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, joinAttempt)
	defer cancel()
	// The handshake comes first: its errors say more than gRPC's, and nothing is sent to a stranger.
	raw, err := (&tls.Dialer{Config: consensus.JoinTLS(r.Token.Authority)}).DialContext(ctx, "tcp", r.Address)
	if _, plain := errors.AsType[tls.RecordHeaderError](err); plain {
		return nil, refused("what listens there does not speak TLS: --join takes the address of a cluster port, as the line " +
			"`ready … cluster=ADDR` of a node says, not that of its gRPC or HTTP port")
	}
	if err != nil {
		return nil, err
	}
	conn, err := over(raw)
	if err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	defer func() { _ = conn.Close() }()
	response, err := clusterv1.NewJoinServiceClient(conn).Join(ctx, request)
	switch s := status.Convert(err); s.Code() {
	case codes.OK:
		return response, nil
	case codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted, codes.Canceled, codes.Internal:
		return nil, errors.New(s.Message())
	default:
		return nil, &refusedError{s.Message()}
	}
}

// over makes a gRPC client of one connection. It does not come back when the connection breaks.
func over(raw net.Conn) (*grpc.ClientConn, error) {
	conns := make(chan net.Conn, 1)
	conns <- raw
	return grpc.NewClient("passthrough:///weft", grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableServiceConfig(),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
			select {
			case conn := <-conns:
				return conn, nil
			default:
				return nil, errors.New("the connection was lost")
			}
		}))
}

func admitted(r *clusterv1.JoinResponse) *consensus.Admission {
	return &consensus.Admission{
		Cluster: r.GetCluster(), Authority: r.GetAuthority(), Certificate: r.GetCertificate(),
		AuthorityKey: r.GetAuthorityKey(), Addresses: toAddresses(r.GetAddresses()),
	}
}

func fromAddress(a consensus.Address) *clusterv1.Address {
	return &clusterv1.Address{Node: a.Node, Incarnation: a.Incarnation, Cluster: a.Cluster, Grpc: a.GRPC}
}

func fromAddresses(all []consensus.Address) []*clusterv1.Address {
	out := make([]*clusterv1.Address, len(all))
	for i, a := range all {
		out[i] = fromAddress(a)
	}
	return out
}

func toAddress(a *clusterv1.Address) consensus.Address {
	return consensus.Address{Node: a.GetNode(), Incarnation: a.GetIncarnation(), Cluster: a.GetCluster(), GRPC: a.GetGrpc()}
}

func toAddresses(all []*clusterv1.Address) []consensus.Address {
	out := make([]consensus.Address, len(all))
	for i, a := range all {
		out[i] = toAddress(a)
	}
	return out
}
