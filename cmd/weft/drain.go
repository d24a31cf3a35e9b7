package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

func (a *app) drainCommand() *cobra.Command {
	var (
		undo bool
		wait = duration{value: 30 * time.Second, zero: true}
	)
	c := &cobra.Command{
		Use:   "drain NODE",
		Short: "Move everything off a node",
		Long: `Move everything off a node and keep it empty, so that it can be stopped, upgraded or removed without a call that fails.
What runs there goes on until it is ready elsewhere. The command waits for that, and says how much is left.`,
		Example: `  weft drain node-2
  weft drain node-2 --undo`,
		Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			if undo && c.Flags().Changed("wait") {
				return usagef(c, "--wait has no use with --undo")
			}
			return a.with(func(client *weft.Client) error {
				if undo {
					r, err := client.Undrain(c.Context(), args[0])
					return a.drained(r, err, args[0]+" takes placements again")
				}
				r, err := client.Drain(c.Context(), args[0], wait.value)
				text := args[0] + " is drained"
				if left := r.GetLeft(); left > 0 {
					text = fmt.Sprintf("%s is draining, %s left; weft nodes shows how it goes on", args[0], plural(int(left), "placement"))
				}
				return a.drained(r, err, text)
			})
		},
		ValidArgsFunction: a.complete(0, nodeNames),
	}
	c.Flags().BoolVar(&undo, "undo", false, "let placements come back to the node")
	c.Flags().Var(&wait, "wait", "how long to wait until the node is empty; 0 does not")
	return a.remote(c)
}

func (a *app) drained(r *weftv1.DrainResponse, err error, text string) error {
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(r)
	}
	for _, w := range r.GetWarnings() {
		a.say("warning: %s\n", w)
	}
	_, err = fmt.Fprintln(a.out, text)
	return err
}
