package placement

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
)

// TestCatalogIsReplaced expects a table to come in line with a catalog that does not follow on the one that it has looked at, as after
// a snapshot was restored.
func TestCatalogIsReplaced(t *testing.T) {
	other := newBench(t)
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		stays, moves, goes := b.deploy("stays"), b.deploy("moves"), b.deploy("goes")
		synctest.Wait()

		other.t = t
		other.put("stays")
		other.put("moves")
		comes := other.put("comes")
		other.place(stays, node)
		other.place(moves, elsewhere)
		other.place(comes, node)
		var snapshot bytes.Buffer
		if err := other.catalog.Snapshot(&snapshot); err != nil {
			t.Fatal(err)
		}
		if err := b.catalog.Restore(&snapshot); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !b.Ready(stays) || !b.Ready(comes) || b.Ready(goes) || b.runner.has(goes) {
			t.Errorf("one that stays is %s, one that comes %s, one that goes %s", b.state(stays), b.state(comes), b.state(goes))
		}
		if fmt.Sprint(b.gone) != "[default/goes]" {
			t.Errorf("gone are %v", b.gone)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if b.Ready(moves) || !b.Ready(stays) || b.runner.count(stays) != 1 {
			t.Errorf("one that moved is %s, one that stayed %s after %d loads", b.state(moves), b.state(stays), b.runner.count(stays))
		}
	})
}

// TestNothingIsTimedThatIsReady keeps what a look costs to what has changed: an entry that is placed and ready needs none.
func TestNothingIsTimedThatIsReady(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		timed := func() int {
			synctest.Wait()
			b.Table.mu.Lock()
			defer b.Table.mu.Unlock()
			return len(b.timed)
		}
		first, second := b.deploy("first"), b.deploy("second")
		called := b.put("called")
		if err := b.Ensure(t.Context(), called); err != nil {
			t.Fatal(err)
		}
		if n := timed(); n != 1 {
			t.Errorf("%d are timed beside one that is loaded for a call alone", n)
		}
		b.place(called, node)
		if n := timed(); n != 0 {
			t.Errorf("%d are timed that are all placed", n)
		}
		b.place(first)
		b.delete("second")
		if n := timed(); n != 1 || b.Ready(second) {
			t.Errorf("%d are timed beside one that lingers", n)
		}
		b.Failed(called, ErrUnknown)
		if n := timed(); n != 2 {
			t.Errorf("%d are timed with one that is to be tried again", n)
		}
		time.Sleep(time.Hour)
		if n := timed(); n != 0 || b.Ready(first) || !b.Ready(called) {
			t.Errorf("%d are timed in the end; the first is %s, the one called %s", n, b.state(first), b.state(called))
		}
		b.Table.mu.Lock()
		defer b.Table.mu.Unlock()
		if len(b.of) != 1 || len(b.of[catalog.FunctionName{Namespace: "default", Function: "called"}]) != 1 {
			t.Errorf("by function there are %v", b.of)
		}
	})
}

// TestTranscoded has it be news why a revision has no transcoder, once, and remembers it while the revision is dormant.
func TestTranscoded(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		k := b.deploy("calc")
		synctest.Wait()
		b.News()
		news := func(want string, count int) {
			t.Helper()
			got := b.News()
			if len(got) != count || count > 0 && (got[0].Plain != want || got[0].State != StateReady) || b.Plain(k) != want {
				t.Errorf("news %v, plain %q; want %d with %q", got, b.Plain(k), count, want)
			}
		}
		why := errors.New("compiling the component took too long")
		b.Transcoded(k, why)
		news(why.Error(), 1)
		b.Transcoded(k, why)
		b.Dormant(k)
		news(why.Error(), 0)
		b.Transcoded(k, nil)
		news("", 1)
		b.Transcoded(executor.Key{Namespace: "default", Function: "gone", Revision: 1}, why)
		news("", 0)
	})
}

// TestNews gives each change of a state once, and what is gone.
func TestNews(t *testing.T) {
	trial(t, func(t *testing.T, b *bench) {
		t.Helper()
		news := func(want map[executor.Key]string) {
			t.Helper()
			synctest.Wait()
			got := map[executor.Key]string{}
			for _, s := range b.News() {
				got[s.Key] = s.State
			}
			if !maps.Equal(got, want) {
				t.Errorf("news %v, want %v", got, want)
			}
		}
		first, release := b.deploySlow("first")
		news(map[executor.Key]string{first: StateLoading})
		release()
		news(map[executor.Key]string{first: StateReady})
		news(map[executor.Key]string{})
		second := b.deploy("second")
		b.delete("first")
		news(map[executor.Key]string{first: StateIdle, second: StateReady})
		b.runner.fails(second, ErrUnknown)
		b.Failed(second, ErrUnknown)
		news(map[executor.Key]string{second: StateFailed})
	})
}
