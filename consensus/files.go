package consensus

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/weft-run/weft/internal/disk"
)

// writeFile puts a file that only we may read in place, all or nothing: a temporary one beside it, fsync, rename, fsync of the directory.
func writeFile(path string, write func(io.Writer) error) (err error) {
	tmp, err := disk.OpenFile(path+".tmp", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	if err := errors.Join(write(tmp), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := disk.Rename(tmp.Name(), path); err != nil {
		return err
	}
	return disk.SyncDir(filepath.Dir(path))
}

// fromDisk reports whether an error is of the kind that goes away without us: a full, failing or read-only disk.
func fromDisk(err error) bool {
	for _, e := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.EROFS} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
