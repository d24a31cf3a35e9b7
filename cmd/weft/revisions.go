package main

import (
	"slices"

	"github.com/spf13/cobra"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

func (a *app) revisionsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "revisions NAME",
		Short:   "List the revisions of a function, the newest first",
		Example: "  weft revisions orders",
		Args:    exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.get(c, args[0], a.printRevisions)
		},
		ValidArgsFunction: a.complete(0, functionNames),
	}
	return a.remote(c)
}

func (a *app) printRevisions(f *weftv1.Function) error {
	row, flush := table(a.out, "REVISION", "STATE", "AGE", "COMPONENT", "SIZE", "LIMITS")
	for _, r := range slices.Backward(f.GetRevisions()) {
		state := stateText(r)
		if r.GetNumber() == f.GetRevision() {
			state = "current, " + state
		}
		row(r.GetNumber(), state, ago(r.GetCreated().AsTime()), short(r.GetDigest()), bytesText(r.GetSizeBytes()),
			limitsText(r.GetLimits()))
	}
	return flush()
}
