package router

import (
	"math"
	"sync"
	"time"

	"github.com/weft-run/weft/services/link"
)

const (
	// failuresToEject is how many failures in a row take a node out.
	failuresToEject = 3
	minEjection     = time.Second
	maxEjection     = 30 * time.Second
	// latencyFloor keeps differences that do not matter from deciding.
	latencyFloor = time.Millisecond
	// halfLife is how soon a bad latency counts half if nothing newer is known.
	halfLife = 5 * time.Second
	// latencyWeight is what a new latency counts against those before.
	latencyWeight = 0.2
)

// remote is what this node has found out about another one by calling it. It is safe for concurrent use.
type remote struct {
	name        string
	incarnation uint64

	mu       sync.Mutex
	inFlight int           // guarded by mu: calls of this node that it has
	others   int           // guarded by mu: calls of others that it had when it answered last
	latency  time.Duration // guarded by mu: how long it takes beyond the run, lately
	measured time.Time     // guarded by mu

	failures int           // guarded by mu: in a row
	ejection time.Duration // guarded by mu: how long the last ejection was; zero after a success
	ejected  time.Time     // guarded by mu: until when; zero if it is not ejected
}

// begin counts a call that goes out.
func (r *remote) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inFlight++
}

// answered takes in a call that came back, whatever the function made of it.
func (r *remote) answered(load link.Load, beyond time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.others = max(load.InFlight-r.inFlight, 0)
	r.inFlight--
	now := time.Now()
	if old := r.faded(now); r.measured.IsZero() {
		r.latency = beyond
	} else {
		r.latency = old + time.Duration(latencyWeight*float64(beyond-old))
	}
	r.measured = now
	r.failures, r.ejection, r.ejected = 0, 0, time.Time{}
}

// abandoned takes in a call that its caller gave up: it says nothing about the node.
func (r *remote) abandoned() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inFlight--
}

// failed takes in a call that could not be sent or was lost. It tells whether the node is to be ejected, which is for eject
// to do.
func (r *remote) failed() (eject bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inFlight--
	r.failures++
	return r.failures >= failuresToEject
}

// eject leaves the node out for twice as long as the last time.
func (r *remote) eject(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ejection = min(max(2*r.ejection, minEjection), maxEjection)
	r.ejected = now.Add(r.ejection)
}

// isEjected tells whether the node is left out.
func (r *remote) isEjected(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return now.Before(r.ejected)
}

// claim is called when the node was chosen. After an ejection one call gets it and finds out whether the node is back;
// until then it stays out for the others.
func (r *remote) claim(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ejected.IsZero() && !now.Before(r.ejected) {
		r.ejected = now.Add(r.ejection)
	}
}

// load is how many calls the node has, as far as is known.
func (r *remote) load() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.inFlight + r.others
}

// cost is what a call may have to wait there, to be compared with others.
func (r *remote) cost(now time.Time, cores int) float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return float64(r.inFlight+r.others+1) / float64(cores) * float64(r.faded(now)+latencyFloor)
}

// faded is the latency as it counts now. The caller holds mu.
func (r *remote) faded(now time.Time) time.Duration {
	if r.latency == 0 {
		return 0
	}
	return time.Duration(float64(r.latency) * math.Exp2(-now.Sub(r.measured).Seconds()/halfLife.Seconds()))
}
