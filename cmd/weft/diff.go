package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	weft "github.com/weft-run/weft/clients/go"
)

// errBreaking makes weft diff fail where a deploy would.
var errBreaking = errors.New("a deploy would be refused without --allow-breaking")

func (a *app) diffCommand() *cobra.Command {
	var from source
	c := &cobra.Command{
		Use:   "diff FILE NAME",
		Short: "Compare a component with what is deployed",
		Long: `Show what deploying a component as a function would change for its callers, without deploying it. Changes that break them
are marked with "!", and the exit status is 1 then.`,
		Example: "  weft diff orders.wasm orders",
		Args:    exactly(2),
		RunE: func(c *cobra.Command, args []string) error {
			spec, err := from.spec(args[1])
			if err != nil {
				return err
			}
			file, err := openComponent(args[0])
			if err != nil {
				return err
			}
			defer func() { _ = file.Close() }()
			return a.with(func(client *weft.Client) error {
				response, err := client.Diff(c.Context(), file, spec)
				if err != nil {
					return fmt.Errorf("%s: %w", args[0], err)
				}
				if a.json {
					err = a.printJSON(response)
				} else {
					var b strings.Builder
					b.WriteString("no changes\n")
					if len(response.GetChanges()) > 0 {
						b.Reset()
						writeChanges(&b, response.GetChanges())
					}
					_, err = fmt.Fprint(a.out, strings.TrimPrefix(b.String(), "\n"))
				}
				if err == nil && response.GetBreaking() {
					err = errBreaking
				}
				return err
			})
		},
		ValidArgsFunction: func(c *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return componentFiles(c, args, word)
			}
			return a.complete(1, functionNames)(c, args, word)
		},
	}
	from.flags(c)
	return a.remote(c)
}
