package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	weft "github.com/weft-run/weft/clients/go"
)

// A badGuest is a function that takes all it can get.
type badGuest struct {
	id, name string
	method   string
	request  proto.Message // its one field is the parameter
	memory   int           // MiB that an instance may have
	timeout  time.Duration // of the call
	code     codes.Code    // what its caller should be told
}

var badGuests = []badGuest{
	{"records", "a guest that returns a million records", "Rows", wrapperspb.UInt32(1_000_000), 256, 10 * time.Second, codes.ResourceExhausted},
	{"growth", "a guest that allocates for ever", "EndlessGrowth", nil, 64, 2 * time.Second, codes.ResourceExhausted},
	{"sleep", "a guest that sleeps an hour, with 2 s for its call", "Sleep", wrapperspb.UInt64(3600), 64, 2 * time.Second, codes.DeadlineExceeded},
}

// guestCall is what a bad guest did to its node.
type guestCall struct {
	Guest       string  `json:"guest"`
	Code        string  `json:"code"`
	Reason      string  `json:"reason"`
	Millis      float64 `json:"millis"`
	GrownMiB    float64 `json:"grownMiB"`          // resident memory of the node, at its peak, above that before
	FreeMillis  float64 `json:"freeMillis"`        // from the error on, until another call was answered in the only slot
	StillTaken  bool    `json:"stillTaken"`        // no other call was answered within freeLimit
	FirstReason string  `json:"refused,omitempty"` // what the first call after it was refused with
}

// freeLimit is how long the slot of a guest may be taken after its caller has the error.
const freeLimit = 5 * time.Second

// measureGuests calls bad guests.
func (m *measurement) measureGuests(ctx context.Context) error {
	for _, g := range badGuests {
		c, err := g.measure(ctx, m.o, filepath.Join(m.data, "guest-"+g.id))
		if err != nil {
			return fmt.Errorf("%s: %w", g.name, err)
		}
		m.details.Guests = append(m.details.Guests, c)
		m.report.add(g.figure(c))
	}
	return nil
}

// measure calls the guest on a node of its own, which has one slot for it.
func (g *badGuest) measure(ctx context.Context, o options, data string) (c guestCall, err error) {
	node, err := startNode(ctx, o, data)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, node.stop()) }()
	client, err := weft.Connect(node.ready["grpc"])
	if err != nil {
		return c, err
	}
	defer client.Close()
	if err := deploy(ctx, o, node, g.id, filepath.Join(o.components, "conformance.wasm"), "--memory", fmt.Sprintf("%dMiB", g.memory),
		"--concurrency", "1", "--queue", "1", "--timeout", g.timeout.String()); err != nil {
		return c, err
	}
	return g.call(ctx, client, node)
}

// call calls the guest, and then a function that returns at once.
func (g *badGuest) call(ctx context.Context, client *weft.Client, node *process) (c guestCall, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c.Guest = g.name
	var request []byte
	if g.request != nil {
		if request, err = proto.Marshal(g.request); err != nil {
			return c, err
		}
	}
	// The first call finds its code and maps it.
	if _, err := client.Invoke(ctx, "test.conformance.v1.Signatures/Nothing", nil, weft.OfFunction(g.id)); err != nil {
		return c, err
	}
	before, err := node.resident()
	if err != nil {
		return c, err
	}
	if err := node.forgetPeak(); err != nil {
		return c, err
	}
	began := time.Now()
	_, failed := client.Invoke(ctx, "test.conformance.v1.Hostile/"+g.method, request, weft.OfFunction(g.id))
	ended := time.Now()
	c.Millis = micros(ended.Sub(began)) / 1e3
	refused := new(weft.Error)
	if !errors.As(failed, &refused) {
		return c, fmt.Errorf("it ended with %w; an error of weft's should have stopped it", failed)
	}
	c.Code, c.Reason = refused.Code.String(), refused.Reason
	for {
		_, err := client.Invoke(ctx, "test.conformance.v1.Signatures/Nothing", nil, weft.OfFunction(g.id))
		if err == nil {
			break
		}
		if errors.As(err, &refused) && c.FirstReason == "" {
			c.FirstReason = refused.Reason
		}
		if time.Since(ended) > freeLimit {
			c.StillTaken = true
			break
		}
	}
	c.FreeMillis = micros(time.Since(ended)) / 1e3
	peak, err := node.peak()
	c.GrownMiB = float64(max(0, peak-before)) / (1 << 20)
	return c, err
}

// figure says how much memory the guest took, and whether it was stopped as it should be.
func (g *badGuest) figure(c guestCall) figure {
	f := alone("guests/"+g.id, g.name+": host memory beyond that before, at its peak", inMiB, c.GrownMiB, atMost(float64(2*g.memory)))
	f = f.noted("an instance may have %d MiB; %s (%s) after %s", g.memory, c.Code, c.Reason, durationText(c.Millis*1e3))
	if c.Code != g.code.String() {
		f = f.missed("the code should be %s", g.code)
	}
	if c.StillTaken {
		return f.missed("its slot was not free %s later", durationText(c.FreeMillis*1e3))
	}
	return f.noted("another call answered in its slot %s later", durationText(c.FreeMillis*1e3))
}

// forgetPeak lets the peak of the process's memory begin anew: proc_pid_clear_refs(5).
func (p *process) forgetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0o600)
}

// peak is the most resident memory that the process had, in bytes.
func (p *process) peak() (int64, error) { return p.status("VmHWM:") }
