package artifacts

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
	"github.com/weft-run/weft/services/peer"
)

// Code is the compiled code of this node; *executor.Executor is one.
type Code interface {
	// Fingerprint names the engine.
	Fingerprint() string
	// Code gives the file with the compiled code of a component. It may be removed at any time.
	Code(digest [32]byte) (path string, size int64, checksum [32]byte, ok bool)
}

// Server implements weft.cluster.v1.ArtifactService, for nodes of the cluster: whoever calls is believed to be one.
type Server struct {
	clusterv1.UnimplementedArtifactServiceServer

	store *Store
	code  Code
	stall time.Duration
	wait  time.Duration
	out   chan struct{} // a token of each stream that goes out
	in    chan struct{} // and of each that comes in
}

// What a node does for others at once. Who finds no place within busyWait is told to ask somebody else.
const (
	maxOut     = 16
	maxIn      = 8
	busyWait   = 5 * time.Second
	serveStall = time.Minute
	maxDigests = 1024
)

// NewServer makes a server. It holds nothing that must be closed. Code is nil where nothing is compiled.
func NewServer(store *Store, code Code) *Server {
	return &Server{store: store, code: code, stall: serveStall, wait: busyWait,
		out: make(chan struct{}, maxOut), in: make(chan struct{}, maxIn)}
}

// Register adds the service to what this node serves to others.
func (s *Server) Register(r grpc.ServiceRegistrar) { clusterv1.RegisterArtifactServiceServer(r, s) }

// Has implements weft.cluster.v1.ArtifactService.
func (s *Server) Has(ctx context.Context, r *clusterv1.HasRequest) (*clusterv1.HasResponse, error) {
	if n := len(r.GetDigests()); n > maxDigests {
		return nil, status.Errorf(codes.InvalidArgument, "%d digests at once; at most %d", n, maxDigests)
	}
	out := &clusterv1.HasResponse{}
	for _, digest := range r.GetDigests() {
		d, err := digestOf(digest)
		if err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, status.FromContextError(err).Err()
		}
		if _, err := s.store.Path(d); err == nil && (!r.GetKeep() || s.store.keep(d, peer.From(ctx))) {
			out.Digests = append(out.Digests, digest)
		} else if size := s.store.partial(d); size > 0 {
			out.Partials = append(out.Partials, &clusterv1.Partial{Digest: digest, Size: uint64(size)})
		}
	}
	return out, nil
}

// Fetch implements weft.cluster.v1.ArtifactService.
func (s *Server) Fetch(r *clusterv1.FetchRequest, out grpc.ServerStreamingServer[clusterv1.FetchResponse]) error {
	d, err := digestOf(r.GetDigest())
	if err != nil {
		return err
	}
	leave, err := s.enter(out.Context(), s.out)
	if err != nil {
		return err
	}
	defer leave()
	path, err := s.store.Path(d)
	if err != nil {
		return failed(err)
	}
	return serve(path, r.GetOffset(), func(size int64, chunk []byte) error {
		return out.Send(&clusterv1.FetchResponse{Size: uint64(size), Chunk: chunk})
	})
}

// FetchCode implements weft.cluster.v1.ArtifactService.
func (s *Server) FetchCode(r *clusterv1.FetchCodeRequest, out grpc.ServerStreamingServer[clusterv1.FetchCodeResponse]) error {
	d, err := digestOf(r.GetDigest())
	if err != nil {
		return err
	}
	if s.code == nil {
		return status.Error(codes.NotFound, "this node compiles nothing")
	}
	leave, err := s.enter(out.Context(), s.out)
	if err != nil {
		return err
	}
	defer leave()
	path, _, checksum, ok := s.code.Code(d)
	ok = ok && s.code.Fingerprint() == r.GetEngine()
	if from := s.store.origin(d); !ok && from != "" && from != peer.From(out.Context()) {
		return out.Send(&clusterv1.FetchCodeResponse{Elsewhere: from})
	}
	if !ok {
		return status.Errorf(codes.NotFound, "there is no compiled code of %x for this engine", d)
	}
	return serve(path, r.GetOffset(), func(size int64, chunk []byte) error {
		m := &clusterv1.FetchCodeResponse{Size: uint64(size), Chunk: chunk}
		if size > 0 {
			m.Checksum = checksum[:]
		}
		return out.Send(m)
	})
}

