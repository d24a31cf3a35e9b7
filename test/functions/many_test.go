package functions

import (
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/test/wat"
)

// TestManyCallsInOne has a function make 100,000 calls in one call of its own: nothing of them stays.
func TestManyCallsInOne(t *testing.T) {
	s := start(t)
	const times = 100_000
	patient := func(spec *weftv1.DeploySpec) { spec.Limits = &weftv1.Limits{Timeout: durationpb.New(time.Hour)} }
	s.deploy("b", wat.Chain{Export: iface("b")}, patient)
	s.deploy("a", wat.Chain{Export: iface("a"), Import: iface("b"), Times: times}, patient)
	s.deploy("first", wat.Chain{Export: iface("first"), Import: iface("b"), Times: times / 10}, patient)
	s.want("First/Tell", 1, 2) // what is kept for later is there then
	s.rests()
	memory, threads, goroutines := processStatus(t, "VmRSS:"), processStatus(t, "Threads:"), runtime.NumGoroutine()
	s.want("A/Tell", 1, 2)
	s.rests()
	if grown := processStatus(t, "VmRSS:") - memory; grown > 32<<10 && !raceEnabled { // the race detector keeps shadows of what was freed
		t.Errorf("memory has grown by %d KiB", grown)
	}
	if more := processStatus(t, "Threads:") - threads; more > 4 {
		t.Errorf("there are %d more threads", more)
	}
	eventually(t, "as many goroutines as before", func() bool { return runtime.NumGoroutine() <= goroutines+4 })
	s.want("A/Ask", 1, 2)
}

// processStatus is a number that the system has for this process; after the garbage is gone. Sizes are in KiB.
func processStatus(t *testing.T, name string) int {
	t.Helper()
	debug.FreeOSMemory()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("the system does not say how much memory the process has")
	}
	for line := range bytes.Lines(status) {
		if field := bytes.Fields(line); len(field) > 1 && string(field[0]) == name {
			n, err := strconv.Atoi(string(field[1]))
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("the system does not say %s", name)
	return 0
}
