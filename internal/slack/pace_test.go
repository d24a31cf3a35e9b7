package slack

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
)

func TestPercent(t *testing.T) {
	const mib = 1 << 20
	p := Pace{Percent: 400, Least: 64 * mib}
	for live, want := range map[uint64]int{0: 1600, 4 * mib: 1600, 8 * mib: 800, 16 * mib: 400, 1000 * mib: 400} {
		if got := p.percent(live); got != want {
			t.Errorf("%d bytes in use: %d percent, want %d", live, got, want)
		}
	}
}

// goal is how large the heap is when the next collection begins.
func goal() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// TestPace follows a heap that grows and shrinks. The percentage is adjusted some time after a collection, by another goroutine.
func TestPace(t *testing.T) {
	const mib = 1 << 20
	runtime.GC()
	original := debug.SetGCPercent(100)
	defer debug.SetGCPercent(original)
	stop := Pace{Percent: 100, Least: 48 * mib}.Set()
	until := func(what string, holds func() bool) {
		t.Helper()
		for tries := 0; !holds(); tries++ {
			if tries == 1000 {
				t.Fatalf("%s: the next collection begins at %d bytes", what, goal())
			}
			runtime.GC()
			runtime.Gosched()
		}
	}
	until("little is in use", func() bool { return goal() >= 40*mib && goal() < 80*mib })
	keep := make([]byte, 128*mib)
	until("much is", func() bool { return goal() >= 250*mib && goal() < 300*mib })
	runtime.KeepAlive(keep)
	until("little is again", func() bool { return goal() >= 40*mib && goal() < 80*mib })
	stop()
	if set := debug.SetGCPercent(100); set != 100 {
		t.Errorf("afterwards, it is %d percent", set)
	}
}
