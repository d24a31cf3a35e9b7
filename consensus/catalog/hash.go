package catalog

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"sync"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// deterministic encodes rows: fields by number, map entries by key. The encoding that protobuf-go gives has been
// stable; the golden snapshot in testdata fails the build with a release that changes it.
var deterministic = proto.MarshalOptions{Deterministic: true}

// sum is the sum of the row hashes modulo 2^256, least significant word first. Addition makes it independent of the
// order and of the way to a state, and lets one row change without touching the others.
type sum [4]uint64

func (s *sum) add(h [32]byte) {
	var carry uint64
	for i := range s {
		s[i], carry = bits.Add64(s[i], binary.LittleEndian.Uint64(h[8*i:]), carry)
	}
}

func (s *sum) sub(h [32]byte) {
	var borrow uint64
	for i := range s {
		s[i], borrow = bits.Sub64(s[i], binary.LittleEndian.Uint64(h[8*i:]), borrow)
	}
}

// hash returns the state hash: SHA-256 over the level (4 bytes, little-endian), the number of rows (8) and the sum
// (32). The index is no part of it: a command that changes nothing leaves the hash as it is.
func (s *state) hash() []byte {
	var b [44]byte
	binary.LittleEndian.PutUint32(b[0:], s.level)
	binary.LittleEndian.PutUint64(b[4:], uint64(s.rows))
	for i, word := range s.sum {
		binary.LittleEndian.PutUint64(b[12+8*i:], word)
	}
	h := sha256.Sum256(b[:])
	return h[:]
}

func rowHash(row *catalogv1.SnapshotRow) [32]byte {
	scratch, _ := rowScratch.Get().(*[]byte)
	if scratch == nil {
		scratch = new([]byte)
	}
	defer rowScratch.Put(scratch)
	*scratch = appendRow((*scratch)[:0], row)
	return sha256.Sum256(*scratch)
}

var rowScratch sync.Pool // of *[]byte

// functionHash is rowHash of a function's row, and appliedHash that of a result's. Every command has them, so they are
// encoded by hand, in a tenth of the time. Tests compare.
func functionHash(f *catalogv1.Function) [32]byte {
	return handHash(1, func(b []byte) []byte {
		b = appendText(b, 1, f.GetNamespace())
		b = appendText(b, 2, f.GetName())
		b = appendNumber(b, 3, f.GetCreatedIndex())
		return appendNumber(b, 5, uint64(f.GetCurrent()))
	})
}

func appliedHash(a *catalogv1.Applied) [32]byte {
	r := a.GetResult()
	if r.GetRefusal() != nil { // none is remembered
		return rowHash(appliedRow(a))
	}
	return handHash(6, func(b []byte) []byte {
		b = appendText(b, 1, a.GetRequestId())
		if r == nil {
			return b
		}
		return appendMessage(b, 2, func(b []byte) []byte {
			b = appendNumber(b, 1, r.GetIndex())
			b = appendNumber(b, 3, uint64(r.GetRevision()))
			b = appendText(b, 4, r.GetPreviousOwner())
			b = appendNumber(b, 5, uint64(r.GetDeletedRevisions()))
			b = appendNumber(b, 6, r.GetSecretVersion())
			return appendNumber(b, 7, uint64(r.GetDeletedSecrets()))
		})
	})
}

// handHash hashes a SnapshotRow with one field, a message.
func handHash(field protowire.Number, row func([]byte) []byte) [32]byte {
	var room [256]byte
	return sha256.Sum256(appendMessage(room[:0], field, row))
}

func appendMessage(b []byte, field protowire.Number, message func([]byte) []byte) []byte {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	start := len(b)
	b = message(b)
	size := len(b) - start
	var length [10]byte
	n := len(protowire.AppendVarint(length[:0], uint64(size)))
	b = append(b, length[:n]...) // makes room; the message moves there
	copy(b[start+n:], b[start:start+size])
	protowire.AppendVarint(b[start:start], uint64(size))
	return b
}

func appendText(b []byte, field protowire.Number, text string) []byte {
	if text == "" {
		return b
	}
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), text)
}

func appendNumber(b []byte, field protowire.Number, n uint64) []byte {
	if n == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), n)
}

// appendRow panics only for text that is not UTF-8, which validation keeps out of every row.
func appendRow(b []byte, row *catalogv1.SnapshotRow) []byte {
	b, err := deterministic.MarshalAppend(b, row)
	if err != nil {
		panic("catalog: row: " + err.Error())
	}
	return b
}

func functionRow(f *catalogv1.Function) *catalogv1.SnapshotRow {
	return &catalogv1.SnapshotRow{Row: &catalogv1.SnapshotRow_Function{Function: &catalogv1.Function{
		Namespace: f.GetNamespace(), Name: f.GetName(), CreatedIndex: f.GetCreatedIndex(), Current: f.GetCurrent(),
	}}}
}

func revisionRow(f *catalogv1.Function, r *catalogv1.Revision) *catalogv1.SnapshotRow {
	return &catalogv1.SnapshotRow{Row: &catalogv1.SnapshotRow_Revision{Revision: &catalogv1.StoredRevision{
		Namespace: f.GetNamespace(), Name: f.GetName(), Revision: r,
	}}}
}

func deletedRow(namespace, name string, last uint32) *catalogv1.SnapshotRow {
	return &catalogv1.SnapshotRow{Row: &catalogv1.SnapshotRow_Deleted{Deleted: &catalogv1.DeletedFunction{
		Namespace: namespace, Name: name, LastRevision: last,
	}}}
}

func contractRow(namespace, pkg string, c *contract) *catalogv1.SnapshotRow {
	return &catalogv1.SnapshotRow{Row: &catalogv1.SnapshotRow_Contract{Contract: &catalogv1.StoredContract{
		Namespace: namespace, Package: pkg, Contract: c.encoded,
	}}}
}

func routeRow(namespace, service, function string) *catalogv1.SnapshotRow {
	return &catalogv1.SnapshotRow{Row: &catalogv1.SnapshotRow_Route{Route: &catalogv1.Route{
		Namespace: namespace, Service: service, Function: function,
	}}}
}

func nodeRow(n *catalogv1.Node) *catalogv1.SnapshotRow {
	return &catalogv1.SnapshotRow{Row: &catalogv1.SnapshotRow_Node{Node: n}}
}

func removedRow(id, name string) *catalogv1.SnapshotRow {
	return &catalogv1.SnapshotRow{Row: &catalogv1.SnapshotRow_RemovedNode{RemovedNode: &catalogv1.RemovedNode{Id: id, Name: name}}}
}

func tokenRow(t *catalogv1.Token) *catalogv1.SnapshotRow {
	return &catalogv1.SnapshotRow{Row: &catalogv1.SnapshotRow_Token{Token: t}}
}

func placementRow(p *catalogv1.Placement) *catalogv1.SnapshotRow {
	return &catalogv1.SnapshotRow{Row: &catalogv1.SnapshotRow_Placement{Placement: p}}
}

func secretRow(secret *catalogv1.Secret) *catalogv1.SnapshotRow {
	return &catalogv1.SnapshotRow{Row: &catalogv1.SnapshotRow_Secret{Secret: secret}}
}

func appliedRow(a *catalogv1.Applied) *catalogv1.SnapshotRow {
	return &catalogv1.SnapshotRow{Row: &catalogv1.SnapshotRow_Applied{Applied: a}}
}
