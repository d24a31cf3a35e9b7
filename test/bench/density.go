package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/weft-run/weft/executor/wasmtime"
)

// densityText is the function that is deployed over and over.
//
//go:embed density.wat
var densityText string

const (
	densitySuite = "density"
	// hotFunctions are called while the others are idle.
	hotFunctions = 100
	// firstCalls is how many idle functions are called for the first time at each point of the curve.
	firstCalls = 200
)

var densitySection = section{"density", "bench-density"}

// densityDetails are what a run found besides its figures.
type densityDetails struct {
	Functions  int `json:"functions"`
	Components int `json:"components"` // of different bytes, each compiled once
	// Points are what was measured with more and more functions.
	Points []densityPoint `json:"points"`
	// Own are the same of a node where each function has a component of its own.
	Own []densityPoint `json:"ownPoints"`
	// List and Reflect are what it takes to list all functions, and all services by reflection; Describe to describe one.
	List     float64 `json:"listMillis"`
	Reflect  float64 `json:"reflectionMillis"`
	Describe float64 `json:"describeMillis"`
}

// densityPoint is what a node does with a number of functions, none of which is in memory.
type densityPoint struct {
	Functions int     `json:"functions"`
	Resident  int64   `json:"residentBytes"`
	Burst     int64   `json:"residentAfterDeploysBytes"`
	Disk      int64   `json:"dataDirectoryBytes"`
	Deploys   float64 `json:"deploysPerSecond"` // of those that were added for this point
	CPU       float64 `json:"deployCPUMillis"`  // of the node, for each of them
	Compiling float64 `json:"compileCPUMillis"` // of the processes that it compiles in, for each of them
	Start     float64 `json:"startMillis"`      // from the start of the process to its ready line
	Answered  float64 `json:"answeredMillis"`   // from that until a call of the last function was answered
	FirstP50  float64 `json:"firstCallP50Micros"`
	FirstP99  float64 `json:"firstCallP99Micros"`
	NextP50   float64 `json:"secondCallP50Micros"` // of the same functions right after
}

// density is a node that is given more and more functions.
type density struct {
	o       options
	data    string
	code    []byte
	node    *process
	clients *densityClients
	count   int // functions that are deployed
	details densityDetails
}

