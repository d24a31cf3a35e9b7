package load

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// arrivals are the times at which the calls of an open loop should begin.
type arrivals struct {
	next   time.Time
	mean   float64 // nanoseconds between two
	random *rand.Rand
}

// resolution is how late a call may begin, so that calls which arrive at nearly the same time share a wake-up and a write: a client that wakes for each
// takes more of the cores than a server needs to answer them.
const resolution = 100 * time.Microsecond

func source(seed int) *rand.Rand {
	return rand.New(rand.NewPCG(1, uint64(seed))) //nolint:gosec // nothing is secret about it
}

// newArrivals begins with the warm-up, which is now.
func newArrivals(s share) *arrivals {
	a := &arrivals{next: time.Now(), mean: float64(time.Second) / s.rate, random: source(s.number)}
	a.advance()
	return a
}

// advance goes to the next arrival: those of a Poisson process have exponential gaps between them.
func (a *arrivals) advance() {
	a.next = a.next.Add(time.Duration(a.random.ExpFloat64() * a.mean))
}

// open begins calls as they arrive, and returns when the last has ended or the deadline is over. Calls beyond those that may be in flight
// begin later, and their latencies count from their arrival all the same.
func (c *conn) open(s share, deadline time.Time) error {
	// It sleeps in ppoll(2), to the microsecond; the runtime's timers may be a millisecond late.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0); err != nil {
		return err
	}
	raw, err := c.net.(syscall.Conn).SyscallConn()
	if err != nil {
		return err
	}
	arriving := newArrivals(s)
	for {
		now := time.Now()
		for arriving.next.Before(s.end) && !arriving.next.After(now) && c.mayBegin(s) {
			if err := c.call(arriving.next); err != nil {
				return err
			}
			arriving.advance()
		}
		more := arriving.next.Before(s.end)
		if !more && len(c.started) == 0 {
			return nil
		}
		if now.After(deadline) {
			return fmt.Errorf("%d calls have not ended by %v after the end", len(c.started), deadline.Sub(s.end))
		}
		until := deadline
		if more && c.mayBegin(s) {
			until = now.Add(max(arriving.next.Sub(now), resolution))
		}
		if err := c.await(raw, s, until); err != nil {
			return err
		}
	}
}

func (c *conn) mayBegin(s share) bool { return len(c.started) < s.inFlight && c.sendable > 0 }

// await handles one frame, if one comes until then.
func (c *conn) await(raw syscall.RawConn, s share, until time.Time) error {
	if c.in.Buffered() == 0 {
		if err := c.out.Flush(); err != nil {
			return err
		}
		if readable, err := waitReadable(raw, until); err != nil || !readable {
			return err
		}
	}
	ended, err := c.read()
	if err != nil || ended == 0 {
		return err
	}
	c.count(ended, time.Now(), s.within(c.started[ended]))
	return c.forget(ended)
}

// waitReadable waits until there is something to read, or it is that late, or a signal came.
func waitReadable(raw syscall.RawConn, until time.Time) (readable bool, err error) {
	wait := unix.NsecToTimespec(max(0, time.Until(until).Nanoseconds()))
	failed := raw.Control(func(fd uintptr) {
		var n int
		n, err = unix.Ppoll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, &wait, nil)
		readable = n > 0
	})
	if failed != nil {
		return false, failed
	}
	if errors.Is(err, unix.EINTR) {
		err = nil
	}
	return readable, err
}
