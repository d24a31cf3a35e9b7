package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// printFigures writes the one table: the figures of some reports, one below the other.
func printFigures(w io.Writer, all []*report) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "figure\tweft\tagainst\tbaseline\tratio\tgoal\tmet")
	for _, r := range all {
		for _, f := range r.Figures {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
				f.Name, f.valueText(), dash(f.Against != "", f.Against), f.baselineText(), f.ratioText(), f.goalText(), f.metText())
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, r := range all {
		fmt.Fprintf(w, "\n%s: %s\n", r.Suite, r.Run)
		for _, f := range r.Figures {
			if f.Note != "" {
				fmt.Fprintf(w, "  %s: %s\n", f.Name, f.Note)
			}
		}
		for _, text := range append(r.bends(), r.gaps()...) {
			fmt.Fprintf(w, "  %s\n", text)
		}
	}
	return nil
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
	fmt.Fprintln(w)

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
	fmt.Fprintf(w, "(none should fail)\n\n")

	fmt.Fprintf(w, "A node joins a cluster with %d functions, seconds from its start: member %.2f, catalog caught up %.2f, first call run %.2f, all ready %.2f\n\n",
		r.Join.Functions, r.Join.Member, r.Join.CaughtUp, r.Join.Served, r.Join.All)
}

func (r polyglotReport) print(w io.Writer) {
	fmt.Fprintf(w, "The same function in every language, and a process of the language's own for the same answer:\n\n")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "language\tcomponent KB\tcompile ms\tCPU ms\tfresh instance + call µs\tby gRPC µs\twarm call µs\tKiB per instance\tprocess µs\tprocess/fresh\tprocess/gRPC\t")
	for _, f := range r.Languages {
		fmt.Fprintf(table, "%s\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.1f\t%.0f\t%.0f\t%.1f\t%.1f\t\n",
			f.Language, float64(f.ComponentBytes)/1e3, f.CompileMillis, f.CompileCPU, f.FreshMicros, f.CallMicros, f.WarmMicros,
			f.InstanceBytes/1024, f.ProcessMicros, f.FreshRatio, f.CallRatio)
	}
	table.Flush()

	fmt.Fprintf(w, "\nOne typed call of a small record:\n\n")
	table = tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "way\tµs\tratio\t")
	for _, b := range r.Between {
		fmt.Fprintf(table, "%s\t%.3g\t%.4f\t\n", b.Name, b.Micros, b.Ratio)
	}
	table.Flush()
	fmt.Fprintln(w)
}

func (r *kernelsReport) print(w io.Writer) {
	fmt.Fprintf(w, "The same Rust as a program and as a component, processor time; %s:\n\n", r.Compiler)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "kernel\tsize\tprogram ms\tweft ms\tratio\tof the fastest\twithout epochs ms\tratio\tepochs cost\t")
	for _, f := range r.Kernels {
		fmt.Fprintf(table, "%s\t%d\t%.1f\t%.1f\t%.2f\t%.2f\t%.1f\t%.2f\t%.2f\t\n",
			f.Kernel, f.Size, f.ProgramMillis, f.WeftMillis, f.Ratio, f.FastestRatio, f.WithoutMillis, f.WithoutRatio, f.EpochsRatio)
	}
	fmt.Fprintf(table, "geometric mean\t\t\t\t%.2f\t%.2f\t\t%.2f\t%.2f\t\n", r.Ratio, r.FastestRatio, r.WithoutRatio, r.EpochsRatio)
	table.Flush()
	fmt.Fprintln(w)
}

func (r *fairnessReport) print(w io.Writer) {
	fmt.Fprintf(w, "Calls of a small record at half of the most that the node answers, which is %.0f/s, beside a function that burns:\n\n", r.PerSecond)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "beside calls that burn\tp50 µs\tratio\tp99 µs\tratio\tp99.9 µs\tratio\tcores of the node\t")
	fmt.Fprintf(table, "none\t%.0f\t\t%.0f\t\t%.0f\t\t%.2f\t\n", r.Alone.P50, r.Alone.P99, r.Alone.P999, r.Alone.Cores)
	for _, b := range r.Beside {
		fmt.Fprintf(table, "%s\t%.0f\t%.2f\t%.0f\t%.2f\t%.0f\t%.2f\t%.2f\t\n", durationText(b.Burn), b.P50, b.P50Ratio, b.P99, b.P99Ratio,
			b.P999, b.P999Ratio, b.Cores)
	}
	table.Flush()
	fmt.Fprintln(w)
}
