package backup

import (
	"bufio"
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/weft-run/weft/consensus/catalog"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/failure"
)

// ArtifactMissing is the reason where an artifact can't be had that the catalog names; see proto/weft/v1/node.proto.
const ArtifactMissing failure.Reason = "ARTIFACT_MISSING"

// Consensus is what a backup needs of consensus.Node.
type Consensus interface {
	Linearize(context.Context) error
	Catalog() *catalog.Catalog
	Cluster() string
}

// Fetcher is what a backup needs of artifacts.Fetcher: the file of an artifact, which comes from another node where it is
// not on this one.
type Fetcher interface {
	Fetch(ctx context.Context, digest Digest) (path string, err error)
}

// Keeper is what a backup needs of artifacts.Store: what is held is not removed, although functions are deleted meanwhile.
type Keeper interface {
	Hold(digest Digest) bool
	Release(digest Digest, settled bool)
}

// Config configures a Server.
type Config struct {
	Consensus Consensus
	Fetcher   Fetcher
	Keeper    Keeper
	// Version is that of the weft binary.
	Version string
}

// Server implements Backup of weft.v1.NodeService. It is safe for concurrent use and holds nothing that must be closed.
type Server struct{ config Config }

// NewServer makes a server.
func NewServer(c Config) *Server { return &Server{config: c} }

// Backup streams a backup. Nothing is sent before all of it is at hand. Errors are statuses where the artifacts are at
// fault, else those of Consensus, of sending, and of reading files.
func (s *Server) Backup(r *weftv1.BackupRequest, stream grpc.ServerStreamingServer[weftv1.BackupResponse]) error {
	ctx := stream.Context()
	switch r.GetConsistency() {
	case weftv1.Consistency_CONSISTENCY_STALE:
	case weftv1.Consistency_CONSISTENCY_UNSPECIFIED, weftv1.Consistency_CONSISTENCY_LINEARIZABLE:
		if err := s.config.Consensus.Linearize(ctx); err != nil {
			return err
		}
	default:
		return failure.Newf(codes.InvalidArgument, failure.InvalidRequest, "consistency %d is not known to this weft", r.GetConsistency())
	}
	var held []Digest
	defer func() {
		for _, digest := range held {
			s.config.Keeper.Release(digest, true)
		}
	}()
	b, err := Make(ctx, Source{
		View: s.config.Consensus.Catalog().View(), Cluster: s.config.Consensus.Cluster(), Version: s.config.Version,
		Created: time.Now(), Artifact: func(ctx context.Context, digest Digest) (string, error) {
			path, err := s.config.Fetcher.Fetch(ctx, digest)
			if err == nil && s.config.Keeper.Hold(digest) { // if it went just now, writing the backup says so
				held = append(held, digest)
			}
			return path, err
		},
	})
	if missing := new(MissingError); errors.As(err, &missing) {
		return failure.Newf(codes.Unavailable, ArtifactMissing, "%v; deploy it again, or delete the function, and try again", missing)
	}
	if err != nil {
		return err
	}
	// The buffer makes messages of a good size.
	out := bufio.NewWriterSize(&chunks{stream: stream, size: uint64(b.Size())}, bufferLen)
	if err := b.Write(out); err != nil {
		return err
	}
	return out.Flush()
}

// chunks sends what is written to it.
type chunks struct {
	stream grpc.ServerStreamingServer[weftv1.BackupResponse]
	size   uint64 // of the whole; 0 once it is told
}

func (c *chunks) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		piece := rest[:min(len(rest), bufferLen)]
		if err := c.stream.Send(&weftv1.BackupResponse{Chunk: piece, Size: c.size}); err != nil {
			return len(p) - len(rest), err
		}
		c.size, rest = 0, rest[len(piece):]
	}
	return len(p), nil
}
