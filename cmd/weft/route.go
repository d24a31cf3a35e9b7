package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

func (a *app) routeCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "route SERVICE NAME",
		Short: "Choose the function that answers a service",
		Long: `Make a function the owner of a service: the one that answers calls that name no function. Without this it is the
oldest function that exports the service.`,
		Example: "  weft route demo.orders.v1.Orders orders-next",
		Args:    exactly(2),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(client *weft.Client) error {
				previous, err := client.Route(c.Context(), args[0], args[1])
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(&weftv1.RouteResponse{Previous: previous})
				}
				if previous == args[1] {
					previous = ""
				} else if previous != "" {
					previous = fmt.Sprintf(", before it %s did", previous)
				}
				_, err = fmt.Fprintf(a.out, "%s answers %s%s\n", args[1], args[0], previous)
				return err
			})
		},
	}
	c.ValidArgsFunction = func(c *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return a.complete(0, serviceNames)(c, args, word)
		}
		return a.complete(1, func(ctx context.Context, client *weft.Client) ([]string, error) {
			return exporters(ctx, client, args[0])
		})(c, args, word)
	}
	return a.remote(c)
}

// exporters lists the functions that export a service.
func exporters(ctx context.Context, client *weft.Client, service string) ([]string, error) {
	list, err := client.List(ctx, weft.Stale())
	var names []string
	for _, f := range list.GetFunctions() {
		for _, s := range f.GetServices() {
			if s.GetName() == service {
				names = append(names, f.GetName())
			}
		}
	}
	return names, err
}
