package executor

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestTrimmer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var trims atomic.Int32
		trimmer := &trimmer{trim: func() { trims.Add(1) }}
		expect := func(want int32) {
			t.Helper()
			synctest.Wait()
			if got := trims.Load(); got != want {
				t.Fatalf("%d trims, want %d", got, want)
			}
		}
		trimmer.large()
		trimmer.large() // one trim is for both
		time.Sleep(trimAfter - time.Nanosecond)
		expect(0)
		time.Sleep(time.Nanosecond)
		expect(1)
		time.Sleep(10 * trimAfter)
		expect(1) // an idle node does nothing
		trimmer.large()
		time.Sleep(trimAfter)
		expect(2)
		trimmer.large()
		trimmer.close()
		trimmer.large()
		time.Sleep(10 * trimAfter)
		expect(2)
	})
}
