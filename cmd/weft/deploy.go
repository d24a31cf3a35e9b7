package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// source are the flags that say what belongs to a component besides its file.
type source struct{ wit, contract string }

func (s *source) flags(c *cobra.Command) {
	c.Flags().StringVar(&s.wit, "wit", "", "`DIR` with the component's .wit files: their comments go into reflection and schema")
	c.Flags().StringVar(&s.contract, "contract", "",
		"contract.binpb `FILE` (of weft schema -o) to take names and numbers from, where the namespace has none")
	must(c.MarkFlagDirname("wit"))
	must(c.MarkFlagFilename("contract", "binpb"))
}

// spec reads what the flags name.
func (s *source) spec(name string) (*weftv1.DeploySpec, error) {
	spec := &weftv1.DeploySpec{Name: name}
	if s.wit != "" {
		if info, err := os.Stat(s.wit); err != nil {
			return nil, fmt.Errorf("--wit: %w", err)
		} else if !info.IsDir() {
			return nil, fmt.Errorf("--wit %s: it is no directory; name the one that the .wit files are in", s.wit)
		}
		files, err := weft.WitFiles(os.DirFS(s.wit))
		if err != nil {
			return nil, fmt.Errorf("--wit %s: %s", s.wit, strings.TrimPrefix(err.Error(), "weft: "))
		}
		spec.Wit = files
	}
	if s.contract != "" {
		data, err := os.ReadFile(s.contract)
		if err != nil {
			return nil, fmt.Errorf("--contract: %w", err)
		}
		var set weftv1.ContractSet
		if err := proto.Unmarshal(data, &set); err != nil || len(set.GetContracts()) == 0 {
			return nil, fmt.Errorf("--contract %s: no contract in it; weft schema -o DIR writes one", s.contract)
		}
		spec.Contracts = set.GetContracts()
	}
	return spec, nil
}

func (a *app) deployCommand() *cobra.Command {
	var (
		name      string
		from      source
		bounds    limits
		where     scheduling
		variables = pairs{what: "variable"}
		imports   binds
		wait      = duration{zero: true}
		dryRun    bool
		breaking  bool
		link      bool
	)
	c := &cobra.Command{
		Use:   "deploy FILE",
		Short: "Deploy a component as a function",
		Long: `Deploy a component as a new revision of a function, and make it the one that answers.

It returns once the revision is committed, after waiting up to --wait until it is ready. What callers of the services
would not survive is refused with the path of what breaks, unless --allow-breaking.

An import that weft does not provide is bound to the function of the namespace that exports it. If there are several, or to
call a gRPC service outside, --bind says who answers it; a later deploy keeps that.

With --link the component is composed with the functions that answer its imports, as they are now: a call between them takes
nanoseconds, and they share a fate. A later revision of one of them comes in with weft update --link.`,
		Example: `  weft deploy orders.wasm --name orders --wit wit --env LOG=debug
  weft deploy orders.wasm --name orders --replicas 3 --spread zone --require disk=ssd
  weft deploy shop.wasm --name shop --bind demo:pay/api=payments --bind demo:tax/rates=grpc://tax.example:443
  weft deploy shop.wasm --name shop --link
  weft deploy orders.wasm --name orders --dry-run`,
		Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			if name == "" {
				return usagef(c, "name the function: --name NAME")
			}
			spec, err := from.spec(name)
			if err != nil {
				return err
			}
			if spec.Environment, err = environment(c, variables); err != nil {
				return err
			}
			if spec.Bindings, err = imports.proto(c); err != nil {
				return err
			}
			if spec.Scheduling, err = where.proto(c, nil); err != nil {
				return err
			}
			spec.Limits = bounds.proto()
			spec.DryRun, spec.AllowBreaking, spec.Link = dryRun, breaking, link
			if c.Flags().Changed("wait") {
				spec.Wait = durationpb.New(wait.value)
			}
			return a.deploy(c.Context(), args[0], spec)
		},
	}
	f := c.Flags()
	f.StringVar(&name, "name", "", "`NAME` of the function: a lower-case letter, then letters, digits and hyphens")
	from.flags(c)
	bounds.flags(c, true)
	where.flags(c)
	f.Var(&variables, "env", "environment variable of the function; may be given again")
	imports.flag(c)
	f.BoolVar(&link, "link", false, "compose it with the functions that answer its imports")
	f.Var(&wait, "wait", "how long to wait until it is ready (default 5s)")
	f.BoolVar(&dryRun, "dry-run", false, "check everything, deploy nothing")
	f.BoolVar(&breaking, "allow-breaking", false, "deploy although callers may fail")
	must(c.RegisterFlagCompletionFunc("name", a.complete(anywhere, functionNames)))
	c.ValidArgsFunction = componentFiles
	return a.remote(c)
}

func (a *app) deploy(ctx context.Context, path string, spec *weftv1.DeploySpec) error {
	file, err := openComponent(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	return a.with(func(client *weft.Client) error {
		bar := a.progress(file, "uploaded", "checking and compiling")
		response, err := client.Deploy(ctx, file, spec, bar.update)
		bar.clear()
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if a.json {
			return a.printJSON(response)
		}
		return a.printDeploy(response, spec.GetDryRun())
	})
}

// openComponent opens a file, which must not be a directory.
func openComponent(path string) (*os.File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err != nil || info.IsDir() {
		_ = file.Close()
		return nil, fmt.Errorf("%s is a directory; name a component's .wasm file", path)
	}
	return file, nil
}

func componentFiles(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []cobra.Completion{"wasm"}, cobra.ShellCompDirectiveFilterFileExt
}

// must is for what can only fail by a mistake in this program.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
