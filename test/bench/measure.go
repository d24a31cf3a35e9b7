package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// suite is the name of what make bench measures.
const suite = "main"

// measurement is a run of make bench.
type measurement struct {
	o       options
	data    string // a directory
	servers *servers
	report  *report
	details mainDetails

	saturation float64 // requests that the slower of weft and the native server serves in a second
}

// mainDetails are what the suite finds besides its figures.
type mainDetails struct {
	Small     []served        `json:"smallRecord,omitempty"`
	Echo      []served        `json:"echo,omitempty"`
	List      []served        `json:"list,omitempty"`
	Open      []openLoop      `json:"openLoop,omitempty"`
	Guests    []guestCall     `json:"badGuests,omitempty"`
	Languages []figures       `json:"languages,omitempty"`
	Kernels   []kernelFigures `json:"kernels,omitempty"`
	// IdleBytes is the resident memory of an idle node with the three examples deployed.
	IdleBytes int64 `json:"idleResidentBytes,omitempty"`
}

// part is one of the parts of the run, in their order.
type part struct {
	name    string
	measure func(*measurement, context.Context) error
	servers bool // it calls servers, which are started before
}

var parts = []part{
	{"idle", (*measurement).measureIdle, false},
	{"small", (*measurement).measureSmall, true},
	{"open", (*measurement).measureOpen, true},
	{"bulk", (*measurement).measureBulk, true},
	{"fresh", (*measurement).measureFresh, false},
	{"languages", (*measurement).measureFirstCalls, false},
	{"guests", (*measurement).measureGuests, false},
	{"kernels", (*measurement).measureComputing, false},
	{"payload", (*measurement).measurePayload, true},
	{"concurrency", (*measurement).measureConcurrency, true},
}

func partNames() (names []string) {
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

// measure runs the parts. One that fails is reported as missing, and the others go on.
func measure(ctx context.Context, o options) (err error) {
	wanted := strings.Split(o.parts, ",")
	for _, name := range wanted {
		if !slices.Contains(partNames(), name) {
			return fmt.Errorf("there is no part %q, but %s", name, strings.Join(partNames(), ", "))
		}
	}
	m := &measurement{o: o}
	if m.report, err = newReport(suite, o); err != nil {
		return err
	}
	if m.data, err = os.MkdirTemp("", "weft-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(m.data)) }()
	failed := m.run(ctx, wanted)
	if ctx.Err() != nil {
		return errors.Join(failed, ctx.Err())
	}
	m.report.Details = m.details
	if err := m.report.write(o.out); err != nil {
		return errors.Join(failed, err)
	}
	all, err := m.report.withOthers(o.out)
	if err != nil {
		return errors.Join(failed, err)
	}
	if err := printFigures(os.Stdout, all); err != nil || failed != nil || o.docs == "" {
		return errors.Join(failed, err)
	}
	return documentFigures(o.docs, all)
}

// run runs the parts that are wanted.
func (m *measurement) run(ctx context.Context, wanted []string) (failed error) {
	defer func() {
		if m.servers != nil {
			failed = errors.Join(failed, m.servers.stop())
		}
	}()
	for _, p := range parts {
		if !slices.Contains(wanted, p.name) || ctx.Err() != nil {
			continue
		}
		began := time.Now()
		if err := m.runPart(ctx, p); err != nil {
			err = fmt.Errorf("%s: %w", p.name, err)
			m.report.Missing = append(m.report.Missing, err.Error())
			failed = errors.Join(failed, err)
		}
		fmt.Fprintf(os.Stderr, "bench: %s took %.0f s\n", p.name, time.Since(began).Seconds())
	}
	return failed
}

func (m *measurement) runPart(ctx context.Context, p part) (err error) {
	if p.servers && m.servers == nil {
		if m.servers, err = startServers(ctx, m.o, filepath.Join(m.data, "servers")); err != nil {
			m.servers = nil
			return err
		}
	}
	return p.measure(m, ctx)
}

// measureIdle reads the memory of a node that does nothing.
func (m *measurement) measureIdle(ctx context.Context) (err error) {
	if m.details.IdleBytes, err = idle(ctx, m.o, filepath.Join(m.data, "idle")); err != nil {
		return err
	}
	m.report.add(alone("idle/resident", "idle node with the three examples deployed: resident memory", inMiB, float64(m.details.IdleBytes)/(1<<20), atMost(150)))
	return nil
}

// measureFirstCalls measures a fresh instance and its first call in the languages that bring an interpreter.
func (m *measurement) measureFirstCalls(ctx context.Context) (err error) {
	o := m.o
	o.languages, o.compiles, o.calls, o.rounds = "js,python", 1, min(o.calls, 50), min(o.rounds, 5)
	data := filepath.Join(m.data, "languages")
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	if m.details.Languages, err = measureLanguages(ctx, o, data); err != nil {
		return err
	}
	for _, f := range m.details.Languages {
		m.report.add(f.firstCall(f.ID))
		m.report.Run.Versions[f.ID] = f.Tool
	}
	return nil
}

// measureComputing measures the kernels.
func (m *measurement) measureComputing(ctx context.Context) error {
	r, err := computeKernels(ctx, m.o)
	if err != nil {
		return err
	}
	m.details.Kernels = r.Kernels
	m.report.Run.Versions["rustc"] = r.Compiler
	m.report.add(r.figures()...)
	return nil
}
