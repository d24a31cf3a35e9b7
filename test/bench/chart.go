package main

import (
	_ "embed"
	"fmt"
	"io"
	"math"
	"text/template"
)

// chartText is the chart as a template of SVG: a row for each language and each way of a call, a mark for each figure, on a
// logarithmic axis of time.
//
//go:embed chart.svg.tmpl
var chartText string

var chartTemplate = template.Must(template.New("chart").Parse(chartText))

// The geometry of the chart, in its own units.
const (
	chartWidth                = 860
	axisLeft, axisRight       = 250, 740 // of the shortest and the longest time
	chartTop, rowHeight       = 104, 34
	groupGap                  = 46
	axisShortest, axisLongest = 1e-7, 1.0 // seconds
)

// chart is what the template draws.
type chart struct {
	Width, Height, Left, Right, Top, Bottom int
	Subtitle                                string
	Legend                                  []mark
	Ticks                                   []tick
	Rows                                    []row
	Heads                                   []head
}

// head is the title above a group of rows, and that of the numbers at their ends.
type head struct {
	Y           int
	Text, Right string
}

// row is a line of the chart.
type row struct {
	Y           int
	Name, Right string
	From, To    float64 // the line that joins its marks
	Marks       []mark
}

// mark is one figure: a shape of a kind at a place.
type mark struct {
	Kind, Text string
	X          float64
	Y          int
}

// tick is a line across the chart at a power of ten.
type tick struct {
	X    float64
	Text string
}

// The kinds of marks, which the template styles, and what they stand for.
var kinds = []mark{
	{Kind: "warm", Text: "warm call"},
	{Kind: "fresh", Text: "fresh instance + call"},
	{Kind: "call", Text: "the same by gRPC"},
	{Kind: "process", Text: "process of the language"},
}

// draw writes the chart.
func (r polyglotReport) draw(w io.Writer, of run) error {
	c := chart{Width: chartWidth, Left: axisLeft, Right: axisRight, Top: chartTop,
		Subtitle: fmt.Sprintf("%s, %d cores; medians of %d rounds; less is better", of.Machine.CPU, of.Machine.Cores, of.Rounds)}
	for i, k := range kinds {
		k.X, k.Y = float64(24+i*205), 66
		c.Legend = append(c.Legend, k)
	}
	for seconds := axisShortest; seconds < axisLongest*1.5; seconds *= 10 {
		c.Ticks = append(c.Ticks, tick{position(seconds * 1e6), durationText(seconds * 1e6)})
	}
	y := chartTop + 22
	c.Heads = append(c.Heads, head{y - 8, "A function, and a process for the same answer", "process / gRPC"})
	for _, f := range r.Languages {
		y += rowHeight
		c.Rows = append(c.Rows, newRow(y, f.Language, fmt.Sprintf("%.3gx", f.CallRatio), mark{Kind: "warm", X: f.WarmMicros},
			mark{Kind: "fresh", X: f.FreshMicros}, mark{Kind: "call", X: f.CallMicros}, mark{Kind: "process", X: f.ProcessMicros}))
	}
	y += groupGap
	c.Heads = append(c.Heads, head{y + 6, "One typed call of a small record", "to gRPC"})
	y += 8
	for _, b := range r.Between {
		y += rowHeight
		c.Rows = append(c.Rows, newRow(y, b.Name, fmt.Sprintf("%.2gx", b.Ratio), mark{Kind: "between", X: b.Micros}))
	}
	c.Bottom = y + 22
	c.Height = c.Bottom + 40
	return chartTemplate.Execute(w, c)
}

// newRow places marks, whose X are microseconds.
func newRow(y int, name, right string, marks ...mark) row {
	r := row{Y: y, Name: name, Right: right, From: axisRight, To: axisLeft}
	for _, m := range marks {
		m.X, m.Y = position(m.X), y
		m.Text = name
		r.From, r.To = min(r.From, m.X), max(r.To, m.X)
		r.Marks = append(r.Marks, m)
	}
	return r
}

// position is where some microseconds are on the axis.
func position(micros float64) float64 {
	share := math.Log10(micros/1e6/axisShortest) / math.Log10(axisLongest/axisShortest)
	return math.Round(10*(axisLeft+share*(axisRight-axisLeft))) / 10
}

// durationText writes microseconds with a unit that suits them.
func durationText(micros float64) string {
	switch {
	case micros < 1:
		return fmt.Sprintf("%.0f ns", micros*1e3)
	case micros < 10:
		return fmt.Sprintf("%.2g µs", micros)
	case micros < 1e3:
		return fmt.Sprintf("%.0f µs", micros)
	case micros < 1e4:
		return fmt.Sprintf("%.2g ms", micros/1e3)
	case micros < 1e6:
		return fmt.Sprintf("%.0f ms", micros/1e3)
	default:
		return fmt.Sprintf("%.2g s", micros/1e6)
	}
}
