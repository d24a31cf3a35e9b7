package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weft-run/weft/consensus/catalog"
	backupv1 "github.com/weft-run/weft/proto/weft/backup/v1"
)

const (
	magic     = "weftbak1"
	format    = 1
	maxHeader = 64 << 10 // bytes
	bufferLen = 256 << 10
)

// Digest is the SHA-256 of an artifact.
type Digest = [sha256.Size]byte

// Source is what a backup is made of.
type Source struct {
	View *catalog.View
	// Cluster is the ID of the cluster, Version that of the weft binary, Created the time now.
	Cluster, Version string
	Created          time.Time
	// Artifact returns the file of an artifact, which must stay until the backup is written.
	Artifact func(context.Context, Digest) (path string, err error)
}

// Backup is a backup that is ready to be written.
type Backup struct {
	head      []byte // all before the catalog
	image     *catalog.Image
	length    int64 // of the catalog
	artifacts []artifact
}

type artifact struct {
	digest Digest
	size   int64
	path   string
}

// MissingError says that an artifact can't be had that a revision names.
type MissingError struct {
	Digest              Digest
	Namespace, Function string
	Revision            uint32
	Err                 error
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("backup: sha256:%x, the component of revision %d of function %s in namespace %s, can't be had: %v",
		e.Digest, e.Revision, e.Function, e.Namespace, e.Err)
}

func (e *MissingError) Unwrap() error { return e.Err }

// Make gets everything together that a backup holds, so that little can go wrong while it is written. Errors are
// *MissingError and those of ctx.
func Make(ctx context.Context, source Source) (*Backup, error) {
	b := &Backup{image: source.View.Backup()}
	header := &backupv1.Header{
		Format: format, Cluster: source.Cluster, Version: source.Version, CreatedUnixNanos: source.Created.UnixNano(),
	}
	for _, n := range named(source.View) {
		a := artifact{digest: n.digest}
		var err error
		if a.path, err = source.Artifact(ctx, n.digest); err == nil {
			a.size, err = sizeOf(a.path)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			return nil, &MissingError{n.digest, n.function.GetNamespace(), n.function.GetName(), n.revision.GetNumber(), err}
		}
		b.artifacts = append(b.artifacts, a)
		header.Artifacts++
		header.ArtifactBytes += uint64(a.size)
	}
	var length counter
	if err := b.image.Write(&length); err != nil {
		return nil, err
	}
	b.length = int64(length)
	header.CatalogBytes = uint64(length)
	var err error
	b.head, err = encodeHead(header)
	return b, err
}

func sizeOf(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func encodeHead(header *backupv1.Header) ([]byte, error) {
	encoded, err := proto.Marshal(header)
	if err != nil {
		return nil, err
	}
	head := append([]byte(magic), binary.LittleEndian.AppendUint32(nil, uint32(len(encoded)))...)
	head = append(head, encoded...)
	sum := sha256.Sum256(head)
	return append(head, sum[:]...), nil
}

// Size returns how many bytes Write writes.
func (b *Backup) Size() int64 {
	size := int64(len(b.head)) + b.length + sha256.Size
	for _, a := range b.artifacts {
		size += recordLen + a.size
	}
	return size
}

// recordLen is what stands before an artifact.
const recordLen = sha256.Size + 8

// Write writes the backup. With an error, which is that of w or of reading an artifact, what was written is of no use.
func (b *Backup) Write(w io.Writer) error {
	sum := sha256.New()
	all := io.MultiWriter(w, sum)
	if _, err := all.Write(b.head); err != nil {
		return err
	}
	if err := b.image.Write(all); err != nil {
		return err
	}
	buffer := make([]byte, bufferLen)
	for _, a := range b.artifacts {
		if err := a.write(all, buffer); err != nil {
			return err
		}
	}
	_, err := w.Write(sum.Sum(nil))
	return err
}

// write reads the artifact once more against its digest: a disk may have changed it since anybody looked.
func (a *artifact) write(w io.Writer, buffer []byte) error {
	f, err := os.Open(a.path)
	if err != nil {
		return fmt.Errorf("backup: an artifact is gone; try again: %w", err)
	}
	defer func() { _ = f.Close() }()
	if _, err := w.Write(binary.LittleEndian.AppendUint64(slices.Clone(a.digest[:]), uint64(a.size))); err != nil {
		return err
	}
	sum := sha256.New()
	// Without the limit a file that has grown would put what follows out of place.
	n, err := io.CopyBuffer(io.MultiWriter(w, sum), struct{ io.Reader }{io.LimitReader(f, a.size)}, buffer)
	if err != nil {
		return err
	}
	if n != a.size || !bytes.Equal(sum.Sum(nil), a.digest[:]) {
		return fmt.Errorf("backup: %s has changed on the disk; try again", a.path)
	}
	return nil
}

// counter counts the bytes written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
