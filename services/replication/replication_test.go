package replication_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/weft-run/weft/consensus"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"github.com/weft-run/weft/services/peer"
	"github.com/weft-run/weft/services/peer/peertest"
	"github.com/weft-run/weft/services/replication"
)

// leader answers as it is told.
type leader struct {
	result *catalogv1.Result
	index  uint64
	err    error
	feed   func(context.Context, consensus.Position, consensus.Sink) error
	begun  chan struct{} // gets an element when an Apply begins, which then waits for its context
}

func (l *leader) LocalApply(ctx context.Context, _ *catalogv1.Command) (*catalogv1.Result, error) {
	if l.begun != nil {
		l.begun <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return l.result, l.err
}

func (l *leader) LocalLinearize(context.Context) (uint64, error) { return l.index, l.err }

func (l *leader) Feed(ctx context.Context, from consensus.Position, sink consensus.Sink) error {
	return l.feed(ctx, from, sink)
}

func connect(t *testing.T, l *leader) (*replication.Client, *peertest.Port) {
	t.Helper()
	network := peertest.NewNetwork(t)
	here, there := peer.New(peer.Config{Port: network.Port("here")}), network.Port("there")
	t.Cleanup(here.Close)
	serving := peer.New(peer.Config{Port: there})
	replication.NewServer(l).Register(serving)
	serving.Start()
	t.Cleanup(serving.Close)
	return replication.New(here), there
}

func TestAnswersTravel(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	client, _ := connect(t, &leader{result: &catalogv1.Result{Index: 7, Revision: 3}, index: 9})
	result, err := client.Apply(ctx, "there", &catalogv1.Command{RequestId: "a"})
	if err != nil || result.GetIndex() != 7 || result.GetRevision() != 3 {
		t.Fatalf("result %v, %v", result, err)
	}
	if index, err := client.Linearize(ctx, "there"); err != nil || index != 9 {
		t.Fatalf("index %d, %v", index, err)
	}
}

func TestErrorsTravel(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, want := range []error{
		consensus.ErrNotLeader, consensus.ErrOutcomeUnknown, consensus.ErrStorage, consensus.ErrTooLarge, consensus.ErrDamaged, consensus.ErrClosed,
	} {
		l := &leader{err: fmt.Errorf("%w: for some reason", want)}
		client, _ := connect(t, l)
		if _, err := client.Apply(ctx, "there", &catalogv1.Command{}); !errors.Is(err, want) {
			t.Errorf("apply: %v, want %v", err, want)
		}
		if _, err := client.Linearize(ctx, "there"); !errors.Is(err, want) {
			t.Errorf("linearize: %v, want %v", err, want)
		}
	}
	client, _ := connect(t, &leader{err: errors.New("something else")})
	if _, err := client.Apply(ctx, "there", &catalogv1.Command{}); !errors.Is(err, consensus.ErrOutcomeUnknown) {
		t.Errorf("what nobody foresaw: %v", err)
	}
}

// TestLostAnswers tells a command that was surely not sent from one that may have been.
func TestLostAnswers(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	l := &leader{begun: make(chan struct{}, 1)}
	client, there := connect(t, l)
	there.SetDown(true)
	if _, err := client.Apply(ctx, "there", &catalogv1.Command{}); !errors.Is(err, consensus.ErrUnreachable) || errors.Is(err, consensus.ErrOutcomeUnknown) {
		t.Fatalf("the node is down: %v", err)
	}
	if _, err := client.Apply(ctx, "nobody", &catalogv1.Command{}); !errors.Is(err, consensus.ErrUnreachable) {
		t.Fatalf("there is no such node: %v", err)
	}
	there.SetDown(false)
	client, there = connect(t, l)
	go func() {
		<-l.begun
		there.SetDown(true)
		there.Cut()
	}()
	if _, err := client.Apply(ctx, "there", &catalogv1.Command{}); !errors.Is(err, consensus.ErrOutcomeUnknown) || errors.Is(err, consensus.ErrUnreachable) {
		t.Fatalf("the node has gone down: %v", err)
	}
}
