package weft

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"google.golang.org/protobuf/proto"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// chunkSize is how much of a component one message carries.
const chunkSize = 256 << 10

// Deploy makes a revision of a function from a component, which it reads to its end. Of the spec only the name is
// needed; namespace, request ID and size are filled in where they are empty. If progress is not nil, it is called
// with the number of bytes sent so far, from Deploy's own goroutine.
//
// It returns once the revision is committed and, up to spec.Wait, ready.
func (c *Client) Deploy(ctx context.Context, component io.Reader, spec *weftv1.DeploySpec,
	progress func(sent int64),
) (*weftv1.DeployResponse, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.functions.Deploy(ctx)
	if err != nil {
		return nil, wrap(err)
	}
	err = upload(component, progress, func(chunk []byte) error {
		if chunk == nil {
			return stream.Send(&weftv1.DeployRequest{Part: &weftv1.DeployRequest_Spec{Spec: c.fill(spec, component)}})
		}
		return stream.Send(&weftv1.DeployRequest{Part: &weftv1.DeployRequest_Chunk{Chunk: chunk}})
	})
	if err != nil {
		return nil, err
	}
	r, err := stream.CloseAndRecv()
	return r, wrap(err)
}

// Diff compares a component with the stored contracts. It takes what Deploy takes and changes nothing.
func (c *Client) Diff(ctx context.Context, component io.Reader, spec *weftv1.DeploySpec) (*weftv1.DiffResponse, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.functions.Diff(ctx)
	if err != nil {
		return nil, wrap(err)
	}
	err = upload(component, nil, func(chunk []byte) error {
		if chunk == nil {
			return stream.Send(&weftv1.DiffRequest{Part: &weftv1.DiffRequest_Spec{Spec: c.fill(spec, component)}})
		}
		return stream.Send(&weftv1.DiffRequest{Part: &weftv1.DiffRequest_Chunk{Chunk: chunk}})
	})
	if err != nil {
		return nil, err
	}
	r, err := stream.CloseAndRecv()
	return r, wrap(err)
}

// upload sends nil, which stands for the spec, and then the component in chunks. It returns nil if the server ended
// the stream: the server's answer says why.
func upload(component io.Reader, progress func(int64), send func(chunk []byte) error) error {
	if err := send(nil); err != nil {
		return answered(err)
	}
	var sent int64
	buffer := make([]byte, chunkSize)
	for {
		n, err := io.ReadFull(component, buffer)
		if n > 0 {
			if err := send(buffer[:n]); err != nil {
				return answered(err)
			}
			sent += int64(n)
			if progress != nil {
				progress(sent)
			}
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return fmt.Errorf("weft: read the component: %w", err)
		}
	}
}

// answered tells whether a failed Send means that the answer is there to be received.
func answered(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return wrap(err)
}

func (c *Client) fill(spec *weftv1.DeploySpec, component io.Reader) *weftv1.DeploySpec {
	spec = proto.CloneOf(spec)
	setDefault(&spec.Namespace, c.namespace)
	setDefault(&spec.RequestId, rand.Text())
	if spec.Size == 0 {
		spec.Size = sizeOf(component)
	}
	return spec
}

// sizeOf is the size of a file or of a reader over memory, zero where it is not known.
func sizeOf(r io.Reader) uint64 {
	switch r := r.(type) {
	case interface{ Len() int }:
		return uint64(r.Len())
	case interface{ Stat() (fs.FileInfo, error) }:
		if info, err := r.Stat(); err == nil && info.Mode().IsRegular() {
			return uint64(info.Size())
		}
	}
	return 0
}
