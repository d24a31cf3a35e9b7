package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

func (a *app) nodesCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "nodes",
		Short: "List the nodes of the cluster",
		Long: `List the nodes of the cluster, as any of them sees it.

STATE is alive, joining (it has not come far enough to help), draining or drained (see weft drain), or lost: nobody has
heard of it for some seconds. RAFT is leader, voter or standby for a scheduler. PLACED/READY counts the revisions that are
to run there and those that can. WARNINGS is what you should know about a node, such as a clock that is off.`,
		Example: `  weft nodes
  weft nodes --json`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(func(client *weft.Client) error {
				list, err := client.Nodes(c.Context())
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(list)
				}
				a.sayStale(list.GetFreshness())
				if list.GetLeader() == "" {
					a.say("nobody leads the cluster at the moment\n")
				}
				row, flush := table(a.out, "NODE", "ROLES", "STATE", "RAFT", "VERSION", "ADDRESS", "PLACED/READY", "UP", "WARNINGS")
				for _, n := range list.GetNodes() {
					row(n.GetName(), strings.Join(n.GetRoles(), ","), n.GetState(), orDash(n.GetRaft()), orDash(n.GetVersion()),
						orDash(n.GetGrpcAddress()), fmt.Sprintf("%d/%d", n.GetPlaced(), n.GetReady()), up(n), warningsOf(n))
				}
				return flush()
			})
		},
	}
	return a.remote(c)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return printable(s)
}

func warningsOf(n *weftv1.Node) string {
	return printable(strings.Join(n.GetWarnings(), "; "))
}

// up is how long the node has run as of the last that was heard of it. Its start is by its own clock.
func up(n *weftv1.Node) string {
	if n.GetStarted() == nil || n.GetHeard() == nil || n.GetState() == "lost" {
		return "-"
	}
	return lasted(n.GetHeard().AsTime().Add(n.GetClockOffset().AsDuration()).Sub(n.GetStarted().AsTime()))
}
