package wasmtime

// #include <stdint.h>
// #include <stdlib.h>
import "C"

import (
	"sync"
	"sync/atomic"
	"unsafe"
)

// interruptWords is how many interrupts one allocation holds.
const interruptWords = 512

// interrupts is the memory of all interrupts: words in C memory that are never freed, so that a late Cancel can't hit
// anything else, and are used again under a new generation, so that it does not cancel someone else's call.
var interrupts struct {
	sync.Mutex
	free []*atomic.Uint64
}

// Interrupt lets another goroutine stop a guest. One Interrupt serves one instance at a time.
type Interrupt struct {
	word       *atomic.Uint64 // generation<<32 | cause
	generation uint32
}

// NewInterrupt returns an interrupt that is not cancelled, to be closed with [Interrupt.Close].
func NewInterrupt() *Interrupt {
	interrupts.Lock()
	defer interrupts.Unlock()
	if len(interrupts.free) == 0 {
		words := unsafe.Slice((*atomic.Uint64)(C.calloc(interruptWords, 8)), interruptWords)
		for i := range words {
			interrupts.free = append(interrupts.free, &words[i])
		}
	}
	last := len(interrupts.free) - 1
	word := interrupts.free[last]
	interrupts.free = interrupts.free[:last]
	return &Interrupt{word: word, generation: uint32(word.Load() >> 32)}
}

// Cancel makes the guest trap with [TrapInterrupted] at the next [Engine.Tick]; a guest that waits inside a WASI call
// traps when that returns. Only the first cause counts; it must not be 0. Cancel may be called by any goroutine at any
// time, even after Close, when it does nothing.
func (i *Interrupt) Cancel(cause int32) {
	fresh := uint64(i.generation) << 32
	i.word.CompareAndSwap(fresh, fresh|uint64(uint32(cause)))
}

// Cause returns the cause of the first Cancel, 0 if there was none or the interrupt was closed.
func (i *Interrupt) Cause() int32 {
	w := i.word.Load()
	if uint32(w>>32) != i.generation {
		return 0
	}
	return int32(uint32(w))
}

// Close gives the interrupt back, once its instance is closed. Closing twice is allowed, but not by two goroutines
// at once.
func (i *Interrupt) Close() {
	w := i.word.Load()
	if uint32(w>>32) != i.generation {
		return
	}
	for !i.word.CompareAndSwap(w, uint64(i.generation+1)<<32) {
		w = i.word.Load() // a Cancel came between
	}
	interrupts.Lock()
	defer interrupts.Unlock()
	interrupts.free = append(interrupts.free, i.word)
}

// address returns where C finds the word.
func (i *Interrupt) address() *C.uint64_t {
	collect()
	return (*C.uint64_t)(unsafe.Pointer(i.word))
}
