package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weft-run/weft/test/components/conformance-go/gen/guest"
	"github.com/weft-run/weft/test/components/conformance-go/gen/test/conformance/shapes"
)

// changed looks into its arguments.
type changed struct{}

func (changed) Not(v bool) bool                   { return !v }
func (changed) Add(a, b uint64) uint64            { return a + b }
func (changed) Negate(v int64) int64              { return -v }
func (changed) Halve(v float64) float64           { return v / 2 }
func (changed) Next(v rune) rune                  { return v + 1 }
func (changed) Join(v []string, by string) string { return strings.Join(v, by) }
func (changed) Both(a, b shapes.Few) shapes.Few   { return a | b }

func (changed) Complement(v shapes.Permissions) shapes.Permissions { return ^v }

func (changed) Reverse(v []byte) []byte {
	slices.Reverse(v)
	return v
}

func (changed) Swap(v guest.Tuple2[uint8, string]) guest.Tuple2[string, uint8] {
	return guest.Tuple2[string, uint8]{F0: v.F1, F1: v.F0}
}

func (changed) Raise(v shapes.Level) *shapes.Level {
	if v == shapes.LevelHigh {
		return nil
	}
	v++
	return &v
}

func (changed) Flip(v []guest.Result[uint32, string]) []guest.Result[string, uint32] {
	out := make([]guest.Result[string, uint32], 0, len(v))
	for _, r := range v {
		out = append(out, guest.Result[string, uint32]{OK: r.Err, Err: r.OK, Failed: !r.Failed})
	}
	return out
}

func (changed) Depth(v ***string) uint8 {
	switch {
	case v == nil:
		return 0
	case *v == nil:
		return 1
	case **v == nil:
		return 2
	default:
		return 3
	}
}

func (changed) Name(v shapes.Shape) string {
	switch v := v.(type) {
	case shapes.ShapeMany:
		return fmt.Sprintf("many:%d", len(v.Value))
	case shapes.ShapeData:
		return fmt.Sprintf("data:%d", len(v.Value))
	default:
		return strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", v), "shapes.Shape"))
	}
}

func (changed) Weigh(v shapes.Tree) (sum float64) {
	for _, branch := range v.Branches {
		for _, leaf := range branch.Leaves {
			sum += leaf.Weight
		}
	}
	return sum
}

func (changed) Increment(v shapes.Everything) shapes.Everything {
	v.B++
	v.C++
	v.D++
	v.E++
	v.F++
	v.G++
	v.H++
	v.I++
	v.J++
	v.K++
	return v
}
