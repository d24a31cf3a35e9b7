package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	weft "github.com/weft-run/weft/clients/go"
)

// The exit statuses.
const (
	exitOK      = 0
	exitFailure = 1 // whatever is wrong with the file, the server or the connection
	exitUsage   = 2 // flags and arguments
)

// app is what the commands share. It lives for one run.
type app struct {
	in       io.Reader
	out, err io.Writer

	// Flags of the commands that talk to a server.
	addr, namespace string
	json            bool
}

// run runs the command line and returns the exit status.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	a := &app{in: in, out: out, err: errs}
	root := a.root() //nolint:contextcheck // commands have the context that cobra gives them
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		a.misused(usage, slices.Contains(args, "--json"))
		return exitUsage
	default:
		a.fail(err)
		return exitFailure
	}
}

// usageError is a mistake in flags or arguments.
type usageError struct {
	command string
	err     error
}

func (e *usageError) Error() string { return e.err.Error() }

func (e *usageError) Unwrap() error { return e.err }

func usagef(c *cobra.Command, format string, args ...any) error {
	return &usageError{command: c.CommandPath(), err: fmt.Errorf(format, args...)}
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "weft",
		Short: "Run strongly typed functions: WebAssembly components in, gRPC services out",
		Long: `weft runs functions: WebAssembly components, typed by WIT, each exported interface of which is a gRPC service.

Commands talk to the server at WEFT_ADDR (127.0.0.1:7070), in the namespace WEFT_NAMESPACE (default).
They exit with 0, with 2 for mistakes in flags and arguments, and with 1 for whatever else is wrong.`,
		Example: `  weft server                                 # in another terminal
  weft deploy orders.wasm --name orders
  weft call Orders/Find '{"sku": "book-loom"}'`,
		SilenceUsage:  true,
		SilenceErrors: true,

		SuggestionsMinimumDistance: 2,

		Args: unknownCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return usagef(c, "%w", err) })
	root.AddGroup(&cobra.Group{ID: "projects", Title: "Projects:"}, &cobra.Group{ID: "functions", Title: "Functions:"},
		&cobra.Group{ID: "cluster", Title: "Servers:"})
	for _, c := range []*cobra.Command{a.newCommand(), a.buildCommand(), a.interfacesCommand()} {
		c.GroupID = "projects"
		root.AddCommand(c)
	}
	for _, c := range []*cobra.Command{
		a.deployCommand(), a.callCommand(), a.listCommand(), a.describeCommand(), a.revisionsCommand(),
		a.updateCommand(), a.routeCommand(), a.deleteCommand(), a.forgetCommand(), a.logsCommand(),
		a.schemaCommand(), a.sdkCommand(), a.diffCommand(), a.secretCommand(), a.bindgenCommand(),
	} {
		c.GroupID = "functions"
		root.AddCommand(c)
	}
	for _, c := range []*cobra.Command{
		a.serverCommand(), a.nodesCommand(), a.drainCommand(), a.removeCommand(), a.tokenCommand(), a.backupCommand(), a.restoreCommand(),
	} {
		c.GroupID = "cluster"
		root.AddCommand(c)
	}
	root.AddCommand(a.versionCommand())
	root.SetIn(a.in)
	root.SetOut(a.out) // before the completion command, which keeps it
	root.SetErr(a.err)
	root.SetHelpCommand(helpCommand())
	strictCompletion(root)
	return root
}

// helpCommand is cobra's help, but for that it fails where there is no such command.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]...",
		Short:   "Help about any command",
		Example: "  weft help deploy\n  weft help secret set",
		RunE: func(c *cobra.Command, args []string) error {
			about, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return usagef(c, "no command %q", strings.Join(args, " "))
			}
			return about.Help()
		},
		ValidArgsFunction: func(c *cobra.Command, args []string, _ string) (found []cobra.Completion, _ cobra.ShellCompDirective) {
			about, rest, err := c.Root().Find(args)
			if err == nil && len(rest) == 0 {
				for _, sub := range about.Commands() {
					if sub.IsAvailableCommand() {
						found = append(found, sub.Name())
					}
				}
			}
			return found, cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// strictCompletion makes cobra's completion command and has it refuse shells that it does not know.
func strictCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	c, _, err := root.Find([]string{"completion"})
	must(err)
	c.Example = "  source <(weft completion bash)"
	c.Args = unknownCommand
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	for _, shell := range c.Commands() {
		shell.Args = exactly(0)
	}
}

func unknownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf("; did you mean %s?", strings.Join(near, " or "))
	}
	return usagef(c, "no command %q%s", args[0], hint)
}

// exactly is the check of a command that takes so many arguments.
func exactly(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != n {
			return usagef(c, "%s takes %s; %d given", c.CommandPath(), argumentsOf(c), len(args))
		}
		return nil
	}
}

// argumentsOf are the arguments in a command's use line: "FILE NAME".
func argumentsOf(c *cobra.Command) string {
	_, arguments, _ := strings.Cut(c.Use, " ")
	if arguments == "" {
		return "no arguments"
	}
	return arguments
}

// remote adds the flags of a command that talks to a server.
func (a *app) remote(c *cobra.Command) *cobra.Command {
	c.Flags().StringVar(&a.addr, "addr", fallback("WEFT_ADDR", "127.0.0.1:7070"), "`ADDR` of the server (WEFT_ADDR)")
	c.Flags().StringVarP(&a.namespace, "namespace", "n", fallback("WEFT_NAMESPACE", weft.DefaultNamespace),
		"`NAME` of the namespace (WEFT_NAMESPACE)")
	c.Flags().BoolVar(&a.json, "json", false, "print JSON; errors as JSON on stderr")
	return c
}

func fallback(variable, value string) string {
	if v := os.Getenv(variable); v != "" {
		return v
	}
	return value
}

// connect makes the client of a command. The caller closes it.
func (a *app) connect() (*weft.Client, error) {
	return weft.Connect(a.addr, weft.WithNamespace(a.namespace))
}

// with runs f with a client.
func (a *app) with(f func(*weft.Client) error) error {
	client, err := a.connect()
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	return f(client)
}

// completionTimeout bounds what a shell waits for.
const completionTimeout = time.Second

// anywhere is for complete: the value of a flag.
const anywhere = -1

// complete offers names that the server knows, for the argument at one place.
func (a *app) complete(at int, names func(context.Context, *weft.Client) ([]string, error)) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var found []string
		if at == anywhere || len(args) == at {
			ctx, cancel := context.WithTimeout(c.Context(), completionTimeout)
			defer cancel()
			_ = a.with(func(client *weft.Client) (err error) { // no server: nothing to offer
				found, err = names(ctx, client)
				return err
			})
		}
		return found, cobra.ShellCompDirectiveNoFileComp
	}
}

// functionNames lists the functions of the namespace.
func functionNames(ctx context.Context, client *weft.Client) ([]string, error) {
	list, err := client.List(ctx, weft.Stale())
	var names []string
	for _, f := range list.GetFunctions() {
		names = append(names, f.GetName())
	}
	return names, err
}

// nodeNames lists the nodes of the cluster.
func nodeNames(ctx context.Context, client *weft.Client) ([]string, error) {
	list, err := client.Nodes(ctx, weft.Stale())
	var names []string
	for _, n := range list.GetNodes() {
		names = append(names, n.GetName())
	}
	return names, err
}

// serviceNames lists the services of the namespace, each once.
func serviceNames(ctx context.Context, client *weft.Client) ([]string, error) {
	list, err := client.List(ctx, weft.Stale())
	var names []string
	seen := map[string]bool{}
	for _, f := range list.GetFunctions() {
		for _, s := range f.GetServices() {
			if !seen[s.GetName()] {
				seen[s.GetName()] = true
				names = append(names, s.GetName())
			}
		}
	}
	return names, err
}
