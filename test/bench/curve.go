package main

import (
	_ "embed"
	"fmt"
	"io"
	"math"
	"text/template"

	"github.com/weft-run/weft/executor/wasmtime"
)

// curve is what happens as something grows.
type curve struct {
	Name   string  `json:"name"` // of its chart
	Title  string  `json:"title"`
	X      axis    `json:"x"`
	Panels []panel `json:"panels"`
	// Bends says of each line where it bends.
	Bends []string `json:"bends,omitempty"`
}

// axis is what is along one side of a chart.
type axis struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
}

// panel is one thing that was measured, of all that were compared.
type panel struct {
	Y     axis   `json:"y"`
	Lines []line `json:"lines"`
}

// line is what was measured of one of them, from the smallest X on. What could not be measured has no point.
type line struct {
	Name   string  `json:"name"`
	Points []point `json:"points"`
}

type point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

func (l *line) add(x, y float64) { l.Points = append(l.Points, point{x, y}) }

// The units of axes, besides those of figures.
const (
	inBytes  = "B"
	unitless = ""
)

// grows is the first point that is above the first one by a factor, nil if none is.
func (l *line) grows(factor float64) *point {
	for i, p := range l.Points {
		if p.Y > factor*l.Points[0].Y {
			return &l.Points[i]
		}
	}
	return nil
}

// slope is how much Y grows for each X between the last two points.
func (l *line) slope() float64 {
	if len(l.Points) < 2 {
		return 0
	}
	a, b := l.Points[len(l.Points)-2], l.Points[len(l.Points)-1]
	return (b.Y - a.Y) / (b.X - a.X)
}

// highest is the point with the largest Y.
func (l *line) highest() point {
	var top point
	for _, p := range l.Points {
		if p.Y > top.Y {
			top = p
		}
	}
	return top
}

// plotText is a curve as a template of SVG: panels below each other, with logarithmic axes.
//
//go:embed plot.svg.tmpl
var plotText string

var plotTemplate = template.Must(template.New("plot").Parse(plotText))

// The geometry of a chart, in its own units.
const (
	plotLeft, plotRight = 100, 830
	plotTop             = 112
	panelHeight         = 230
	panelGap            = 84 // for the labels of an axis and the title of the next panel
)

// plot is what the template draws.
type plot struct {
	Width, Height, Left, Right int
	Title, Subtitle            string
	Legend                     []mark
	Panels                     []plotPanel
}

type plotPanel struct {
	Top, Bottom    int
	Title          string
	XTicks, YTicks []plotTick
	Lines          []plotLine
}

type plotTick struct {
	At   float64
	Text string
}

type plotLine struct {
	Kind  string
	Path  string
	Marks []plotMark
}

type plotMark struct {
	Kind, Text string
	X, Y       float64
}

// chartFile is the file of a curve's chart.
func (c *curve) chartFile() string { return "growth-" + c.Name + "-" + wasmtime.Name + ".svg" }

// draw writes the chart.
func (c *curve) draw(w io.Writer, r run) error {
	p := plot{Width: chartWidth, Left: plotLeft, Right: plotRight, Title: c.Title,
		Subtitle: fmt.Sprintf("%s, %d cores, %s", r.Machine.CPU, r.Machine.Cores, r.Engine)}
	kinds := map[string]string{}
	for _, panel := range c.Panels {
		for _, l := range panel.Lines {
			if _, known := kinds[l.Name]; known {
				continue
			}
			kind := fmt.Sprintf("line%d", len(kinds)%plotKinds)
			p.Legend = append(p.Legend, mark{Kind: kind, Text: l.Name, X: float64(24 + len(kinds)*205), Y: 66})
			kinds[l.Name] = kind
		}
	}
	xs := c.xScale()
	for i, panel := range c.Panels {
		top := plotTop + i*(panelHeight+panelGap)
		p.Panels = append(p.Panels, panel.plot(top, xs, c.X, kinds))
	}
	p.Height = plotTop + len(c.Panels)*(panelHeight+panelGap) - 24
	return plotTemplate.Execute(w, p)
}

// plotKinds is how many kinds of lines the template styles.
const plotKinds = 4

// scale is a logarithmic axis, on which two numbers have their places.
type scale struct {
	low, high float64
	from, to  float64
}

func (s scale) at(value float64) float64 {
	share := math.Log(value/s.low) / math.Log(s.high/s.low)
	return math.Round(10*(s.from+share*(s.to-s.from))) / 10
}

// all are the points of all lines.
func (p *panel) all(visit func(point)) {
	for _, l := range p.Lines {
		for _, point := range l.Points {
			visit(point)
		}
	}
}

func (c *curve) xScale() scale {
	s := scale{low: math.Inf(1), from: plotLeft, to: plotRight}
	for _, panel := range c.Panels {
		panel.all(func(p point) { s.low, s.high = min(s.low, p.X), max(s.high, p.X) })
	}
	return s.valid()
}

// yScale goes from a power of ten to another.
func (p *panel) yScale(top int) scale {
	s := scale{low: math.Inf(1), from: float64(top + panelHeight), to: float64(top)}
	p.all(func(p point) { s.low, s.high = min(s.low, p.Y), max(s.high, p.Y) })
	s = s.valid()
	s.low, s.high = math.Pow(10, math.Floor(math.Log10(s.low))), math.Pow(10, math.Ceil(math.Log10(s.high)))
	return s.valid()
}

// valid gives an axis without numbers, or with one, a length.
func (s scale) valid() scale {
	if math.IsInf(s.low, 1) || s.low <= 0 {
		s.low, s.high = 1, max(1, s.high)
	}
	if s.high <= s.low {
		s.high = s.low * 10
	}
	return s
}

func (p *panel) plot(top int, xs scale, x axis, kinds map[string]string) plotPanel {
	ys := p.yScale(top)
	out := plotPanel{Top: top, Bottom: top + panelHeight, Title: p.Y.Name}
	// One label a tenfold fits; of more than five, every other one.
	tens := math.Round(math.Log10(ys.high / ys.low))
	for i, value := 0, ys.low; value <= ys.high*1.01; i, value = i+1, value*10 {
		text := quantity(value, p.Y.Unit)
		if tens > 5 && i%2 == 1 {
			text = ""
		}
		out.YTicks = append(out.YTicks, plotTick{ys.at(value), text})
	}
	for value := xs.low; value <= xs.high*1.01; value *= 4 {
		out.XTicks = append(out.XTicks, plotTick{xs.at(value), x.text(value)})
	}
	for _, l := range p.Lines {
		drawn := plotLine{Kind: kinds[l.Name]}
		for i, point := range l.Points {
			m := plotMark{
				Kind: drawn.Kind, Text: fmt.Sprintf("%s, %s: %s", l.Name, x.text(point.X), quantity(point.Y, p.Y.Unit)),
				X: xs.at(point.X), Y: ys.at(point.Y),
			}
			drawn.Marks = append(drawn.Marks, m)
			command := "L"
			if i == 0 {
				command = "M"
			}
			drawn.Path += fmt.Sprintf("%s%g %g", command, m.X, m.Y)
		}
		out.Lines = append(out.Lines, drawn)
	}
	return out
}

// text writes a place on the axis.
func (a axis) text(value float64) string {
	switch {
	case a.Unit == inBytes && value >= 1<<20:
		return number(value/(1<<20)) + " MiB"
	case a.Unit == inBytes && value >= 1<<10:
		return number(value/(1<<10)) + " KiB"
	case a.Unit == inBytes:
		return number(value) + " B"
	default:
		return number(value)
	}
}
