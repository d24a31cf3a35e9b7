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
