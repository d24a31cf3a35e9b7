package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

func (a *app) updateCommand() *cobra.Command {
	var (
		bounds    limits
		where     scheduling
		variables = pairs{what: "variable"}
		imports   binds
		unset     []string
		wait      = duration{zero: true}
		link      bool
	)
	c := &cobra.Command{
		Use:   "update NAME",
		Short: "Change a function's limits, environment, bindings or placement",
		Long: `Make a new revision of a function with other limits, environment, bindings or placement, of the component that it has. What no
flag names stays as it is. An empty --spread "" takes all labels to spread over out.

--link composes the component with the functions that answer its imports, as they are now, or does so anew; --link=false takes
it apart again.`,
		Example: `  weft update orders --memory 128MiB --env LOG=info --unset-env DEBUG
  weft update shop --bind demo:pay/api=payments-eu
  weft update shop --link
  weft update orders --replicas all`,
		Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			set, err := environment(c, variables)
			if err != nil {
				return err
			}
			bindings, err := imports.proto(c)
			if err != nil {
				return err
			}
			request := &weftv1.UpdateRequest{
				Bindings: bindings,
				Name:     args[0], Limits: bounds.proto(), Environment: set, UnsetEnvironment: unset,
			}
			if !changes(c, "memory", "timeout", "concurrency", "queue", "max-message", "reuse", "env", "unset-env", "replicas", "spread", "require", "bind", "link") {
				return usagef(c, "nothing to change: give a limit, --env, --unset-env, --bind, --link, --replicas, --spread or --require")
			}
			if changes(c, "link") {
				request.Link = &link
			}
			if c.Flags().Changed("wait") {
				request.Wait = durationpb.New(wait.value)
			}
			return a.with(func(client *weft.Client) error {
				if changes(c, "replicas", "spread", "require") {
					f, err := client.Get(c.Context(), args[0])
					if err != nil {
						return err
					}
					if request.Scheduling, err = where.proto(c, currentRevision(f.GetFunction()).GetScheduling()); err != nil {
						return err
					}
				}
				response, err := client.Update(c.Context(), request)
				if err != nil {
					return err
				}
				return a.printUpdate(response)
			})
		},
		ValidArgsFunction: a.complete(0, functionNames),
	}
	bounds.flags(c, false)
	where.flags(c)
	c.Flags().Var(&variables, "env", "environment variable to set; may be given again")
	c.Flags().StringArrayVar(&unset, "unset-env", nil, "environment variable `KEY` to take out; may be given again")
	imports.flag(c)
	c.Flags().BoolVar(&link, "link", false, "compose it with the functions that answer its imports")
	c.Flags().Var(&wait, "wait", "how long to wait until it is ready (default 5s)")
	return a.remote(c)
}

func changes(c *cobra.Command, flags ...string) bool {
	for _, name := range flags {
		if c.Flags().Changed(name) {
			return true
		}
	}
	return false
}

func (a *app) printUpdate(r *weftv1.UpdateResponse) error {
	if a.json {
		return a.printJSON(r)
	}
	state := "is committed"
	if r.GetReady() {
		state = "is ready"
	}
	f := r.GetFunction()
	_, err := fmt.Fprintf(a.out, "%s revision %d %s (%s)\n", f.GetName(), f.GetRevision(), state,
		limitsText(currentRevision(f).GetLimits()))
	for _, w := range r.GetWarnings() {
		a.say("warning: %s\n", w)
	}
	return err
}
