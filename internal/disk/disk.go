//go:build !weft_faults

package disk

import "os"

// File is a file that is written.
type File = os.File

// OpenFile is os.OpenFile.
func OpenFile(name string, flag int, perm os.FileMode) (*File, error) {
	return os.OpenFile(name, flag, perm)
}

// CreateTemp is os.CreateTemp.
func CreateTemp(dir, pattern string) (*File, error) { return os.CreateTemp(dir, pattern) }

// Rename is os.Rename.
func Rename(from, to string) error { return os.Rename(from, to) }

// SyncDir syncs a directory: the names of the files in it are on disk then.
func SyncDir(dir string) error { return syncDir(dir) }
