package catalog

import (
	"bufio"
	"bytes"
	"crypto/sha256"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// forged is a snapshot of any rows whose header and checksum are right.
type forged struct {
	level uint32
	rows  []*catalogv1.SnapshotRow
}

func (m *forged) snapshot() []byte {
	s := state{index: 1000, level: m.level}
	for _, row := range m.rows {
		s.add(row)
	}
	header, err := deterministic.Marshal(&catalogv1.SnapshotHeader{
		Format: snapshotFormat, Index: s.index, Level: s.level, StateHash: s.hash(), Rows: uint64(s.rows),
	})
	if err != nil {
		panic(err)
	}
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	_, _ = w.WriteString(magic)
	_ = writeFrame(w, header)
	for _, row := range m.rows {
		_ = writeFrame(w, appendRow(nil, row))
	}
	_ = w.Flush()
	digest := sha256.Sum256(b.Bytes())
	return append(b.Bytes(), digest[:]...)
}
