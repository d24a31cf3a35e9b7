package wasmtime

// #include "weft.h"
import "C"

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// ends has goroutines hear of the ends of their calls apart, for the rest of the process. It is false where there is no file descriptor
// for that: then no call is made apart.
var ends = sync.OnceValue(func() bool {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return false
	}
	C.weft_ends = C.int(fd)
	go passOn(os.NewFile(uintptr(fd), "ends of calls"))
	return true
})

// passOn waits for calls to end, without a thread. The file is not closed as long as it reads.
func passOn(f *os.File) {
	var count [8]byte
	for {
		if _, err := f.Read(count[:]); err != nil {
			panic(err) // the goroutines would wait for ever
		}
		for call := C.weft_take_ended(); call != nil; {
			handleOf(C.weft_ended(call, &call)).ended <- struct{}{}
		}
	}
}

// mayEnd makes what a call apart tells that it has ended. It is false if that can't be had.
func (i *Instance) mayEnd() bool {
	if i.ended == nil {
		i.ended = make(chan struct{}, 1)
	}
	return ends()
}
