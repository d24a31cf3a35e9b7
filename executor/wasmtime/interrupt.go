package wasmtime

// #include "weft.h"
// #include <stdlib.h>
import "C"

import (
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// interruptsPerBlock is how many interrupts one allocation holds.
const interruptsPerBlock = 512

// interrupts is the memory of all interrupts: words in C memory that are never freed, so that a late Cancel can't hit
// anything else, and are used again under a new generation, so that it does not cancel someone else's call.
var interrupts = spares[*interruptWords]{more: func() []*interruptWords {
	block := unsafe.Slice((*interruptWords)(C.calloc(interruptsPerBlock, C.size_t(unsafe.Sizeof(interruptWords{})))), interruptsPerBlock)
	all := make([]*interruptWords, len(block))
	for i := range block {
		all[i] = &block[i]
	}
	return all
}}

// interruptWords is weft_interrupt in Go. Each word has the generation in its upper half.
type interruptWords struct {
	cause  atomic.Uint64
	turn   atomic.Uint64 // of the flags WEFT_PAUSE, WEFT_RESTS, WEFT_LOWER, WEFT_MEASURE and WEFT_STOP, and WEFT_NAP
	thread atomic.Uint64
	began  atomic.Int64 // this and the following are without a generation
	used   atomic.Int64
	napped atomic.Int64
}

// Interrupt lets another goroutine stop a guest, or have it pause. One Interrupt serves one instance at a time.
type Interrupt struct {
	words      *interruptWords
	generation uint32
}

// NewInterrupt returns an interrupt that is not cancelled, to be closed with [Interrupt.Close].
func NewInterrupt() *Interrupt {
	words := interrupts.get()
	i := &Interrupt{words: words, generation: uint32(words.cause.Load() >> 32)}
	words.turn.Store(i.fresh())
	words.used.Store(0)
	words.napped.Store(0)
	return i
}

// fresh is what both words hold when nothing is asked of the guest.
func (i *Interrupt) fresh() uint64 { return uint64(i.generation) << 32 }

// Cancel makes the guest trap with [TrapInterrupted] at the next [Engine.Tick]; a guest that waits inside a WASI call
// traps when that returns. Only the first cause counts; it must not be 0. Cancel may be called by any goroutine at any
// time, even after Close, when it does nothing.
func (i *Interrupt) Cancel(cause int32) {
	i.words.cause.CompareAndSwap(i.fresh(), i.fresh()|uint64(uint32(cause)))
	i.wake(i.set(C.WEFT_STOP, C.WEFT_PAUSE|C.WEFT_RESTS)) // which one that is about to sleep notices, too
}

// Pause has the guest rest from the next [Engine.Tick] on until Resume: its thread waits, and its goroutine with it. A guest
// that is cancelled does not rest. Pause, Resume, Rests and Lower may be called by any goroutine at any time, even after
// Close, when they do nothing.
func (i *Interrupt) Pause() { i.set(C.WEFT_PAUSE, 0) }

// Resume takes Pause back.
func (i *Interrupt) Resume() {
	i.wake(i.set(0, C.WEFT_PAUSE|C.WEFT_RESTS))
}

// wake wakes the guest if it may sleep with such flags, and for long.
func (i *Interrupt) wake(flags uint64) {
	nap := time.Duration(uint32(flags)>>C.WEFT_NAP) * time.Microsecond
	if flags&C.WEFT_RESTS != 0 || nap >= Spell {
		C.weft_wake(i.address())
	}
}

// Rests tells whether the guest has noticed that it is to rest.
func (i *Interrupt) Rests() bool {
	w := i.words.turn.Load()
	return uint32(w>>32) == i.generation && w&C.WEFT_RESTS != 0
}

// mostNap is what the word has room for.
const mostNap = (1<<(32-C.WEFT_NAP) - 1) * time.Microsecond

// Lower has the guest run with a low priority from when it runs next or the next [Engine.Tick] on, as long as it is not in a [HostFunc]. It
// gives way to other threads at each Tick, and naps, to the microsecond, at the first one after each [Spell].
func (i *Interrupt) Lower(nap time.Duration) {
	micros := uint64(min(max(nap, time.Microsecond), mostNap).Microseconds())
	i.set(C.WEFT_LOWER|micros<<C.WEFT_NAP, naps)
}

// Raise takes Lower back, from the next [Engine.Tick] on. A guest that naps wakes.
func (i *Interrupt) Raise() { i.wake(i.set(0, C.WEFT_LOWER|naps)) }

// naps are the bits of a word that say for how long the guest naps.
const naps = 1<<32 - 1<<C.WEFT_NAP

// Measure has it measured what the guest uses of a processor, from when it runs next, or from the next [Engine.Tick] on; see Used.
func (i *Interrupt) Measure() { i.set(C.WEFT_MEASURE, 0) }

// Used is what the guest has used of a processor, as far as Measure asked for that: what it uses now may be missing. It is 0 after
// Close.
func (i *Interrupt) Used() time.Duration {
	used := time.Duration(i.words.used.Load())
	thread := i.words.thread.Load()
	began := time.Duration(i.words.began.Load())
	if uint32(i.words.cause.Load()>>32) != i.generation {
		return 0
	}
	if uint32(thread) == 0 || uint32(thread>>32) != i.generation {
		return used // It does not run.
	}
	now, ok := threadTime(int(uint32(thread)))
	if !ok || i.words.thread.Load() != thread {
		return used
	}
	return used + max(now-began, 0)
}

// Napped is for how long the guest has napped, but for the nap that it may have now. It is 0 after Close.
func (i *Interrupt) Napped() time.Duration {
	napped := time.Duration(i.words.napped.Load())
	if uint32(i.words.cause.Load()>>32) != i.generation {
		return 0
	}
	return napped
}

// threadTime is what a thread of this process has used of a processor. It is false if that has ended.
func threadTime(thread int) (time.Duration, bool) {
	const ofThread = 4 | 2 // CPUCLOCK_PERTHREAD_MASK and CPUCLOCK_SCHED of the kernel
	var t unix.Timespec
	if err := unix.ClockGettime((^int32(thread))<<3|ofThread, &t); err != nil {
		return 0, false
	}
	return time.Duration(t.Nano()), true
}

// Lowers tells whether Lower has an effect: it takes the right to give a thread its priority back, CAP_SYS_NICE or an
// RLIMIT_NICE that goes up to that priority.
func Lowers() bool { return bool(C.weft_lowers()) }

// set changes flags and gives what they were.
func (i *Interrupt) set(on, off uint64) (before uint64) {
	for {
		w := i.words.turn.Load()
		if uint32(w>>32) != i.generation {
			return 0
		}
		if i.words.turn.CompareAndSwap(w, w&^off|on) {
			return w
		}
	}
}

// Cause returns the cause of the first Cancel, 0 if there was none or the interrupt was closed.
func (i *Interrupt) Cause() int32 {
	w := i.words.cause.Load()
	if uint32(w>>32) != i.generation {
		return 0
	}
	return int32(uint32(w))
}

// Close gives the interrupt back, once its instance is closed. Closing twice is allowed, but not by two goroutines
// at once.
func (i *Interrupt) Close() {
	w := i.words.cause.Load()
	if uint32(w>>32) != i.generation {
		return
	}
	for !i.words.cause.CompareAndSwap(w, uint64(i.generation+1)<<32) {
		w = i.words.cause.Load() // a Cancel came between
	}
	interrupts.put(i.words)
}

// address returns where C finds the words.
func (i *Interrupt) address() *C.weft_interrupt {
	collect()
	return (*C.weft_interrupt)(unsafe.Pointer(i.words))
}
