package directory

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/protobuf/proto"

	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
)

// The file: fileMark, the CRC-32C of the rest (4 bytes, little-endian), an ExchangeResponse that has everything. It is
// replaced as a whole, and a damaged one is as good as none.
const fileMark = "weft directory 1\n"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// load reads the file. The view is empty if there is none, or an error.
func load(path string) (*View, error) {
	if path == "" {
		return newView(), nil
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return newView(), nil
	}
	if err != nil {
		return newView(), fmt.Errorf("directory: %w", err)
	}
	v, err := decode(data)
	if err != nil {
		return newView(), fmt.Errorf("directory: %s: %w", path, err)
	}
	return v, nil
}

func encode(v *View) ([]byte, error) {
	head := append([]byte(fileMark), 0, 0, 0, 0)
	data, err := proto.MarshalOptions{}.MarshalAppend(head, v.whole())
	if err != nil {
		return nil, err
	}
	binary.LittleEndian.PutUint32(data[len(fileMark):], crc32.Checksum(data[len(head):], castagnoli))
	return data, nil
}

func decode(data []byte) (*View, error) {
	const head = len(fileMark) + 4
	if len(data) < head || string(data[:len(fileMark)]) != fileMark {
		return nil, errors.New("not a file of this version")
	}
	body := data[head:]
	if binary.LittleEndian.Uint32(data[len(fileMark):]) != crc32.Checksum(body, castagnoli) {
		return nil, errors.New("the checksum differs")
	}
	all := new(clusterv1.ExchangeResponse)
	if err := proto.Unmarshal(body, all); err != nil {
		return nil, err
	}
	return ViewOf(all)
}

// keep writes the file whenever something has changed, at the pace that is set.
func (d *Directory) keep() {
	for {
		select {
		case <-d.unsaved:
			d.save()
		case <-d.ctx.Done():
			return
		}
		select {
		case <-time.After(savePace):
		case <-d.ctx.Done():
			return
		}
	}
}

func (d *Directory) save() {
	if d.config.Path == "" {
		return
	}
	if err := write(d.config.Path, d.View()); err != nil {
		d.config.Logger.Warn("what is known of other nodes can't be kept on disk", "error", err)
	}
}

// write replaces the file.
func write(path string, v *View) (err error) {
	data, err := encode(v)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
