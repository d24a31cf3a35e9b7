package consensus

import (
	"context"
	"errors"
	"io"
	"net"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// Peers reaches other nodes of the cluster. package services/peer and those that stand on it implement it; consensus
// itself speaks nothing but raft.
//
// Errors are those of this package where the other node said so: ErrNotLeader, ErrOutcomeUnknown, ErrStorage and so on.
// A request whose answer was lost is ErrOutcomeUnknown; one that surely did not arrive is ErrUnreachable.
type Peers interface {
	// Apply has a node that leads propose a command.
	Apply(ctx context.Context, node string, cmd *catalogv1.Command) (*catalogv1.Result, error)
	// Linearize asks a node that leads for an index: a catalog that has reached it shows all that was acknowledged before.
	Linearize(ctx context.Context, node string) (index uint64, err error)
	// Watch follows the catalog of a scheduler from an index on, until ctx is done or the scheduler or the sink fails.
	Watch(ctx context.Context, node string, from Position, sink Sink) error
}

// Position is a log index with the state hash of the catalog there. A watch from an index above 0 without a hash asks for a
// snapshot: whoever watches knows that its own catalog is wrong.
type Position struct {
	Index uint64
	Hash  []byte
}

// Sink takes what a watch brings, in order. An error ends the watch.
type Sink interface {
	// Snapshot replaces the whole catalog. The reader gives a snapshot as package catalog writes it.
	Snapshot(r io.Reader) error
	// Entries applies entries of the log.
	Entries(entries []Entry) error
	// Heartbeat says how far the scheduler is.
	Heartbeat(Heartbeat) error
}

// Entry is one committed command, as it is in the log (entry.go).
type Entry struct {
	Index uint64
	Data  []byte
}

// Heartbeat says how far a scheduler's catalog is.
type Heartbeat struct {
	Position
	// StaleNanos is how long ago the scheduler last heard of the leader.
	StaleNanos int64
	// Leader is the ID of the node that leads; "" if the scheduler knows of none.
	Leader string
}

// Errors of other nodes.
var (
	// ErrNotLeader: the node that was asked does not lead. Nothing was proposed.
	ErrNotLeader = errors.New("consensus: the node does not lead")
	// ErrNoLog: the node that was asked for its log has none, now or ever. Another scheduler may.
	ErrNoLog = errors.New("consensus: the node has no log to follow")
	// ErrUnreachable: the node could not be reached. Nothing was proposed.
	ErrUnreachable = errors.New("consensus: the node can't be reached")
)

// Address is where a node is.
type Address struct {
	// Node is the ID.
	Node string `json:"node"`
	// Incarnation grows with each start of the node: of two addresses the one with the higher number holds.
	Incarnation uint64 `json:"incarnation"`
	// Cluster is HOST:PORT of the cluster port, as peers should dial it.
	Cluster string `json:"cluster"`
	// GRPC is HOST:PORT of the gRPC port; empty while it is not known.
	GRPC string `json:"grpc"`
}

// Application is what a new node asks a cluster with.
type Application struct {
	// ID is the one that the node has made for itself, of its key; CertificateRequest is PKCS #10, DER.
	ID                 string
	CertificateRequest []byte
	Address            Address
}

// Admission is what makes a node a member.
type Admission struct {
	Cluster                string
	Authority, Certificate []byte // DER
	AuthorityKey           []byte // PKCS #8, DER; nil unless the node is a scheduler
	Addresses              []Address
}

// Handler owns the connection that it gets. Peer is the ID of the node at the other end, as its certificate says; ""
// where the protocol takes clients without one.
type Handler func(conn net.Conn, peer string)
