package logs

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/weft-run/weft/executor"
)

func line(function, message string) executor.Line {
	return executor.Line{Key: executor.Key{Namespace: "default", Function: function, Revision: 1}, Message: message}
}

func messages(lines []executor.Line) string {
	var out []string
	for _, l := range lines {
		out = append(out, l.Message)
	}
	return strings.Join(out, " ")
}

func TestReadKeepsTheLastLines(t *testing.T) {
	tests := []struct {
		name   string
		config Config
		write  int
		tail   int
		want   string
	}{
		{"none", Config{Lines: 3}, 0, 0, ""},
		{"fewer than the bound", Config{Lines: 3}, 2, 0, "0 1"},
		{"more than the bound", Config{Lines: 3}, 8, 0, "5 6 7"},
		{"tail", Config{Lines: 5}, 8, 2, "6 7"},
		{"tail longer than the log", Config{Lines: 3}, 8, 20, "5 6 7"},
		{"bytes", Config{Bytes: 2 * (lineCost + 1)}, 8, 0, "6 7"},
		{"one line over the bytes", Config{Bytes: 1}, 8, 0, "7"},
		{"grown while it turns", Config{Lines: 40}, 100, 3, "97 98 99"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := New(tt.config)
			for i := range tt.write {
				s.Append(line("f", fmt.Sprint(i)))
			}
			if got := messages(slices.Collect(s.Read("default", "f", tt.tail))); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLogsAreApart(t *testing.T) {
	s := New(Config{})
	s.Append(line("f", "of-f"))
	s.Append(line("g", "of-g"))
	if got := messages(slices.Collect(s.Read("default", "g", 0))); got != "of-g" {
		t.Errorf("got %q", got)
	}
	if got := messages(slices.Collect(s.Read("other", "g", 0))); got != "" {
		t.Errorf("another namespace sees %q", got)
	}
}

func TestFollowGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{})
		s.Append(line("f", "0"))
		var got []executor.Line
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			for l := range s.Follow(ctx, "default", "f", 0, func() {}) {
				got = append(got, l)
			}
		}()
		synctest.Wait()
		s.Append(line("f", "1"))
		synctest.Wait()
		s.Append(line("f", "2"))
		synctest.Wait()
		cancel()
		<-done
		if messages(got) != "0 1 2" {
			t.Errorf("got %q", messages(got))
		}
	})
}

func TestSlowFollowerIsToldWhatItMissed(t *testing.T) {
	s := New(Config{Lines: 4})
	s.Append(line("f", "first"))
	var got []executor.Line
	for l := range s.Follow(t.Context(), "default", "f", 0, func() {}) {
		got = append(got, l)
		if len(got) == 1 {
			// The reader is busy with its first line while a hundred others come.
			for i := range 100 {
				s.Append(line("f", fmt.Sprint(i)))
			}
		}
		if l.Message == "99" {
			break
		}
	}
	want := "first dropped 96 lines: this reader was too slow 96 97 98 99"
	if messages(got) != want {
		t.Errorf("got %q, want %q", messages(got), want)
	}
	if got[1].Stream != executor.StreamWeft {
		t.Errorf("stream %q", got[1].Stream)
	}
}

func TestDropEndsFollowers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range s.Follow(t.Context(), "default", "f", 0, func() {}) {
			}
		}()
		synctest.Wait()
		s.Drop("default", "f")
		<-done
		s.Append(line("f", "of a new function of this name"))
		if got := len(slices.Collect(s.Read("default", "f", 0))); got != 1 {
			t.Errorf("%d lines", got)
		}
	})
}

// TestReadEnds: a reader of a log that is written to all the time still ends.
func TestReadEnds(t *testing.T) {
	s := New(Config{Lines: 10})
	for i := range 10 {
		s.Append(line("f", fmt.Sprint(i)))
	}
	n := 0
	for range s.Read("default", "f", 0) {
		n++
		s.Append(line("f", "more"))
	}
	if n != 10 {
		t.Errorf("%d lines", n)
	}
}

func TestConcurrentUse(t *testing.T) {
	s := New(Config{Lines: 64})
	ctx, cancel := context.WithCancel(t.Context())
	var readers, writers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for range s.Follow(ctx, "default", "f", 0, func() {}) {
			}
		})
	}
	for w := range 4 {
		writers.Go(func() {
			for i := range 2000 {
				s.Append(line("f", fmt.Sprint(w, i)))
			}
		})
	}
	writers.Wait()
	cancel()
	readers.Wait()
	if got := len(slices.Collect(s.Read("default", "f", 0))); got != 64 {
		t.Errorf("%d lines", got)
	}
}
