package executor

import "time"

// shortSleep is what a guest sleeps with its slot: to give that back and to take it again takes about as long.
const shortSleep = 20 * time.Microsecond

// sleep has the guest sleep without its slot. When nobody waits for the guest any more it ends at once, and the guest with it.
// Guests may sleep while their component starts, too.
func (c *HostCall) sleep(until time.Time) error {
	d := time.Until(until)
	if until.IsZero() || d <= 0 {
		return nil
	}
	err := c.x.sleep(c.in.job, d)
	if ended, ok := err.(*endedError); ok { //nolint:errorlint // it is never wrapped
		c.ended = ended
	}
	return err
}

// sleep lets a guest sleep. Where as many are away as may be it keeps its slot, as it waits for nobody that could need it.
func (x *Executor) sleep(j *job, d time.Duration) error {
	ctx, cancel := x.lifetime(j)
	defer cancel()
	timer := acquireTimer(d)
	defer releaseTimer(timer)
	x.sleeping.Add(1)
	defer x.sleeping.Add(-1)
	away := d >= shortSleep && x.queue.depart(j)
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	if away && !x.queue.comeBack(j, ctx.Done()) || ctx.Err() != nil {
		return x.ended(j, "asleep")
	}
	return nil
}
