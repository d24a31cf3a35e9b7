package consensus

import (
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
)

var quietLog = slog.New(slog.DiscardHandler)

const benchEntry = 256 // bytes of an encoded command

// benchCommand returns a deploy of some function, padded to the entry size.
func benchCommand(i int64) []byte {
	cmd := deploy(fmt.Sprintf("3f2504e0-4f89-11d3-9a0c-%012d", i), fmt.Sprintf("function-%d", i%20_000))
	cmd.TimeUnixNanos = 1
	cmd.GetPutRevision().GetRevision().Environment = map[string]string{"PADDING": ""}
	entry, err := encodeEntry(cmd)
	if err != nil {
		panic(err)
	}
	cmd.GetPutRevision().GetRevision().Environment["PADDING"] = padding[:max(0, benchEntry-len(entry))]
	if entry, err = encodeEntry(cmd); err != nil {
		panic(err)
	}
	return entry
}

var padding = fmt.Sprintf("%0*d", benchEntry, 0)

// inFlight calls do from some goroutines for a while and returns calls per second.
func inFlight(b *testing.B, goroutines int, d time.Duration, do func(i int64) error) float64 {
	b.Helper()
	var calls atomic.Int64
	var wait sync.WaitGroup
	started := time.Now()
	for range goroutines {
		wait.Go(func() {
			for time.Since(started) < d {
				if err := do(calls.Add(1)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
	return float64(calls.Load()) / time.Since(started).Seconds()
}

// BenchmarkApply compares commands per second through a Node with bare raft over raft-wal: the same entries, the same
// concurrency, in turns in one run. The ratio is the median of the turns.
func BenchmarkApply(b *testing.B) {
	for _, goroutines := range []int{1, 16, 128} {
		b.Run(fmt.Sprint(goroutines), func(b *testing.B) {
			const turn, turns = 500 * time.Millisecond, 5
			n := open(b, Config{Dir: b.TempDir(), Logger: quietLog, retry: time.Second})
			if err := n.Linearize(b.Context()); err != nil {
				b.Fatal(err)
			}
			bare := bareRaft(b, b.TempDir())
			entries := make([][]byte, 1<<18)
			for i := range entries {
				entries[i] = benchCommand(int64(i))
			}
			var next atomic.Int64
			var ours, theirs, ratios []float64
			for b.Loop() {
				ours, theirs, ratios = nil, nil, nil
				for range turns {
					o := inFlight(b, goroutines, turn, func(int64) error {
						entry := entries[next.Add(1)%int64(len(entries))]
						_, err := n.session.propose(b.Context(), entry, time.Second)
						return err
					})
					t := inFlight(b, goroutines, turn, func(i int64) error {
						return bare.Apply(entries[i%int64(len(entries))], time.Second).Error()
					})
					ours, theirs, ratios = append(ours, o), append(theirs, t), append(ratios, o/t)
				}
			}
			b.ReportMetric(median(ours), "commands/s")
			b.ReportMetric(median(theirs), "bare/s")
			b.ReportMetric(median(ratios), "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

func bareRaft(b *testing.B, dir string) *raft.Raft {
	b.Helper()
	quiet := hclog.NewNullLogger()
	store, err := wal.Open(dir, wal.WithLogger(quiet), wal.WithSegmentSize(segmentSize))
	if err != nil {
		b.Fatal(err)
	}
	config := raft.DefaultConfig()
	config.LocalID, config.Logger = "bare", quiet
	config.HeartbeatTimeout, config.ElectionTimeout, config.LeaderLeaseTimeout = 50*time.Millisecond, 50*time.Millisecond, 50*time.Millisecond
	snapshots, err := raft.NewFileSnapshotStore(filepath.Join(dir, "snapshots"), 1, io.Discard)
	if err != nil {
		b.Fatal(err)
	}
	address, transport := raft.NewInmemTransport("")
	configuration := raft.Configuration{Servers: []raft.Server{{ID: "bare", Address: address}}}
	if err := raft.BootstrapCluster(config, store, store, snapshots, transport, configuration); err != nil {
		b.Fatal(err)
	}
	r, err := raft.NewRaft(config, &raft.MockFSM{}, store, store, snapshots, transport)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := r.Shutdown().Error(); err != nil {
			b.Error(err)
		}
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	})
	for r.State() != raft.Leader {
		time.Sleep(time.Millisecond)
	}
	return r
}

func BenchmarkLinearize(b *testing.B) {
	n := open(b, Config{Dir: b.TempDir(), Logger: quietLog, retry: time.Second})
	for b.Loop() {
		if err := n.Linearize(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRestart opens a node with 10,000 functions, until its first linearizable read.
func BenchmarkRestart(b *testing.B) {
	dir := b.TempDir()
	n := open(b, Config{Dir: dir, Logger: quietLog})
	var wait sync.WaitGroup
	for w := range 50 {
		wait.Go(func() {
			for i := range 200 {
				cmd := deploy(fmt.Sprint(w, "-", i), fmt.Sprint("f", w, "-", i))
				if _, err := n.Apply(b.Context(), cmd); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wait.Wait()
	shut(b, n)
	var opened time.Duration
	for b.Loop() {
		started := time.Now()
		n = open(b, Config{Dir: dir, Logger: quietLog})
		opened += time.Since(started)
		if err := n.Linearize(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		shut(b, n)
		b.StartTimer()
	}
	b.ReportMetric(float64(opened.Milliseconds())/float64(b.N), "open-ms")
}
