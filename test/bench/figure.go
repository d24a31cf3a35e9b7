package main

import (
	"fmt"
	"math"
)

// figure is one line of the table: a number, mostly beside that of a baseline, which was measured in the same run.
type figure struct {
	ID       string  `json:"id"`                 // that does not change from run to run: "small/requests"
	Name     string  `json:"name"`               // what is measured
	Against  string  `json:"against,omitempty"`  // the baseline
	Unit     string  `json:"unit"`               // of the value and the baseline, one of the units below
	Value    float64 `json:"value"`              // the median of the rounds
	Baseline float64 `json:"baseline,omitempty"` // the same of the baseline
	Ratio    float64 `json:"ratio,omitempty"`    // value to baseline: the median of the ratios of the rounds
	Goal     *goal   `json:"goal,omitempty"`     // none: it is only reported
	Met      bool    `json:"met"`                // the goal, if there is one
	Note     string  `json:"note,omitempty"`     // what else there is to say
}

// The units of figures.
const (
	perSecond = "1/s"
	inMicros  = "µs"
	inMillis  = "ms"
	inMiB     = "MiB"
	inKiB     = "KiB"
)

// goal is what a figure's ratio should be, or its value if it has no baseline. One of the two bounds is set.
type goal struct {
	AtLeast float64 `json:"atLeast,omitempty"`
	AtMost  float64 `json:"atMost,omitempty"`
}

func atLeast(bound float64) *goal { return &goal{AtLeast: bound} }
func atMost(bound float64) *goal  { return &goal{AtMost: bound} }

func (g *goal) met(number float64) bool {
	return g != nil && number >= g.AtLeast && (g.AtMost == 0 || number <= g.AtMost)
}

// compared is the figure of values and those of the baseline in the same rounds.
func compared(id, name, against, unit string, values, baselines []float64, g *goal) figure {
	ratio := medianRatio(values, baselines)
	return figure{
		ID: id, Name: name, Against: against, Unit: unit,
		Value: median(values), Baseline: median(baselines), Ratio: ratio, Goal: g, Met: g.met(ratio),
	}
}

// alone is a figure without a baseline.
func alone(id, name, unit string, value float64, g *goal) figure {
	return figure{ID: id, Name: name, Unit: unit, Value: value, Goal: g, Met: g.met(value)}
}

// noted adds a note.
func (f figure) noted(format string, args ...any) figure {
	if f.Note != "" {
		f.Note += "; "
	}
	f.Note += fmt.Sprintf(format, args...)
	return f
}

// missed says that the goal was missed for another reason than the number.
func (f figure) missed(format string, args ...any) figure {
	f.Met = false
	return f.noted(format, args...)
}

// The cells of a figure in a table.

func (f figure) valueText() string    { return quantity(f.Value, f.Unit) }
func (f figure) baselineText() string { return dash(f.Baseline != 0, quantity(f.Baseline, f.Unit)) }
func (f figure) ratioText() string    { return dash(f.Ratio != 0, number(f.Ratio)+"x") }

func (f figure) goalText() string {
	if f.Goal == nil {
		return "–"
	}
	bound, sign := f.Goal.AtLeast, "≥ "
	if f.Goal.AtMost != 0 {
		bound, sign = f.Goal.AtMost, "≤ "
	}
	if f.Against != "" {
		return sign + number(bound) + "x"
	}
	return sign + quantity(bound, f.Unit)
}

func (f figure) metText() string {
	switch {
	case f.Goal == nil:
		return "–"
	case f.Met:
		return "yes"
	default:
		return "no"
	}
}

func dash(there bool, text string) string {
	if !there {
		return "–"
	}
	return text
}

// quantity writes a number with its unit, or with one that suits it better.
func quantity(value float64, unit string) string {
	switch unit {
	case inMicros:
		return durationText(value)
	case inMillis:
		return durationText(value * 1e3)
	case perSecond:
		return number(value) + "/s"
	default:
		return number(value) + " " + unit
	}
}

// number writes three digits of a number, and all of those before the point, in groups.
func number(value float64) string {
	if math.Abs(value) < 100 {
		return fmt.Sprintf("%.3g", value)
	}
	digits := fmt.Sprintf("%.0f", value)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
