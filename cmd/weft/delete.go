package main

import (
	"fmt"

	"github.com/spf13/cobra"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

func (a *app) deleteCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "delete NAME",
		Short:   "Delete a function with all its revisions",
		Long:    "Delete a function with all its revisions and its own secrets. The contracts of its services stay; see weft forget.",
		Example: "  weft delete orders",
		Args:    exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(client *weft.Client) error {
				n, err := client.Delete(c.Context(), args[0])
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(&weftv1.DeleteResponse{Revisions: n})
				}
				_, err = fmt.Fprintf(a.out, "deleted %s (%s)\n", args[0], plural(int(n), "revision"))
				return err
			})
		},
		ValidArgsFunction: a.complete(0, functionNames),
	}
	return a.remote(c)
}
