package main

import (
	"strings"

	"github.com/spf13/cobra"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

func (a *app) listCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the functions of a namespace",
		Example: "  weft list -n staging",
		Args:    exactly(0),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(func(client *weft.Client) error {
				list, err := client.List(c.Context())
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(list)
				}
				a.sayStale(list.GetFreshness())
				functions := list.GetFunctions()
				if len(functions) == 0 {
					a.say("nothing is deployed in namespace %s\n", a.namespace)
					return nil
				}
				row, flush := table(a.out, "NAME", "REVISION", "STATE", "AGE", "SERVICES")
				for _, f := range functions {
					r := currentRevision(f)
					row(f.GetName(), f.GetRevision(), r.GetState(), ago(r.GetCreated().AsTime()), strings.Join(served(f), ", "))
				}
				return flush()
			})
		},
	}
	return a.remote(c)
}

// served names the services of a function; those that another function answers are in parentheses.
func served(f *weftv1.Function) []string {
	var names []string
	for _, s := range f.GetServices() {
		if s.GetOwner() == f.GetName() {
			names = append(names, s.GetName())
		} else {
			names = append(names, "("+s.GetName()+")")
		}
	}
	return names
}
