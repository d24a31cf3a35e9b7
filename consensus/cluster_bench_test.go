package consensus

import (
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// BenchmarkClusterWrites compares commands per second through the leader of three nodes with bare raft over raft-wal and
// plain TCP: the same entries, voters and concurrency, all in one process, in turns in one run. The ratio is the median of
// the turns. Ours are encrypted, checked, journaled and applied to three catalogs.
func BenchmarkClusterWrites(b *testing.B) {
	const turn, turns = 700 * time.Millisecond, 5
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as weft server has it
	commands := make([]*catalogv1.Command, 1<<16)
	entries := make([][]byte, len(commands))
	for i := range commands {
		entries[i] = benchCommand(int64(i))
		cmd, err := decodeEntry(entries[i])
		if err != nil {
			b.Fatal(err)
		}
		commands[i] = cmd
	}
	for _, goroutines := range []int{1, 16, 128} {
		b.Run(fmt.Sprint(goroutines), func(b *testing.B) {
			c := newCluster(b, 3, Config{Logger: quietLog, retry: time.Second})
			n := c.at(c.leader())
			bare := bareCluster(b, 3)
			var next atomic.Int64
			var ours, theirs, ratios []float64
			var spent, spentBare time.Duration
			for b.Loop() {
				ours, theirs, ratios, spent, spentBare = nil, nil, nil, 0, 0
				for range turns {
					before := cpuTime(b)
					o := inFlight(b, goroutines, turn, func(int64) error {
						_, err := n.Apply(b.Context(), commands[next.Add(1)%int64(len(commands))])
						return err
					})
					between := cpuTime(b)
					t := inFlight(b, goroutines, turn, func(i int64) error {
						return bare.Apply(entries[i%int64(len(entries))], time.Second).Error()
					})
					spent, spentBare = spent+between-before, spentBare+cpuTime(b)-between
					ours, theirs, ratios = append(ours, o), append(theirs, t), append(ratios, o/t)
				}
			}
			b.ReportMetric(median(ours), "commands/s")
			b.ReportMetric(median(theirs), "bare/s")
			b.ReportMetric(median(ratios), "ratio")
			b.ReportMetric(float64(spent.Microseconds())/sum(ours)/turn.Seconds(), "cpu-us/command")
			b.ReportMetric(float64(spentBare.Microseconds())/sum(theirs)/turn.Seconds(), "cpu-us/bare")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// cpuTime returns what this process has used so far.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func sum(values []float64) (total float64) {
	for _, v := range values {
		total += v
	}
	return total
}

// bareCluster starts raft without anything of ours and returns the leader.
func bareCluster(b *testing.B, size int) *raft.Raft {
	b.Helper()
	quiet := hclog.NewNullLogger()
	var configuration raft.Configuration
	transports := make([]*raft.NetworkTransport, size)
	for i := range transports {
		transport, err := raft.NewTCPTransportWithLogger("127.0.0.1:0", nil, 3, time.Second, quiet)
		if err != nil {
			b.Fatal(err)
		}
		transports[i] = transport
		configuration.Servers = append(configuration.Servers, raft.Server{ID: raft.ServerID(fmt.Sprint(i)), Address: transport.LocalAddr()})
	}
	rafts := make([]*raft.Raft, size)
	for i, transport := range transports {
		dir := b.TempDir()
		store, err := wal.Open(dir, wal.WithLogger(quiet), wal.WithSegmentSize(segmentSize))
		if err != nil {
			b.Fatal(err)
		}
		config := raft.DefaultConfig()
		config.LocalID, config.Logger = configuration.Servers[i].ID, quiet
		snapshots, err := raft.NewFileSnapshotStore(filepath.Join(dir, "snapshots"), 1, io.Discard)
		if err != nil {
			b.Fatal(err)
		}
		if err := raft.BootstrapCluster(config, store, store, snapshots, transport, configuration); err != nil {
			b.Fatal(err)
		}
		if rafts[i], err = raft.NewRaft(config, &raft.MockFSM{}, store, store, snapshots, transport); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() {
			if err := rafts[i].Shutdown().Error(); err != nil {
				b.Error(err)
			}
			_ = transport.Close()
			if err := store.Close(); err != nil {
				b.Error(err)
			}
		})
	}
	for {
		for _, r := range rafts {
			if r.State() == raft.Leader {
				return r
			}
		}
		time.Sleep(time.Millisecond)
	}
}
