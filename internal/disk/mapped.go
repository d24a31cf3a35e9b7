package disk

import (
	"fmt"
	"runtime/debug"
)

// Mapped runs what reads a file through go.etcd.io/bbolt, which maps it into memory and takes it for whole: of a damaged one it panics or
// touches what is beyond the end. Both become an error. What use has begun in the file must be undone by use itself as it panics; transactions of bbolt
// that are functions are.
func Mapped(use func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the file is damaged: %v", p)
		}
	}()
	return use()
}
