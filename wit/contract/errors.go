package contract

import (
	"fmt"
	"slices"
	"strings"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// RefusedError says that a component can't be mapped to protobuf, and where.
type RefusedError struct {
	// Path is the WIT item: "demo:store/db@1.0.0#open().cursor", "demo:orders/orders#order.lines[].rect.f0".
	Path string
	Msg  string
}

func (e *RefusedError) Error() string { return e.Path + ": " + e.Msg }

// BreakingError says that a component breaks the contract that callers rely on.
type BreakingError struct {
	// Changes are the breaking ones, ordered by path.
	Changes []*weftv1.Change
}

// Error names the first three changes.
func (e *BreakingError) Error() string {
	var b strings.Builder
	for i, c := range e.Changes {
		if i == 3 {
			fmt.Fprintf(&b, "; and %d more", len(e.Changes)-i)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(c.GetPath() + ": " + c.GetDescription())
	}
	return b.String() + " (callers would break; --allow-breaking accepts it)"
}

// A place is where in the WIT of a component something is. It becomes text only in an error.
type place struct {
	parent *place
	step   string
}

func (p *place) at(step string) *place { return &place{p, step} }

// String returns the path from the outermost step on.
func (p *place) String() string {
	var steps []string
	for ; p != nil; p = p.parent {
		steps = append(steps, p.step)
	}
	var b strings.Builder
	for _, step := range slices.Backward(steps) {
		b.WriteString(step)
	}
	return b.String()
}

func (p *place) refuse(format string, args ...any) error {
	return &RefusedError{Path: p.String(), Msg: fmt.Sprintf(format, args...)}
}
