package consensus

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"

	"github.com/weft-run/weft/internal/disk"
)

var _ raft.MonotonicLogStore = checked{}

// checked is raft's store on disk with a checksum for each thing in it, so that a bit that flips there is found when it
// is read: also in the entries that are raft's own, the cluster's configurations, and in term and vote. raft-wal checks
// only the last batch that it wrote.
//
//	entries   Extensions begins with the CRC-32C of all else, 4 bytes, little-endian
//	values    1, the CRC-32C of key and value, 4 bytes, little-endian, the value; that of a number has 8 bytes, big-endian
//
// What was written before there were checksums has no extensions, and values that do not begin with 1; it is taken as it
// is.
type checked struct{ logStore }

const (
	sumSize   = 4
	sumFormat = 1
)

var errChecksum = errors.New("the checksum does not match")

// openSound opens a log whose list of segments, a file of bbolt, may be damaged, of which raft-wal takes no notice.
func openSound(open func() (*wal.WAL, error)) (log *wal.WAL, err error) {
	if fault := disk.Mapped(func() error { log, err = open(); return nil }); fault != nil {
		return nil, fmt.Errorf("%w: its list of segments, wal-meta.db: %w", ErrDamaged, fault)
	}
	return log, err
}

// IsMonotonic implements raft.MonotonicLogStore. raft-wal is.
func (checked) IsMonotonic() bool { return true }

// StoreLog implements raft.LogStore.
func (c checked) StoreLog(entry *raft.Log) error { return c.StoreLogs([]*raft.Log{entry}) }

// StoreLogs implements raft.LogStore.
func (c checked) StoreLogs(entries []*raft.Log) error {
	stored, copies := make([]*raft.Log, len(entries)), make([]raft.Log, len(entries))
	for i, entry := range entries {
		copies[i] = *entry // raft goes on working with its own
		sum := binary.LittleEndian.AppendUint32(make([]byte, 0, sumSize+len(entry.Extensions)), sumOf(entry, entry.Extensions))
		copies[i].Extensions = append(sum, entry.Extensions...)
		stored[i] = &copies[i]
	}
	return c.logStore.StoreLogs(stored)
}

// GetLog implements raft.LogStore.
func (c checked) GetLog(index uint64, entry *raft.Log) error {
	if err := c.logStore.GetLog(index, entry); err != nil || len(entry.Extensions) == 0 {
		return err
	}
	if len(entry.Extensions) < sumSize {
		return fmt.Errorf("%w: entry %d: %w", ErrDamaged, index, errChecksum)
	}
	sum, rest := binary.LittleEndian.Uint32(entry.Extensions), entry.Extensions[sumSize:]
	if entry.Index != index || sum != sumOf(entry, rest) {
		return fmt.Errorf("%w: entry %d: %w", ErrDamaged, index, errChecksum)
	}
	entry.Extensions = nil
	if len(rest) > 0 {
		entry.Extensions = rest
	}
	return nil
}

func sumOf(entry *raft.Log, extensions []byte) uint32 {
	var header [17]byte
	binary.LittleEndian.PutUint64(header[0:], entry.Index)
	binary.LittleEndian.PutUint64(header[8:], entry.Term)
	header[16] = byte(entry.Type)
	sum := crc32.Update(crc32.Checksum(header[:], castagnoli), castagnoli, entry.Data)
	return crc32.Update(sum, castagnoli, extensions)
}

// Set implements raft.StableStore.
func (c checked) Set(key, value []byte) error { return c.logStore.Set(key, seal(key, value)) }

// Get implements raft.StableStore.
func (c checked) Get(key []byte) ([]byte, error) {
	stored, err := c.logStore.Get(key)
	if err != nil {
		return nil, err
	}
	value, err := unseal(key, stored)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, key, err)
	}
	return value, nil
}

// SetUint64 implements raft.StableStore.
func (c checked) SetUint64(key []byte, value uint64) error {
	return c.Set(key, binary.BigEndian.AppendUint64(nil, value))
}

// GetUint64 implements raft.StableStore.
func (c checked) GetUint64(key []byte) (uint64, error) {
	stored, err := c.logStore.Get(key)
	if err != nil {
		return 0, err
	}
	if len(stored) <= 8 { // none, or one without a checksum
		return c.logStore.GetUint64(key)
	}
	value, err := unseal(key, stored)
	if err == nil && len(value) != 8 {
		err = fmt.Errorf("a number of %d bytes", len(value))
	}
	if err != nil {
		return 0, fmt.Errorf("%w: %s: %w", ErrDamaged, key, err)
	}
	return binary.BigEndian.Uint64(value), nil
}

func seal(key, value []byte) []byte {
	sum := crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
	return append(binary.LittleEndian.AppendUint32([]byte{sumFormat}, sum), value...)
}

func unseal(key, stored []byte) ([]byte, error) {
	if len(stored) == 0 || stored[0] != sumFormat {
		return stored, nil
	}
	if len(stored) < 1+sumSize {
		return nil, errChecksum
	}
	sum, value := binary.LittleEndian.Uint32(stored[1:]), stored[1+sumSize:]
	if sum != crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value) {
		return nil, errChecksum
	}
	return value, nil
}
