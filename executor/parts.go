package executor

import (
	"errors"
	"fmt"

	"github.com/weft-run/weft/executor/wasmtime"
)

// Part is one of the components that a revision's component was composed of.
type Part struct {
	// Name says whose it is: "payments@3".
	Name string
	// Offset and Size say where it is in the component's binary, in bytes.
	Offset, Size int64
}

// backtrace gives the frames of the guest in what the engine says of its failure, innermost first.
func (j *job) backtrace(err error) []wasmtime.Frame {
	trap, ok := errors.AsType[*wasmtime.Trap](err)
	switch {
	case !ok:
		return nil
	case j.form != nil:
		return j.form.guests(trap.Frames)
	default:
		return trap.Frames
	}
}

// inPart says in which part a guest failed: that of the innermost function of its backtrace. It is empty for the first part, which
// is the revision's own, and where nobody knows.
func (j *job) inPart(backtrace []wasmtime.Frame) string {
	if len(backtrace) == 0 {
		return ""
	}
	at := int64(backtrace[0].Offset)
	if j.form != nil {
		at -= j.form.own.Offset
	}
	for n, p := range j.rev.parts {
		if n > 0 && at >= p.Offset && at < p.Offset+p.Size {
			return fmt.Sprintf("in %s, which is linked: ", p.Name)
		}
	}
	return ""
}

// guests gives the frames of a backtrace that are the guest's. In between are those of transcoders, whose functions all have names, and
// beside each those of the code that the engine compiles to copy values, which have none and count their offsets from a start of their own.
func (b *bulk) guests(frames []wasmtime.Frame) []wasmtime.Frame {
	outside := func(f wasmtime.Frame) bool {
		at := int64(f.Offset)
		return at < b.own.Offset || at >= b.own.Offset+b.own.Size
	}
	drop := make([]bool, len(frames))
	for n, f := range frames {
		if f.Function == "" || !outside(f) {
			continue
		}
		drop[n] = true
		for _, step := range []int{-1, 1} {
			for beside := n + step; beside >= 0 && beside < len(frames); beside += step {
				if next := frames[beside]; next.Function != "" || beside != n+step && !outside(next) {
					break
				}
				drop[beside] = true
			}
		}
	}
	var own []wasmtime.Frame
	for n, f := range frames {
		if !drop[n] {
			own = append(own, f)
		}
	}
	return own
}
