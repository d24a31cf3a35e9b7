package executor

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestTrimmer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		trims := 0
		trimmer := &trimmer{trim: func() { trims++ }}
		expect := func(want int) {
			t.Helper()
			if synctest.Wait(); trims != want {
				t.Fatalf("%d trims, want %d", trims, want)
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