// serve sends a file from an offset on. Size is that of the file in the first message and 0 in the others.
func serve(path string, offset uint64, send func(size int64, chunk []byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return failed(err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return failed(err)
	}
	if offset > uint64(info.Size()) {
		return status.Errorf(codes.OutOfRange, "there are %d bytes; none at %d", info.Size(), offset)
	}
	if _, err := f.Seek(int64(offset), io.SeekStart); err != nil {
		return failed(err)
	}
	size := info.Size()
	if offset == uint64(size) {
		return send(size, nil)
	}
	return stream(f, func(chunk []byte) error {
		defer func() { size = 0 }()
		return send(size, chunk)
	})
}

// Store implements weft.cluster.v1.ArtifactService.
func (s *Server) Store(in grpc.ClientStreamingServer[clusterv1.StoreRequest, clusterv1.StoreResponse]) error {
	leave, err := s.enter(in.Context(), s.in)
	if err != nil {
		return err
	}
	defer leave()
	next := s.receiver(in)
	header, err := next()
	if errors.Is(err, io.EOF) {
		return status.Error(codes.InvalidArgument, "the first message must say which artifact comes")
	}
	if err != nil {
		return err
	}
	d, err := digestOf(header.GetDigest())
	if err != nil {
		return err
	}
	if header.GetSize() > MaxSize {
		return status.Errorf(codes.InvalidArgument, "an artifact of %d bytes; at most %d", header.GetSize(), MaxSize)
	}
	if err := s.take(in.Context(), d, header, next); err != nil {
		return failed(err)
	}
	return in.SendAndClose(&clusterv1.StoreResponse{})
}

// take stores what comes after a header.
func (s *Server) take(ctx context.Context, d Digest, header *clusterv1.StoreRequest, next func() (*clusterv1.StoreRequest, error)) error {
	a, err := s.store.arrive(ctx, d)
	if err != nil {
		return err
	}
	if a == nil {
		if !s.store.keep(d, peer.From(ctx)) {
			return status.Error(codes.Unavailable, "the artifact was there and is gone; send it again")
		}
		return nil
	}
	defer a.close()
	if header.GetOffset() > min(uint64(a.have), header.GetSize()) {
		return status.Errorf(codes.OutOfRange, "%d bytes of %x are there, not %d", a.have, d, header.GetOffset())
	}
	if err := a.restart(int64(header.GetOffset())); err != nil {
		return err
	}
	body := &chunks{rest: header.GetChunk(), next: func() ([]byte, error) {
		m, err := next()
		return m.GetChunk(), err
	}}
	if err := a.take(ctx, body, int64(header.GetSize())); err != nil {
		return err
	}
	if err := a.commit(); err != nil {
		return err
	}
	s.store.keep(d, peer.From(ctx))
	return nil
}

// receiver gives what reads the messages of a stream and fails if none comes for too long. It may be called until the
// handler returns.
func (s *Server) receiver(in grpc.ClientStreamingServer[clusterv1.StoreRequest, clusterv1.StoreResponse]) func() (*clusterv1.StoreRequest, error) {
	type received struct {
		message *clusterv1.StoreRequest
		err     error
	}
	ctx, messages := in.Context(), make(chan received)
	go func() { // it ends with the stream, when the handler returns: Recv fails then
		for {
			m, err := in.Recv()
			select {
			case messages <- received{m, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	timer := time.NewTimer(s.stall)
	return func() (*clusterv1.StoreRequest, error) {
		timer.Reset(s.stall)
		select {
		case r := <-messages:
			return r.message, r.err
		case <-timer.C:
			return nil, status.Errorf(codes.DeadlineExceeded, "nothing came for %v", s.stall)
		case <-ctx.Done():
			return nil, status.FromContextError(ctx.Err()).Err()
		}
	}
}

// enter waits for a place among the streams, not for long.
func (s *Server) enter(ctx context.Context, places chan struct{}) (leave func(), err error) {
	timer := time.NewTimer(s.wait)
	defer timer.Stop()
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-timer.C:
		return nil, status.Errorf(codes.Unavailable, "the node serves %d artifacts already; ask another, or try again", cap(places))
	case <-ctx.Done():
		return nil, status.FromContextError(ctx.Err()).Err()
	}
}

func digestOf(digest []byte) (Digest, error) {
	if len(digest) != len(Digest{}) {
		return Digest{}, status.Errorf(codes.InvalidArgument, "a digest of %d bytes; SHA-256 has %d", len(digest), len(Digest{}))
	}
	return Digest(digest), nil
}

// failed gives the status of what went wrong on this node.
func failed(err error) error {
	if _, ok := status.FromError(err); ok {
		return err
	}
	code := codes.Internal
	switch {
	case errors.Is(err, ErrStorage):
		code = codes.ResourceExhausted
	case errors.Is(err, ErrNotFound), errors.Is(err, os.ErrNotExist):
		code = codes.NotFound
	case errors.Is(err, ErrTooLarge):
		code = codes.InvalidArgument
	case errors.Is(err, errIncomplete):
		code = codes.Aborted
	case errors.Is(err, ErrCorrupt):
		code = codes.DataLoss
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return status.FromContextError(err).Err()
	}
	return status.Error(code, err.Error())
}
