package consensus

import (
	"sync"

	"github.com/hashicorp/raft"
)

// pipeline is raft's pipeline of entries to a follower, which ends with the first answer that is no success.
//
// Without it raft may stand still for good (hashicorp/raft issue 612): its reader of answers leaves at such an answer,
// while its sender, which may not have seen that yet, hands over one more request, waits for somebody to read the answer
// to the one before, and never looks up again. Heartbeats go on meanwhile, so nothing is noticed but a follower that
// gets no entries. A pipeline that is closed turns that sender away.
type pipeline struct {
	raft.AppendPipeline

	answers chan raft.AppendFuture
	closed  chan struct{}
	once    sync.Once
}

// AppendEntriesPipeline implements raft.Transport.
func (c *contacts) AppendEntriesPipeline(id raft.ServerID, target raft.ServerAddress) (raft.AppendPipeline, error) {
	inner, err := c.NetworkTransport.AppendEntriesPipeline(id, target)
	if err != nil {
		return nil, err
	}
	return newPipeline(inner), nil
}

func newPipeline(inner raft.AppendPipeline) *pipeline {
	p := &pipeline{AppendPipeline: inner, answers: make(chan raft.AppendFuture), closed: make(chan struct{})}
	go p.pass() // until Close, which raft calls
	return p
}

// Consumer implements raft.AppendPipeline.
func (p *pipeline) Consumer() <-chan raft.AppendFuture { return p.answers }

// Close implements raft.AppendPipeline.
func (p *pipeline) Close() error {
	var err error
	p.once.Do(func() {
		close(p.closed)
		err = p.AppendPipeline.Close()
	})
	return err
}

// pass passes answers on, and closes the pipeline after the first that is no success.
func (p *pipeline) pass() {
	for {
		select {
		case answer := <-p.AppendPipeline.Consumer():
			select {
			case p.answers <- answer:
			case <-p.closed:
				return
			}
			if answer.Error() != nil || !answer.Response().Success {
				_ = p.Close()
				return
			}
		case <-p.closed:
			return
		}
	}
}
