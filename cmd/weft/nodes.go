package main

import (
	"github.com/spf13/cobra"

	weft "github.com/weft-run/weft/clients/go"
)

func (a *app) nodesCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "nodes",
		Short:   "Show the node that answers",
		Example: "  weft nodes --json",
		Args:    exactly(0),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(func(client *weft.Client) error {
				s, err := client.Status(c.Context())
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(s)
				}
				leader := s.GetLeader()
				if leader == "" {
					leader = "none"
				}
				row, flush := table(a.out, "NODE", "VERSION", "LEADER", "UP", "INDEX", "STATE HASH")
				row(s.GetNode(), s.GetVersion(), leader, ago(s.GetStarted().AsTime()), s.GetAppliedIndex(),
					s.GetStateHash()[:min(12, len(s.GetStateHash()))])
				return flush()
			})
		},
	}
	return a.remote(c)
}
