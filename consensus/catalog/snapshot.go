package catalog

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"

	"github.com/benbjohnson/immutable"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"google.golang.org/protobuf/proto"
)

// A snapshot, byte by byte:
//
//	8        "weftcat1"
//	uvarint  length of the header
//	…        weft.catalog.v1.SnapshotHeader
//	         then header.rows times:
//	uvarint  length of the row
//	…        weft.catalog.v1.SnapshotRow
//	32       SHA-256 of all bytes before
//
// Rows come in this order: each function with its revisions after it, deleted functions, contracts, routes, nodes,
// removed nodes, tokens, placements, secrets (each kind by its key), results by request ID (in log order). Equal states at
// equal indexes give equal bytes.
const (
	magic          = "weftcat1"
	snapshotFormat = 1
	maxRow         = 64 << 20 // bytes; far above what validation lets in
)

// ErrSnapshot is the error of a snapshot that is cut off, changed or of a newer format.
var ErrSnapshot = errors.New("catalog: bad snapshot")

// Image is the whole state at one index, ready to be written while the catalog moves on.
type Image struct {
	state   state
	applied []*catalogv1.Applied
}

// Image takes an image of the state. It costs a copy of some 10,000 pointers.
func (c *Catalog) Image() *Image {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &Image{state: c.state, applied: c.window.inOrder()}
}

// Index returns the log index of the image.
func (m *Image) Index() uint64 { return m.state.index }

// Snapshot writes the state as it is now.
func (c *Catalog) Snapshot(w io.Writer) error { return c.Image().Write(w) }