// runDensity measures what idle functions cost. `make bench-density` runs it.
func runDensity(ctx context.Context, o options) (err error) {
	r, err := newReport(densitySuite, o)
	if err != nil {
		return err
	}
	data, err := os.MkdirTemp("", "weft-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	code, err := wasmtime.WatToWasm(densityText)
	if err != nil {
		return err
	}
	d := &density{o: o, data: filepath.Join(data, "many"), code: code,
		details: densityDetails{Functions: o.functions, Components: min(o.distinct, o.functions)}}
	defer func() { err = errors.Join(err, d.stop()) }()
	for _, n := range densitySteps(o.functions) {
		if err := d.grow(ctx, n); err != nil {
			return fmt.Errorf("%d functions: %w", n, err)
		}
	}
	if err := d.questions(ctx); err != nil {
		return err
	}
	if err := d.variety(ctx, filepath.Join(data, "own")); err != nil {
		return fmt.Errorf("functions with components of their own: %w", err)
	}
	hot, err := d.hot(ctx, filepath.Join(data, "few"))
	if err != nil {
		return fmt.Errorf("hot functions: %w", err)
	}
	r.add(d.figures()...)
	r.add(d.ownFigures()...)
	r.add(hot...)
	r.Curves = []curve{d.curve()}
	r.Details = d.details
	return r.publish(o, func(dir string) error { return d.document(dir, r) })
}

// densitySteps are powers of ten up to n, and n.
func densitySteps(n int) (steps []int) {
	for step := 1; step < n; step *= 10 {
		steps = append(steps, step)
	}
	return append(steps, n)
}

// name is the name of a function, and component what is deployed under it.
func (d *density) name(i int) string { return fmt.Sprintf("f%05d", i) }

func (d *density) method(i int) string { return d.name(i) + ".Functions/Add" }

func (d *density) component(i int) []byte {
	mark := binary.LittleEndian.AppendUint32([]byte("\x00\x09\x04mark"), uint32(i%d.details.Components)) // a custom section
	return append(bytes.Clone(d.code), mark...)
}

func (d *density) start(ctx context.Context) error {
	// A node writes a line about each deploy.
	log, err := os.OpenFile(d.data+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the node has it
	node, err := startLogged(ctx, log, d.o.weft, serverArgs(d.data, "--idle-unload", d.o.idle.String())...)
	if err != nil {
		return err
	}
	d.node = node
	d.clients, err = newDensityClients(node)
	return err
}

func (d *density) stop() error {
	if d.node == nil {
		return nil
	}
	d.clients.close()
	err := d.node.stop()
	d.node = nil
	return err
}

// grow deploys functions until there are n, measures the node when none of them is in memory, and starts it again.
func (d *density) grow(ctx context.Context, n int) error {
	if d.node == nil {
		if err := d.start(ctx); err != nil {
			return err
		}
	}
	p := densityPoint{Functions: n}
	if err := d.deploy(ctx, n, &p); err != nil {
		return err
	}
	if err := d.collected(ctx); err != nil {
		return err
	}
	var err error
	if p.Resident, err = settledFor(ctx, d.node, d.o.still); err != nil {
		return err
	}
	if p.Disk, err = sizeOfDirectory(d.data); err != nil {
		return err
	}
	if err := d.restart(ctx, &p); err != nil {
		return err
	}
	if err := d.firstCalls(ctx, &p); err != nil {
		return err
	}
	d.details.Points = append(d.details.Points, p)
	fmt.Fprintf(os.Stderr, "bench: %d functions: %s resident, %s after the deploys, %.0f deploys/s, start %.0f ms, first call %s\n", n,
		sizeText(float64(p.Resident)), sizeText(float64(p.Burst)), p.Deploys, p.Start, durationText(p.FirstP50))
	return nil
}

// deploy adds functions until there are n.
func (d *density) deploy(ctx context.Context, n int, p *densityPoint) error {
	before, err := d.node.cpu()
	if err != nil {
		return err
	}
	children, err := d.node.childrenCPU()
	if err != nil {
		return err
	}
	began := time.Now()
	added := n - d.count
	if err := d.clients.deploy(ctx, d, d.count, n); err != nil {
		return err
	}
	d.count = n
	p.Deploys = float64(added) / time.Since(began).Seconds()
	after, err := d.node.cpu()
	if err != nil {
		return err
	}
	compiled, err := d.node.childrenCPU()
	if err != nil {
		return err
	}
	p.CPU, p.Compiling = micros(after-before)/1e3/float64(added), micros(compiled-children)/1e3/float64(added)
	p.Burst, err = d.node.resident()
	return err
}

// restart stops the node and starts it again on the same directory.
func (d *density) restart(ctx context.Context, p *densityPoint) error {
	if err := d.stop(); err != nil {
		return err
	}
	began := time.Now()
	if err := d.start(ctx); err != nil {
		return err
	}
	ready := time.Now()
	p.Start = micros(ready.Sub(began)) / 1e3
	if err := d.clients.call(ctx, d.method(d.count-1)); err != nil {
		return err
	}
	p.Answered = micros(time.Since(ready)) / 1e3
	return nil
}

// firstCalls calls functions that are not in memory, one after the other, and once more.
func (d *density) firstCalls(ctx context.Context, p *densityPoint) error {
	if err := d.rest(ctx); err != nil { // the last function was called
		return err
	}
	var first, next []float64
	count := min(firstCalls, d.count)
	for i := range count {
		at := i * d.count / count
		for _, to := range []*[]float64{&first, &next} {
			began := time.Now()
			if err := d.clients.call(ctx, d.method(at)); err != nil {
				return err
			}
			*to = append(*to, micros(time.Since(began)))
		}
	}
	slices.Sort(first)
	p.FirstP50, p.FirstP99, p.NextP50 = median(first), first[(len(first)*99)/100], median(next)
	return nil
}

// rest waits until no function is in memory.
func (d *density) rest(ctx context.Context) error {
	return poll(ctx, "all functions are idle", func() (bool, error) {
		loaded, err := metric(ctx, d.node, "weft_revisions_loaded")
		return loaded == 0, err
	})
}

// collected has the node collect garbage when no function is in memory. It does so whenever functions leave memory; what it wrote to
// disk in the meantime, such as a snapshot of the catalog, has left garbage.
func (d *density) collected(ctx context.Context) error {
	if err := d.rest(ctx); err != nil {
		return err
	}
	if _, err := settledFor(ctx, d.node, d.o.still); err != nil {
		return err
	}
	if err := d.clients.call(ctx, d.method(0)); err != nil {
		return err
	}
	return d.rest(ctx)
}

// questions measures what a client may ask about all functions.
func (d *density) questions(ctx context.Context) error {
	began := time.Now()
	if err := d.clients.list(ctx, d.count); err != nil {
		return err
	}
	d.details.List = micros(time.Since(began)) / 1e3
	list, err := d.clients.reflect(ctx, d)
	if err != nil {
		return err
	}
	d.details.Reflect = micros(list) / 1e3
	began = time.Now()
	if err := d.clients.describe(ctx, d.name(d.count/2)); err != nil {
		return err
	}
	d.details.Describe = micros(time.Since(began)) / 1e3
	return nil
}

// figures are the lines of the table.
func (d *density) figures() []figure {
	first, last := d.details.Points[0], d.details.Points[len(d.details.Points)-1]
	each := float64(last.Resident-first.Resident) / float64(max(1, last.Functions-first.Functions))
	name := fmt.Sprintf("%s idle functions on a node", number(float64(last.Functions)))
	return []figure{
		alone("density/resident", name+": resident memory of each", inKiB, each/1024, atMost(20)).noted(
			"%s in all, %s with one; %d components", sizeText(float64(last.Resident)), sizeText(float64(first.Resident)), d.details.Components),
		alone("density/first-call-p50", "first call of an idle function, p50", inMicros, last.FirstP50, nil).noted(
			"%s the second time", durationText(last.NextP50)),
		alone("density/first-call-p99", "first call of an idle function, p99", inMicros, last.FirstP99, nil),
		alone("density/deploys", fmt.Sprintf("deploys, the last %s", number(float64(last.Functions-d.before()))), perSecond, last.Deploys, nil).noted(
			"%.1f ms of the node's processor time each", last.CPU),
		alone("density/start", fmt.Sprintf("start of a node with %s functions, to its ready line", number(float64(last.Functions))), inMillis, last.Start, nil).noted(
			"a call of the last function was answered %s later", durationText(last.Answered*1e3)),
	}
}

// before is how many functions there were before the last step.
func (d *density) before() int {
	if len(d.details.Points) < 2 {
		return 0
	}
	return d.details.Points[len(d.details.Points)-2].Functions
}

// curve is what it costs as functions become more.
func (d *density) curve() curve {
	memory, calls, start := line{Name: "weft"}, line{Name: "weft"}, line{Name: "weft"}
	for _, p := range d.details.Points {
		x := float64(p.Functions)
		memory.add(x, float64(p.Resident)/(1<<20))
		calls.add(x, p.FirstP50)
		start.add(x, p.Start)
	}
	x := axis{"functions", unitless}
	c := curve{Name: "functions", Title: "A node with ever more functions, all of them idle", X: x, Panels: []panel{
		{Y: axis{"Resident memory", inMiB}, Lines: []line{memory}},
		{Y: axis{"First call of an idle function, median", inMicros}, Lines: []line{calls}},
		{Y: axis{"Start of the node", inMillis}, Lines: []line{start}},
	}}
	if bend := memory.grows(1.5); bend != nil {
		c.Bends = append(c.Bends, fmt.Sprintf("the functions take half as much as the node itself from %s of them on; in the end each takes %.1f KiB",
			number(bend.X), memory.slope()*1024))
	}
	return c
}

func writePoints(b *strings.Builder, points []densityPoint) {
	b.WriteString("| functions | resident | right after the deploys | first call p50 | p99 | second call p50 | start | deploys/s | node's CPU per deploy | compiling | disk |\n")
	b.WriteString("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, p := range points {
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %.0f ms | %.0f | %.1f ms | %.1f ms | %s |\n", number(float64(p.Functions)),
			sizeText(float64(p.Resident)), sizeText(float64(p.Burst)), durationText(p.FirstP50), durationText(p.FirstP99), durationText(p.NextP50),
			p.Start, p.Deploys, p.CPU, p.Compiling, sizeText(float64(p.Disk)))
	}
	b.WriteByte('\n')
}

// document writes the figures into the text in a directory, and the chart beside it.
func (d *density) document(dir string, r *report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.\n\n", r.Run)
	writePoints(&b, d.details.Points)
	if len(d.details.Own) > 0 {
		b.WriteString("A node where each function has a component of its own:\n\n")
		writePoints(&b, d.details.Own)
	}
	b.WriteString(figuresTable([]*report{r}))
	fmt.Fprintf(&b, "\nListing all functions takes %.0f ms, all services by reflection %.0f ms, describing one function %.1f ms.\n",
		d.details.List, d.details.Reflect, d.details.Describe)
	b.WriteString(charts(r))
	if err := drawCharts(dir, r); err != nil {
		return err
	}
	return densitySection.write(dir, b.String())
}
