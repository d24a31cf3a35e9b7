package consensus

import (
	"errors"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// fakePipeline blocks like raft's own: a request waits until the answer to the one before it was read.
type fakePipeline struct {
	answers chan raft.AppendFuture
	closed  chan struct{}
}

func (f *fakePipeline) AppendEntries(*raft.AppendEntriesRequest, *raft.AppendEntriesResponse) (raft.AppendFuture, error) {
	<-f.closed
	return nil, raft.ErrPipelineShutdown
}
func (f *fakePipeline) Consumer() <-chan raft.AppendFuture { return f.answers }
func (f *fakePipeline) Close() error                       { close(f.closed); return nil }

type answer struct {
	raft.AppendFuture
	success bool
}

func (a answer) Error() error { return nil }
func (a answer) Response() *raft.AppendEntriesResponse {
	return &raft.AppendEntriesResponse{Success: a.success}
}

// TestPipelineEndsWithARefusal: a sender that nobody reads answers for is turned away (hashicorp/raft issue 612).
func TestPipelineEndsWithARefusal(t *testing.T) {
	inner := &fakePipeline{answers: make(chan raft.AppendFuture), closed: make(chan struct{})}
	p := newPipeline(inner)
	sent := make(chan error, 1)
	go func() {
		_, err := p.AppendEntries(nil, nil)
		sent <- err
	}()
	for _, success := range []bool{true, false} {
		inner.answers <- answer{success: success}
		if got := <-p.Consumer(); got.Response().Success != success {
			t.Fatalf("answer %v, want %v", got.Response().Success, success)
		}
	}
	// The reader has left.
	select {
	case err := <-sent:
		if !errors.Is(err, raft.ErrPipelineShutdown) {
			t.Errorf("sent: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the sender waits for good")
	}
	if err := p.Close(); err != nil { // as raft does
		t.Error(err)
	}
}
