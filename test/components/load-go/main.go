// A component that allocates, collects, and calls imports from several goroutines, for the test that nothing of it traps
// or grows.
package main

import (
	"errors"
	"fmt"
	"runtime"
	"slices"

	"github.com/weft-run/weft/test/components/load-go/gen/test/load/load"
	"github.com/weft-run/weft/test/components/load-go/gen/test/load/words"
	"github.com/weft-run/weft/test/components/load-go/gen/wasi/clocks/monotonicclock"
	"github.com/weft-run/weft/test/components/load-go/gen/wasi/random/random"
)

func init() { load.Export(component{}) }

func main() {}

// pages is the size of linear memory in pages of 64 KiB.
func pages() int32

type component struct{}

func (component) Turn(entries []load.Entry) []load.Entry {
	turned := slices.Clone(entries)
	slices.Reverse(turned)
	return turned
}

func (component) Echo(text string) string { return text }

func (component) State() load.Usage {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return load.Usage{Collections: stats.NumGC, Memory: uint64(pages()) << 16}
}

func (component) Gather(goroutines, rounds uint32) (uint32, error) {
	failures := make(chan error, goroutines)
	for g := range goroutines {
		go func() { failures <- work(g, rounds) }()
	}
	var all []error
	for range goroutines {
		all = append(all, <-failures)
	}
	return 3 * goroutines * rounds, errors.Join(all...)
}

// work calls each import so many times and lets others run in between.
func work(g, rounds uint32) error {
	first := fmt.Sprintf("goroutine-%d", g)
	before := monotonicclock.Now()
	for range rounds {
		list := words.ListWords(first, 100)
		runtime.Gosched()
		for n, word := range list {
			if want := fmt.Sprintf("%s-%d", first, n); word != want {
				return fmt.Errorf("word %d is %q, want %q", n, word, want)
			}
		}
		if data := random.GetRandomBytes(4096); len(data) != 4096 || slices.Max(data) == 0 {
			return fmt.Errorf("%d random bytes, or none", len(data))
		}
		runtime.Gosched()
		now := monotonicclock.Now()
		if now < before {
			return fmt.Errorf("the clock went back from %d to %d", before, now)
		}
		before = now
	}
	return nil
}
