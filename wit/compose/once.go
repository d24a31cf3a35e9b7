package compose

import (
	"bytes"
	"encoding/binary"

	"github.com/weft-run/weft/wit/wasm"
)

// callOnce gives a component of the same size whose functions do nothing once their result was read. The option post-return names a
// function for that, which frees what the result is in and can not be noticed by anybody else, as it may call no import. It takes as
// long as all else where the result is large, and its memory is dropped or cleared anyway if there is no second call. Offsets stay what they are.
//
// A component with core code in components inside of it stays as it is: those could call its functions, too.
func callOnce(component []byte) []byte {
	out := bytes.Clone(component)
	r := &reader{data: component, pos: len(wasm.Component)}
	for r.pos < len(component) {
		id, start, end, ok := r.section()
		switch {
		case !ok || id == componentSection && hasCore(component[start:end]):
			return component
		case id == canonSection:
			dropPostReturns(&reader{data: component[:end], pos: start}, out)
		}
	}
	return out
}

// hasCore tells whether there is core code in a component, or none can tell.
func hasCore(component []byte) bool {
	if !bytes.HasPrefix(component, []byte(wasm.Component)) {
		return true
	}
	r := &reader{data: component, pos: len(wasm.Component)}
	for r.pos < len(component) {
		id, start, end, ok := r.section()
		if !ok || id == coreModuleSection || id == coreInstSection || id == componentSection && hasCore(component[start:end]) {
			return true
		}
	}
	return false
}

// Canonical functions, and what is in their options.
const (
	liftFunction, lowerFunction = 0x00, 0x01
	resourceNew, resourceRep    = 0x02, 0x04

	optionMemory, optionRealloc, optionPostReturn = 0x03, 0x04, 0x05
)

// dropPostReturns reads a section of canonical functions, and writes lifts without post-return to the same place of out. It ends at
// the first function that it does not know.
func dropPostReturns(r *reader, out []byte) {
	count, ok := r.number()
	for ; ok && count > 0; count-- {
		var kind int
		if kind, ok = r.number(); !ok {
			return
		}
		switch {
		case kind == liftFunction:
			ok = dropPostReturn(r, out)
		case kind == lowerFunction:
			_, sort := r.number()
			_, function := r.number()
			_, _, options := r.options()
			ok = sort && function && options
		case resourceNew <= kind && kind <= resourceRep:
			_, ok = r.number()
		default:
			return
		}
	}
}

// dropPostReturn does so for one lift, that r is in. The index of its core function takes the room: such a number may be up to five bytes.
func dropPostReturn(r *reader, out []byte) bool {
	_, sort := r.number()
	start := r.pos
	function, ok := r.number()
	count, kept, options := r.options()
	end := r.pos
	_, typ := r.number()
	if !sort || !ok || !options || !typ {
		return false
	}
	rest := append([]byte(wasm.Uint(count)), kept...)
	if room := end - start - len(rest); room <= binary.MaxVarintLen32 {
		copy(out[start:], wideUint(function, room))
		copy(out[start+room:], rest)
	}
	return true
}

// options reads the options of a canonical function, and gives how many there are, and which, without post-return.
func (r *reader) options() (count int, kept []byte, ok bool) {
	total, ok := r.number()
	for ; ok && total > 0; total-- {
		start := r.pos
		var option int
		if option, ok = r.number(); !ok {
			break
		}
		if option >= optionMemory && option <= optionPostReturn {
			_, ok = r.number()
		}
		if option != optionPostReturn {
			kept = append(kept, r.data[start:r.pos]...)
			count++
		}
	}
	return count, kept, ok
}

// wideUint is a number in LEB128, in so many bytes.
func wideUint(n, size int) []byte {
	out := make([]byte, size)
	for i := range out {
		out[i] = byte(n&0x7f | 0x80)
		n >>= 7
	}
	out[size-1] &^= 0x80
	return out
}
