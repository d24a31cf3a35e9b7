package backup

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"

	"google.golang.org/protobuf/proto"

	"github.com/weft-run/weft/consensus/catalog"
	backupv1 "github.com/weft-run/weft/proto/weft/backup/v1"
)

var (
	// ErrDamaged says that a file is no backup, is cut off, or has changed since it was written. The message says where.
	ErrDamaged = errors.New("backup: damaged")
	// ErrNewer says that a backup is of a newer weft, which can read it.
	ErrNewer = errors.New("backup: it is of a newer weft; use that one")
)

// Sink takes the parts of a backup, in this order. What it was given may be used only after Read has returned without
// an error. An error of its own ends the reading.
type Sink interface {
	// Catalog gets what the backup was made of.
	Catalog(*catalog.View) error
	// Artifact gets an artifact that the catalog names. It need not read all of r, which fails where the file is cut off.
	Artifact(digest Digest, size int64, r io.Reader) error
}

// Read reads a backup, checks all of it, and gives its parts to the sink. Errors are ErrDamaged, ErrNewer, those of
// reading and those of the sink.
func Read(r io.Reader, sink Sink) (*backupv1.Header, error) {
	in := &reader{r: bufio.NewReaderSize(r, bufferLen), sum: sha256.New(), where: "the header"}
	header, err := in.header()
	if err != nil {
		return nil, err
	}
	view, err := in.catalog(header)
	if err != nil {
		return nil, err
	}
	if err := sink.Catalog(view); err != nil {
		return nil, err
	}
	all := named(view)
	if uint64(len(all)) != header.GetArtifacts() {
		return nil, in.damaged("the header counts %d artifacts, and the catalog names %d", header.GetArtifacts(), len(all))
	}
	for i, n := range all {
		in.where = fmt.Sprintf("artifact %d of %d, sha256:%x", i+1, len(all), n.digest)
		if err := in.artifact(n.digest, sink); err != nil {
			return nil, err
		}
	}
	in.where = "the checksum at its end"
	return header, in.end()
}

// Summary tells what is in a backup.
type Summary struct {
	Header               *backupv1.Header
	Functions, Revisions int
}

// summarize is for a backup that was read whole.
func summarize(header *backupv1.Header, view *catalog.View) Summary {
	s := Summary{Header: header, Functions: view.Len()}
	for f := range view.All() {
		s.Revisions += len(f.GetRevisions())
	}
	return s
}

// Verify reads a backup and checks all of it. Errors are those of Read.
func Verify(r io.Reader) (Summary, error) {
	var sink viewing
	header, err := Read(r, &sink)
	if err != nil {
		return Summary{}, err
	}
	return summarize(header, sink.view), nil
}

// viewing is a sink that keeps the catalog alone.
type viewing struct{ view *catalog.View }

func (v *viewing) Catalog(view *catalog.View) error {
	v.view = view
	return nil
}

func (v *viewing) Artifact(Digest, int64, io.Reader) error { return nil }

// reader counts and hashes what is read.
type reader struct {
	r     *bufio.Reader
	at    int64 // bytes read
	sum   hash.Hash
	where string // the part that is being read
	begin int64  // where the part began
	err   error  // of the last Read
}

// Read fails with ErrDamaged where the file ends.
func (in *reader) Read(p []byte) (int, error) {
	n, err := in.r.Read(p)
	in.sum.Write(p[:n])
	in.at += int64(n)
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: it is cut off at byte %d, in %s", ErrDamaged, in.at, in.where)
	}
	in.err = err
	return n, err
}

func (in *reader) full(p []byte) error {
	_, err := io.ReadFull(in, p)
	return err
}

// damaged makes an error about the part that was just read.
func (in *reader) damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s (bytes %d to %d): %w", ErrDamaged, in.where, in.begin, in.at, fmt.Errorf(format, args...))
}

func (in *reader) header() (*backupv1.Header, error) {
	var begin [len(magic) + 4]byte
	if err := in.full(begin[:len(magic)]); err != nil {
		return nil, err
	}
	if string(begin[:len(magic)]) != magic {
		return nil, in.damaged("it does not begin with %q, so it is no backup of weft", magic)
	}
	if err := in.full(begin[len(magic):]); err != nil {
		return nil, err
	}
	length := binary.LittleEndian.Uint32(begin[len(magic):])
	if length > maxHeader {
		return nil, in.damaged("its length can't be %d bytes", length)
	}
	encoded := make([]byte, length)
	if err := in.full(encoded); err != nil {
		return nil, err
	}
	if err := in.checksum(); err != nil {
		return nil, err
	}
	var header backupv1.Header
	if err := proto.Unmarshal(encoded, &header); err != nil {
		return nil, in.damaged("%w", err)
	}
	if header.GetFormat() != format {
		return nil, fmt.Errorf("%w: format %d; this weft reads %d", ErrNewer, header.GetFormat(), format)
	}
	return &header, nil
}

// checksum reads the SHA-256 of what was read so far.
func (in *reader) checksum() error {
	want := in.sum.Sum(nil)
	got := make([]byte, len(want))
	if err := in.full(got); err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return in.damaged("the checksum does not match")
	}
	return nil
}

func (in *reader) catalog(header *backupv1.Header) (*catalog.View, error) {
	in.where, in.begin = "the catalog", in.at
	c := catalog.New()
	part := &io.LimitedReader{R: in, N: int64(header.GetCatalogBytes())}
	switch err := c.Restore(part); {
	case in.err != nil: // the snapshot is not to blame
		return nil, in.err
	case errors.Is(err, catalog.ErrSnapshot):
		in.at = in.begin + int64(header.GetCatalogBytes())
		return nil, in.damaged("%w", err)
	case err != nil:
		return nil, err
	}
	if level := c.View().Level(); level > catalog.Level {
		return nil, fmt.Errorf("%w: its catalog is of level %d; this weft knows %d", ErrNewer, level, catalog.Level)
	}
	return c.View(), nil
}

// maxArtifact is far above what deploys let in.
const maxArtifact = 1 << 40

func (in *reader) artifact(digest Digest, sink Sink) error {
	in.begin = in.at
	var record [recordLen]byte
	if err := in.full(record[:]); err != nil {
		return err
	}
	if !bytes.Equal(record[:sha256.Size], digest[:]) {
		return in.damaged("sha256:%x is in its place", record[:sha256.Size])
	}
	size := binary.LittleEndian.Uint64(record[sha256.Size:])
	if size > maxArtifact {
		return in.damaged("its size can't be %d bytes", size)
	}
	sum := sha256.New()
	part := io.TeeReader(io.LimitReader(in, int64(size)), sum)
	err := sink.Artifact(digest, int64(size), part)
	if err == nil {
		_, err = io.Copy(io.Discard, part)
	}
	if in.err != nil { // whatever the sink makes of it
		return in.err
	}
	if err != nil {
		return err
	}
	if !bytes.Equal(sum.Sum(nil), digest[:]) {
		return in.damaged("the bytes are not what the digest says")
	}
	return nil
}

// end checks the sum of everything, and that nothing follows.
func (in *reader) end() error {
	in.begin = in.at
	if err := in.checksum(); err != nil {
		return err
	}
	switch _, err := in.r.ReadByte(); {
	case err == nil:
		return fmt.Errorf("%w: something follows the checksum at its end, at byte %d", ErrDamaged, in.at)
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}
