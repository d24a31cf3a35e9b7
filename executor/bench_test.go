package executor

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// BenchmarkCall is a whole call of a small function that imports WASI, one at a time and 64 at a time.
func BenchmarkCall(b *testing.B) {
	g := newGuest(b, Config{}, Limits{Queue: 1000})
	message := protowire.AppendVarint([]byte("\x08"), 7)
	request := Request{Key: g.rev.Key, Service: guestService, Method: "Echo", Message: message}
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := g.Call(context.Background(), request); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("64", func(b *testing.B) {
		b.SetParallelism(64)
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := g.Call(context.Background(), request); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

// BenchmarkOutgoing is a call whose guest makes a call that is answered at once, against the same call without; and one
// that another guest on this executor answers.
func BenchmarkOutgoing(b *testing.B) {
	run := func(name string, p *proxies, method string, message []byte) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.send(context.Background(), method, message); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/64", func(b *testing.B) {
			b.SetParallelism(64)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := p.send(context.Background(), method, message); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
	message := []byte("\x08\x07")
	limits := Limits{Queue: 1000, Concurrency: 200}
	direct := newGuest(b, Config{}, limits)
	b.Run("direct", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := direct.call(context.Background(), "Echo", 7); err != nil {
				b.Fatal(err)
			}
		}
	})
	run("answered", newProxies(b, bank, Config{}, limits, answerNine), "Echo", message)
	run("nested", chain(b, Config{}, limits, 2, answerNine), "Echo", message)
	run("apart", chainApart(b, Config{}, limits, 2, answerNine), "Echo", message)
}

// BenchmarkHost is a call whose guest calls a function of the host once: one that does nothing, one that waits for something
// that is there, and some that pass a list of bytes on and back.
func BenchmarkHost(b *testing.B) {
	g := hostGuest(b, hostText, map[string]HostFunc{
		"nothing": func(*HostCall) error { return nil },
		"wait": func(c *HostCall) error {
			c.Result().U32(c.Arg(0).U32())
			return c.Wait(func(context.Context) error { return nil })
		},
		"bytes": func(c *HostCall) error {
			c.Result().OK().Some().Bytes(c.Arg(0).U8s(nil))
			return nil
		},
	}, Config{})
	bytes := func(n int) string {
		return string(protowire.AppendBytes([]byte("\x0a"), make([]byte, n)))
	}
	for _, bench := range []struct{ name, method, message string }{
		{"nothing", "Nothing", "\x08\x07"}, {"wait", "Wait", "\x08\x07"}, {"1KiB", "Bytes", bytes(1 << 10)}, {"1MiB", "Bytes", bytes(1 << 20)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := g.ask(context.Background(), bench.method, bench.message); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSleep is a call that sleeps for 10 ms beside one that does not, a thousand at a time. KiB/guest is by how much the process has grown
// for each when a thousand sleep, with what the kernel has for their threads.
func BenchmarkSleep(b *testing.B) {
	const guests = 1000
	g := newGuest(b, Config{Waiting: guests}, Limits{Concurrency: guests, Queue: guests, Timeout: time.Hour})
	run := func(name, method string, arg uint64, guest float64) {
		b.Run(name, func(b *testing.B) {
			b.SetParallelism(guests / runtime.GOMAXPROCS(0))
			began := cpuTime(b)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := g.call(context.Background(), method, arg); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(cpuTime(b)-began)/float64(b.N), "cpu-ns/op")
			b.ReportMetric(guest, "KiB/guest")
		})
	}
	run("awake", "Echo", 7, 0)
	before := memoryTaken(b)
	ctx, wake := context.WithCancel(b.Context())
	var asleep sync.WaitGroup
	for range guests {
		asleep.Go(func() { _, _ = g.call(ctx, "Sleep", hour) }) // it is woken, which is an error
	}
	until(b, func() bool { return g.metric("weft_guests_sleeping") == guests })
	taken := memoryTaken(b) - before
	wake()
	asleep.Wait()
	run("asleep", "Sleep", uint64(10*time.Millisecond), float64(taken)/guests)
}

// memoryTaken is what this process has of memory, and the kernel for all threads and processes, in KiB.
func memoryTaken(b *testing.B) (kib int) {
	b.Helper()
	for _, field := range []string{"self/status VmRSS", "meminfo KernelStack", "meminfo PageTables", "meminfo Slab"} {
		file, name, _ := strings.Cut(field, " ")
		text, err := os.ReadFile(filepath.Join("/proc", file))
		if err != nil {
			b.Skip(err)
		}
		_, after, _ := strings.Cut(string(text), "\n"+name+":")
		value, err := strconv.Atoi(strings.Fields(after)[0])
		if err != nil {
			b.Fatal(err)
		}
		kib += value
	}
	return kib
}
