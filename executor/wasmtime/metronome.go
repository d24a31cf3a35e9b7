package wasmtime

// #include "weft.h"
import "C"

import "time"

// Spell is for how long a guest with a low priority runs before it naps, while a [Metronome] beats.
const Spell = C.WEFT_SPELL * time.Microsecond

// Metronome advances an engine's epoch some thousand times a second, as long as it is to. Its thread is none of Go's: guests with a low
// priority give way at each beat to threads that wait for their core, which may be those without which no goroutine goes on.
// Its methods are safe for concurrent use.
type Metronome struct {
	refs
	c *C.weft_metronome
}

// NewMetronome returns a metronome that does not beat, to be closed with [Metronome.Close].
func (e *Engine) NewMetronome() *Metronome {
	m := &Metronome{c: C.weft_metronome_new(e.c)}
	m.own()
	return m
}

// Beat has it beat from now on, or not. After Close it does nothing.
func (m *Metronome) Beat(on bool) {
	if m.acquire() {
		C.weft_metronome_set(m.c, C.bool(on))
		m.release(m.free)
	}
}

// Close ends its thread, and waits for that. While a Beat is under way it leaves that to the Beat, and returns at once.
func (m *Metronome) Close() { m.close(m.free) }

func (m *Metronome) free() { C.weft_metronome_delete(m.c) }
