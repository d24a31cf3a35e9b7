package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

func (a *app) forgetCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "forget PACKAGE",
		Short: "Drop the contract of a proto package that no function uses",
		Long: `Drop the contract of a proto package: every name and number that its services ever gave. A later deploy of the package
starts anew. It is refused while a function uses the package.`,
		Example: "  weft forget demo.orders.v1",
		Args:    exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(client *weft.Client) error {
				if err := client.Forget(c.Context(), args[0]); err != nil {
					return err
				}
				if a.json {
					return a.printJSON(&weftv1.ForgetResponse{})
				}
				_, err := fmt.Fprintf(a.out, "forgot %s\n", args[0])
				return err
			})
		},
		ValidArgsFunction: a.complete(0, packageNames),
	}
	return a.remote(c)
}

// packageNames lists the proto packages of the namespace's contracts.
func packageNames(ctx context.Context, client *weft.Client) ([]string, error) {
	schema, err := client.Schema(ctx, "")
	var names []string
	for _, c := range schema.GetContracts() {
		names = append(names, c.GetPackage())
	}
	return names, err
}
