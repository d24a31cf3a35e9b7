package link

import "sync"

// maxIdleWorkers is how many goroutines are kept for the next calls.
const maxIdleWorkers = 256

// workers are goroutines that run one call after the other. A new goroutine per call would grow its stack each time, which
// is a sixth of what a small call costs. The one that became idle last is used next: its stack is in the caches.
type workers struct {
	running sync.WaitGroup

	mu     sync.Mutex
	idle   []chan *served // guarded by mu
	closed bool           // guarded by mu
}

// run hands a call to a goroutine.
func (w *workers) run(s *served) {
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

func (w *workers) work(s *served) {
	defer w.running.Done()
	inbox := make(chan *served, 1)
	for s != nil {
		s.run()
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

// close ends the goroutines, once they are done with their calls. No call is handed over from then on.
func (w *workers) close() {
	w.mu.Lock()
	w.closed = true
	for _, inbox := range w.idle {
		inbox <- nil
	}
	w.idle = nil
	w.mu.Unlock()
	w.running.Wait()
}
