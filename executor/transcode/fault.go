package transcode

import (
	"strings"

	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
)

// fault says how the error type of an imported function tells of a call that failed, rather than of a function that
// returned an error.
type fault struct {
	// text is true where the type is a string.
	text bool
	// unavailable, timeout and other are cases, plus one; 0 where there is none. Other is for any failure.
	unavailable, timeout, other int
}

// maxFault is how much of a failure's text a guest is given, in bytes.
const maxFault = 1 << 10

// specific are the names of cases that say what is wrong, in the words of gRPC's codes: none of them is for whatever
// failure, even if it is the only one that holds a string.
var specific = map[string]bool{
	"cancelled": true, "invalid-argument": true, "deadline-exceeded": true, "not-found": true, "already-exists": true,
	"permission-denied": true, "resource-exhausted": true, "failed-precondition": true, "aborted": true, "out-of-range": true,
	"unimplemented": true, "data-loss": true, "unauthenticated": true,
}

func newFault(f *failure) fault {
	if f.label != contract.Single {
		return fault{}
	}
	out := fault{text: f.shape.kind == wit.String}
	texts := 0
	for i, word := range f.shape.words {
		if f.shape.kind != wit.Variant && f.shape.kind != wit.Enum {
			break
		}
		text := f.shape.kind == wit.Variant && holdsText(&f.shape.fields[i])
		if !text && f.shape.kind == wit.Variant && f.shape.fields[i].node != empty {
			continue // its payload can't be made up
		}
		switch {
		case word == "unavailable":
			out.unavailable = i + 1
		case word == "timeout":
			out.timeout = i + 1
		case text && !specific[word]:
			out.other = i + 1
			texts++
		}
	}
	if texts > 1 {
		out.other = 0
	}
	return out
}

func holdsText(f *field) bool { return !f.node.message && f.node.kind == wit.String }

// SetFault sets v, a value of arena, to an err that tells of a call that failed, where the type of the error has a place
// for that, and tells whether it has. That is, for a call that took too long, the case timeout of a variant or an enum; for
// any failure, the case unavailable, the only case that holds a string unless its name says something else (not-found), or
// the error itself where it is a string. A payload of these cases is a string, and gets the text.
func (p *Plan) SetFault(timeout bool, text string, arena *wasmtime.Arena, v wasmtime.Value) bool {
	at := p.fault.unavailable
	if timeout && p.fault.timeout > 0 {
		at = p.fault.timeout
	}
	if at == 0 {
		at = p.fault.other
	}
	if at == 0 && !p.fault.text {
		return false
	}
	v = arena.SetResult(v, false, true)
	n := p.failure.shape
	if at > 0 && n.kind == wit.Enum {
		arena.SetEnum(v, n.names, at-1)
		return true
	}
	if at > 0 {
		holds := n.fields[at-1].node != empty
		if v = arena.SetVariant(v, n.names, at-1, holds); !holds {
			return true
		}
	}
	return arena.SetString(v, faultText(text)) == nil
}

// faultText is as much of the text of a failure as guests are given.
func faultText(text string) []byte {
	return []byte(strings.ToValidUTF8(text[:min(len(text), maxFault)], ""))
}
