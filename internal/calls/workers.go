package calls

import "sync"

// maxIdleWorkers is how many goroutines are kept for the next calls.
const maxIdleWorkers = 256

// A Call is what a worker does.
type Call interface {
	Run()
}

// Workers are goroutines that run one call after the other. A new goroutine per call would grow its stack each time, which
// is a sixth of what a small call costs. The one that became idle last is used next: its stack is in the caches.
type Workers struct {
	running sync.WaitGroup

	mu     sync.Mutex
	idle   []chan Call // guarded by mu
	closed bool        // guarded by mu
}

// Run hands a call to a goroutine.
func (w *Workers) Run(s Call) {
	w.mu.Lock()
	if n := len(w.idle); n > 0 {
		inbox := w.idle[n-1]
		w.idle = w.idle[:n-1]
		w.mu.Unlock()
		inbox <- s
		return
	}
	w.running.Add(1)
	w.mu.Unlock()
	go w.work(s)
}

func (w *Workers) work(s Call) {
	defer w.running.Done()
	inbox := make(chan Call, 1)
	for s != nil {
		s.Run()
		w.mu.Lock()
		if w.closed || len(w.idle) >= maxIdleWorkers {
			w.mu.Unlock()
			return
		}
		w.idle = append(w.idle, inbox)
		w.mu.Unlock()
		s = <-inbox
	}
}

// Close ends the goroutines, once they are done with their calls. No call is handed over from then on.
func (w *Workers) Close() {
	w.mu.Lock()
	w.closed = true
	for _, inbox := range w.idle {
		inbox <- nil
	}
	w.idle = nil
	w.mu.Unlock()
	w.running.Wait()
}
