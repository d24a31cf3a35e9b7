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

// inPart says in which part a guest failed: that of the innermost function of its backtrace. It is empty for the first part, which
// is the revision's own, and where nobody knows.
func (j *job) inPart(err error) string {
	trap, ok := errors.AsType[*wasmtime.Trap](err)
	if !ok || len(trap.Frames) == 0 {
		return ""
	}
	for n, p := range j.rev.parts {
		if at := int64(trap.Frames[0].Offset) - j.offset; n > 0 && at >= p.Offset && at < p.Offset+p.Size {
			return fmt.Sprintf("in %s, which is linked: ", p.Name)
		}
	}
	return ""
}
