package cluster

import (
	"context"
	"fmt"
	"sync"
	"time"

	weft "github.com/weft-run/weft/clients/go"
)

// Calls are calls of functions that come at a steady rate, whatever becomes of those before.
type Calls struct {
	stop func()
	wait sync.WaitGroup

	mu     sync.Mutex
	result CallsResult // guarded by mu
	last   time.Time   // guarded by mu; when a call was last answered
}

// CallsResult is what became of them.
type CallsResult struct {
	Sent, Failed int
	// Errors are the first errors, with the node that was asked.
	Errors []string
	// Gap is the longest time in which no call was answered.
	Gap time.Duration
}

// callTime is how long a call may take.
const callTime = 10 * time.Second

// StartCalls calls a method, "demo.calc.v1.Calc/Add", at nodes in turn, so many times a second in all, until Stop. The
// options choose the function.
func StartCalls(rate int, method string, request []byte, nodes []*Node, options ...weft.CallOption) *Calls {
	ctx, cancel := context.WithCancel(context.Background())
	c := &Calls{stop: cancel, last: time.Now()}
	c.wait.Go(func() {
		tick := time.NewTicker(time.Second / time.Duration(rate))
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-tick.C:
				c.wait.Go(func() { c.call(nodes[i%len(nodes)], method, request, options) }) //nolint:contextcheck // calls that have begun end by themselves
			case <-ctx.Done():
				return
			}
		}
	})
	return c
}

func (c *Calls) call(n *Node, method string, request []byte, options []weft.CallOption) {
	ctx, cancel := context.WithTimeout(context.Background(), callTime)
	defer cancel()
	client, err := n.Client()
	if err == nil {
		_, err = client.Invoke(ctx, method, request, options...)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.result.Sent++
	if err != nil {
		c.result.Failed++
		if len(c.result.Errors) < 5 {
			c.result.Errors = append(c.result.Errors, fmt.Sprintf("%s, at %s: %v", time.Now().Format("15:04:05.000"), n.Name, err))
		}
		return
	}
	c.result.Gap = max(c.result.Gap, time.Since(c.last))
	c.last = time.Now()
}

// Stop lets all calls end and tells what became of them.
func (c *Calls) Stop() CallsResult {
	c.stop()
	c.wait.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.result
}

// Sent is how many calls have ended so far.
func (c *Calls) Sent() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.result.Sent
}
