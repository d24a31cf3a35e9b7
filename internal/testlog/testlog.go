// Package testlog gives the parts of a test a logger.
package testlog

import (
	"io"
	"log/slog"
	"sync"
	"testing"
)

// New gives a logger that writes to a test's log for as long as the test lasts. Not everybody who logs is waited for: raft
// leaves those behind who serve its connections, and writing to a test that is over is a panic.
func New(t testing.TB, level slog.Level) *slog.Logger {
	t.Helper()
	w := &writer{out: t.Output()}
	t.Cleanup(w.close)
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}

type writer struct {
	mu  sync.Mutex
	out io.Writer // guarded by mu; nil once the test is over
}

func (w *writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.out == nil {
		return len(p), nil
	}
	return w.out.Write(p)
}

func (w *writer) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out = nil
}
