package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

func (a *app) removeCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "remove NODE",
		Short: "Take a node out of the cluster for good",
		Long: `Take a node out of the cluster for good, dead or alive. Its certificate is worth nothing afterwards, a node that runs stops,
and its data directory can't be used again. Drain it first, unless it is lost: calls that run there fail otherwise.

The last scheduler can't be removed, nor one without which most of the others that vote would not answer.`,
		Example: `  weft drain node-2 && weft remove node-2`,
		Args:    exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(client *weft.Client) error {
				node := busyNode(c.Context(), client, args[0])
				r, err := client.Remove(c.Context(), args[0])
				if err != nil {
					return err
				}
				if node != nil {
					a.say("warning: %s was alive with %s; calls that ran there may have failed: drain a node first (weft drain)\n",
						node.GetName(), plural(int(node.GetPlaced()), "placement"))
				}
				if a.json {
					return a.printJSON(r)
				}
				_, err = fmt.Fprintf(a.out, "removed %s (%s)\n", r.GetName(), r.GetId())
				return err
			})
		},
		ValidArgsFunction: a.complete(0, nodeNames),
	}
	return a.remote(c)
}

// busyNode is the node of a name or ID if it is alive and has placements; nil if not, or if nobody knows.
func busyNode(ctx context.Context, client *weft.Client, name string) *weftv1.Node {
	list, err := client.Nodes(ctx, weft.Stale())
	if err != nil {
		return nil // the removal will tell
	}
	for _, n := range list.GetNodes() {
		if (n.GetName() == name || n.GetId() == name) && n.GetState() != "lost" && n.GetPlaced() > 0 {
			return n
		}
	}
	return nil
}