// Write writes the image as a snapshot. It may be called again.
func (m *Image) Write(w io.Writer) error {
	digest := sha256.New()
	buffered := bufio.NewWriterSize(io.MultiWriter(w, digest), 64<<10)
	header, err := deterministic.Marshal(&catalogv1.SnapshotHeader{
		Format: snapshotFormat, Index: m.state.index, Level: m.state.level, StateHash: m.state.hash(), Rows: uint64(m.state.rows),
	})
	if err != nil {
		return err
	}
	if _, err := buffered.WriteString(magic); err != nil {
		return err
	}
	if err := writeFrame(buffered, header); err != nil {
		return err
	}
	var encoded []byte
	for row := range m.rows() {
		encoded = appendRow(encoded[:0], row)
		if err := writeFrame(buffered, encoded); err != nil {
			return err
		}
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	_, err = w.Write(digest.Sum(nil))
	return err
}

func writeFrame(w *bufio.Writer, b []byte) error {
	var length [binary.MaxVarintLen64]byte
	if _, err := w.Write(length[:binary.PutUvarint(length[:], uint64(len(b)))]); err != nil {
		return err
	}
	_, err := w.Write(b)
	return err
}

// rows ranges over all rows in the order of a snapshot.
func (m *Image) rows() iter.Seq[*catalogv1.SnapshotRow] {
	return func(yield func(*catalogv1.SnapshotRow) bool) {
		s := &m.state
		for _, f := range entries(s.functions) {
			if !yield(functionRow(f)) {
				return
			}
			for _, r := range f.GetRevisions() {
				if !yield(revisionRow(f, r)) {
					return
				}
			}
		}
		if !yieldRows(s.deleted, deletedRow, yield) || !yieldRows(s.contracts, contractRow, yield) || !yieldRows(s.routes, routeRow, yield) {
			return
		}
		if !yieldClusterRows(s, yield) {
			return
		}
		for secret := range values(s.secrets) {
			if !yield(secretRow(secret)) {
				return
			}
		}
		for _, a := range m.applied {
			if !yield(appliedRow(a)) {
				return
			}
		}
	}
}

// yieldRows yields the rows of a map whose keys are a namespace and a name. It returns false when yield did.
func yieldRows[V any](
	m *immutable.SortedMap[string, V], row func(namespace, name string, value V) *catalogv1.SnapshotRow,
	yield func(*catalogv1.SnapshotRow) bool,
) bool {
	for k, value := range entries(m) {
		if namespace, name := splitKey(k); !yield(row(namespace, name, value)) {
			return false
		}
	}
	return true
}

// yieldClusterRows yields the rows that came with level 2. It returns false when yield did.
func yieldClusterRows(s *state, yield func(*catalogv1.SnapshotRow) bool) bool {
	for _, n := range entries(s.nodes) {
		if !yield(nodeRow(n)) {
			return false
		}
	}
	for id, name := range entries(s.removed) {
		if !yield(removedRow(id, name)) {
			return false
		}
	}
	for _, t := range entries(s.tokens) {
		if !yield(tokenRow(t)) {
			return false
		}
	}
	for _, p := range entries(s.placements) {
		if !yield(placementRow(p)) {
			return false
		}
	}
	return true
}

// Restore replaces the state by a snapshot. All or nothing: with an error, which is ErrSnapshot unless reading failed
// otherwise, the state and the view are as they were.
func (c *Catalog) Restore(r io.Reader) error {
	next, w, err := readSnapshot(r)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state, c.window, c.err = next, w, nil
	c.catchUp()
	return nil
}

func readSnapshot(r io.Reader) (state, window, error) {
	in := &snapshotReader{r: bufio.NewReaderSize(r, 64<<10), digest: sha256.New()}
	header, err := in.header()
	if err != nil {
		return state{}, window{}, err
	}
	b := newBuilder()
	for range header.GetRows() {
		var row catalogv1.SnapshotRow
		if err := in.message(&row); err != nil {
			return state{}, window{}, err
		}
		if err := b.put(&row); err != nil {
			return state{}, window{}, fmt.Errorf("%w: %w", ErrSnapshot, err)
		}
	}
	if err := in.end(); err != nil {
		return state{}, window{}, err
	}
	if err := b.finish(header); err != nil {
		return state{}, window{}, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	return b.state, b.window, nil
}

// snapshotReader reads frames and adds up the digest of what it has read.
type snapshotReader struct {
	r      *bufio.Reader
	digest hash.Hash
	frame  bytes.Buffer
}

func (in *snapshotReader) header() (*catalogv1.SnapshotHeader, error) {
	var got [len(magic)]byte
	if _, err := io.ReadFull(in.r, got[:]); err != nil {
		return nil, cutOff(err)
	}
	if string(got[:]) != magic {
		return nil, fmt.Errorf("%w: it does not begin with %q", ErrSnapshot, magic)
	}
	in.digest.Write(got[:])
	var header catalogv1.SnapshotHeader
	if err := in.message(&header); err != nil {
		return nil, err
	}
	if header.GetFormat() != snapshotFormat {
		return nil, fmt.Errorf("%w: format %d; this weft reads %d", ErrSnapshot, header.GetFormat(), snapshotFormat)
	}
	return &header, nil
}

// message reads one frame. Memory grows with the bytes that are there, not with the length that they claim.
func (in *snapshotReader) message(m proto.Message) error {
	length, err := binary.ReadUvarint(in.r)
	if err != nil {
		return cutOff(err)
	}
	if length > maxRow {
		return fmt.Errorf("%w: a row of %d bytes", ErrSnapshot, length)
	}
	in.digest.Write(binary.AppendUvarint(nil, length))
	in.frame.Reset()
	if _, err := io.CopyN(&in.frame, in.r, int64(length)); err != nil {
		return cutOff(err)
	}
	in.digest.Write(in.frame.Bytes())
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(in.frame.Bytes(), m); err != nil {
		return fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	return nil
}

// end checks the digest and that nothing follows it.
func (in *snapshotReader) end() error {
	var want [sha256.Size]byte
	if _, err := io.ReadFull(in.r, want[:]); err != nil {
		return cutOff(err)
	}
	if !bytes.Equal(want[:], in.digest.Sum(nil)) {
		return fmt.Errorf("%w: the checksum does not match", ErrSnapshot)
	}
	if _, err := in.r.ReadByte(); err == nil {
		return fmt.Errorf("%w: something follows its end", ErrSnapshot)
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func cutOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it is cut off", ErrSnapshot)
	}
	return fmt.Errorf("%w: %w", ErrSnapshot, err)
}
