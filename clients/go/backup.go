package weft

import (
	"context"
	"errors"
	"fmt"
	"io"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// Backup writes a backup of the cluster to w: its catalog and all components, of every namespace. It holds the
// environment of functions as it is, so it is to be kept like a secret. If progress is not nil, it is called with the
// number of bytes written so far and that of the whole, from Backup's own goroutine.
//
// By default, and with Linearizable, it shows every change acknowledged before and fails without a leader; with Stale it
// is what the node that answers knows. With an error, which may be that of w, what was written is of no use.
func (c *Client) Backup(ctx context.Context, w io.Writer, progress func(written, size int64), options ...ReadOption) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.nodes.Backup(ctx, &weftv1.BackupRequest{Consistency: consistency(options)})
	if err != nil {
		return wrap(err)
	}
	var written, size int64
	for {
		piece, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return wrap(err)
		}
		size += int64(piece.GetSize()) // told once
		n, err := w.Write(piece.GetChunk())
		written += int64(n)
		if err != nil {
			return fmt.Errorf("weft: write the backup: %w", err)
		}
		if progress != nil {
			progress(written, size)
		}
	}
	if written != size {
		return fmt.Errorf("weft: the backup ended after %d of %d bytes", written, size)
	}
	return nil
}
