package control

import (
	"bufio"
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc/codes"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/wit/component"
)

// MaxComponent is the largest component that is accepted, in bytes.
const MaxComponent = 256 << 20

// preamble is the length of the bytes that say what a WebAssembly file is.
const preamble = 8

// part is one message of an upload.
type part interface {
	GetSpec() *weftv1.DeploySpec
	GetChunk() []byte
}

// upload is the component that a client streams: an io.Reader. It fails when the client pauses for too long.
type upload struct {
	ctx    context.Context //nolint:containedctx // it is an io.Reader, of one request
	parts  <-chan received
	idle   time.Duration
	timer  *time.Timer
	rest   []byte
	failed error
}

type received struct {
	part part
	err  error
}

// receive reads the spec and the first bytes of a component. It returns the reader of the whole component, or what is
// wrong already. It is to be read until the stream's handler returns, and no longer.
func receive[P part](ctx context.Context, recv func() (P, error), idle time.Duration) (*weftv1.DeploySpec, io.Reader, error) {
	parts := make(chan received)
	go func() {
		// It ends with the stream: Recv fails then.
		for {
			p, err := recv()
			select {
			case parts <- received{p, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	u := &upload{ctx: ctx, parts: parts, idle: idle, timer: time.NewTimer(idle)}
	first, err := u.next()
	switch {
	case errors.Is(err, io.EOF) || err == nil && first.GetSpec() == nil:
		return nil, nil, invalid("the first message must hold the spec")
	case err != nil:
		return nil, nil, err
	}
	spec := first.GetSpec()
	if err := checkSpec(spec); err != nil {
		return nil, nil, err
	}
	body := bufio.NewReaderSize(u, preamble)
	begin, err := body.Peek(preamble)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	if len(begin) == 0 {
		return nil, nil, failure.New(codes.InvalidArgument, NotWasm, "the file is empty")
	}
	if _, err := component.Decode(begin); err != nil {
		return nil, nil, err
	}
	if spec.GetSize() > MaxComponent {
		return nil, nil, tooLarge()
	}
	return spec, body, nil
}

func tooLarge() error {
	return failure.Newf(codes.ResourceExhausted, TooLarge, "the component is over %d MiB, the most that is accepted", MaxComponent>>20)
}

func (u *upload) Read(p []byte) (int, error) {
	for len(u.rest) == 0 {
		if u.failed != nil {
			return 0, u.failed
		}
		next, err := u.next()
		switch {
		case err != nil:
			u.failed = err
		case next.GetSpec() != nil:
			u.failed = invalid("only the first message may hold a spec")
		default:
			u.rest = next.GetChunk()
		}
	}
	n := copy(p, u.rest)
	u.rest = u.rest[n:]
	return n, nil
}

func (u *upload) next() (part, error) {
	u.timer.Reset(u.idle)
	select {
	case r := <-u.parts:
		return r.part, r.err
	case <-u.timer.C:
		return nil, failure.Newf(codes.DeadlineExceeded, Idle, "nothing of the component came for %v", u.idle)
	case <-u.ctx.Done():
		return nil, u.ctx.Err()
	}
}
