package consensus

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"google.golang.org/protobuf/proto"
)

// An entry of the log:
//
//	1  format, 1
//	4  CRC-32C of the command, little-endian
//	…  weft.catalog.v1.Command
//
// The checksum travels with the command: over the network, into journals, and to followers of the catalog. What the disk
// does to the log is found before (checked.go).
const (
	entryFormat = 1
	entryHeader = 5
)

// MaxCommand is the size of the largest command, encoded, in bytes.
const MaxCommand = 8 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func encodeEntry(cmd *catalogv1.Command) ([]byte, error) {
	entry := make([]byte, entryHeader, entryHeader+256)
	entry, err := proto.MarshalOptions{}.MarshalAppend(entry, cmd)
	if err != nil {
		return nil, fmt.Errorf("consensus: encode command: %w", err)
	}
	if size := len(entry) - entryHeader; size > MaxCommand {
		return nil, fmt.Errorf("%w: %d bytes, more than %d", ErrTooLarge, size, MaxCommand)
	}
	entry[0] = entryFormat
	binary.LittleEndian.PutUint32(entry[1:], crc32.Checksum(entry[entryHeader:], castagnoli))
	return entry, nil
}

func decodeEntry(entry []byte) (*catalogv1.Command, error) {
	if len(entry) < entryHeader {
		return nil, errors.New("it is cut off")
	}
	if entry[0] != entryFormat {
		return nil, fmt.Errorf("format %d; this weft reads %d", entry[0], entryFormat)
	}
	if binary.LittleEndian.Uint32(entry[1:]) != crc32.Checksum(entry[entryHeader:], castagnoli) {
		return nil, errors.New("the checksum does not match")
	}
	var cmd catalogv1.Command
	if err := proto.Unmarshal(entry[entryHeader:], &cmd); err != nil {
		return nil, err
	}
	return &cmd, nil
}
