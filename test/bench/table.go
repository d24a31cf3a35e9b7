package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

func (r report) print(w io.Writer) {
	fmt.Fprintf(w, "Unary calls of a small record, %d in flight, median of %d rounds; ratios to the first line:\n\n", r.InFlight, r.Rounds)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "server\trequests/s\tratio\tp50 µs\tp99 µs\tratio\tserver CPU µs\tratio\t")
	for _, f := range r.Small {
		fmt.Fprintf(table, "%s\t%.0f\t%.2f\t%.0f\t%.0f\t%.2f\t%.1f\t%.2f\t\n",
			f.Server, f.PerSecond, f.Ratio, f.P50, f.P99, f.P99Ratio, f.CPU, f.CPURatio)
	}
	table.Flush()
	fmt.Fprintf(w, "\nIdle node with the three examples deployed: %.0f MiB resident (goal: under 150)\n", float64(r.IdleBytes)/(1<<20))
}

func (r clusterReport) print(w io.Writer) {
	fmt.Fprintf(w, "Calls that enter at another node than the one that runs them, against calls that enter there:\n\n")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "in flight\tdirect p50 µs\tforwarded\tratio\tdirect CPU µs, all nodes\tforwarded\tratio\t")
	for _, f := range r.Forwarded {
		fmt.Fprintf(table, "%d\t%.0f\t%.0f\t%.2f\t%.1f\t%.1f\t%.2f\t\n",
			f.InFlight, f.Direct, f.Forwarded, f.Ratio, f.DirectCPU, f.ForwardedCPU, f.CPURatio)
	}
	table.Flush()
	fmt.Fprintf(w, "(goals: median at most 2.2x at 1 in flight, CPU at most 2x at 64)\n\n")

	fmt.Fprintf(w, "%d calls/s at living nodes, for a function that is placed there:\n\n", callsPerSecond)
	table = tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "killed\tcalls\tfailed\tlongest gap ms\tnew leader ms\t")
	fmt.Fprintf(table, "the leader of 3\t%d\t%d\t%.0f\t%.0f\t\n", r.Failover.Calls, r.Failover.Failed, r.Failover.GapMillis, r.Failover.LeaderMillis)
	fmt.Fprintf(table, "all 3 schedulers, 2 executors left\t%d\t%d\t%.0f\t-\t\n", r.Schedulers.Calls, r.Schedulers.Failed, r.Schedulers.GapMillis)
	table.Flush()
	for _, text := range []string{r.Failover.FirstError, r.Schedulers.FirstError} {
		if text != "" {
			fmt.Fprintln(w, "  failed:", text)
		}
	}
	fmt.Fprintf(w, "(goals: none failed; a new leader within two election timeouts, 2000 ms)\n\n")

	fmt.Fprintf(w, "A node joins a cluster with %d functions, seconds from its start: member %.2f, catalog caught up %.2f, first call run %.2f, all ready %.2f\n",
		r.Join.Functions, r.Join.Member, r.Join.CaughtUp, r.Join.Served, r.Join.All)
}
