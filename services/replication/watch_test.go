package replication_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/weft-run/weft/consensus"
)

// record is a sink that writes down what it gets.
type record struct {
	steps []string
	fail  error // of heartbeats
}

func (r *record) Snapshot(from io.Reader) error {
	b, err := io.ReadAll(from)
	if err == nil {
		r.steps = append(r.steps, fmt.Sprintf("snapshot %d %x", len(b), b[:min(4, len(b))]))
	}
	return err
}

func (r *record) Entries(entries []consensus.Entry) error {
	for _, e := range entries {
		r.steps = append(r.steps, fmt.Sprintf("entry %d %s", e.Index, e.Data))
	}
	return nil
}

func (r *record) Heartbeat(h consensus.Heartbeat) error {
	r.steps = append(r.steps, fmt.Sprintf("at %d %s, %d, %s", h.Index, h.Hash, h.StaleNanos, h.Leader))
	return r.fail
}

func TestWatch(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	ended := make(chan error, 1)
	client, _ := connect(t, &leader{feed: func(ctx context.Context, from consensus.Position, sink consensus.Sink) error {
		defer func() { ended <- ctx.Err() }()
		for _, err := range []error{
			sink.Snapshot(bytes.NewReader(bytes.Repeat([]byte{7}, 600<<10))), sink.Snapshot(bytes.NewReader(nil)),
			sink.Entries([]consensus.Entry{{Index: from.Index + 1, Data: from.Hash}, {Index: from.Index + 4, Data: []byte("b")}}),
			sink.Heartbeat(consensus.Heartbeat{Position: consensus.Position{Index: 9, Hash: []byte("h")}, StaleNanos: 5, Leader: "l"}),
		} {
			if err != nil {
				t.Error(err)
			}
		}
		<-ctx.Done()
		return ctx.Err()
	}})
	sink := &record{fail: errors.New("the sink has had enough")}
	if err := client.Watch(ctx, "there", consensus.Position{Index: 3, Hash: []byte("x")}, sink); !errors.Is(err, sink.fail) {
		t.Errorf("watch: %v", err)
	}
	want := []string{"snapshot 614400 07070707", "snapshot 0 ", "entry 4 x", "entry 7 b", "at 9 h, 5, l"}
	if !slices.Equal(sink.steps, want) {
		t.Errorf("got %q, want %q", sink.steps, want)
	}
	if err := <-ended; err == nil {
		t.Error("the feed was not told that the watch is over")
	}
}

// TestBrokenSnapshot is not taken for a whole one.
func TestBrokenSnapshot(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	broken := errors.New("broken")
	client, _ := connect(t, &leader{feed: func(_ context.Context, _ consensus.Position, sink consensus.Sink) error {
		return sink.Snapshot(io.MultiReader(bytes.NewReader(make([]byte, 10)), failing{broken}))
	}})
	sink := &record{}
	if err := client.Watch(ctx, "there", consensus.Position{}, sink); err == nil || len(sink.steps) > 0 {
		t.Errorf("watch: %v, steps %q", err, sink.steps)
	}
	client, _ = connect(t, &leader{feed: func(context.Context, consensus.Position, consensus.Sink) error { return consensus.ErrNoLog }})
	if err := client.Watch(ctx, "there", consensus.Position{}, sink); !errors.Is(err, consensus.ErrUnreachable) {
		t.Errorf("watch of a node without a log: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
