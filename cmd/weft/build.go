package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weft-run/weft/cmd/weft/project"
)

func (a *app) buildCommand() *cobra.Command {
	var o project.Options
	c := &cobra.Command{
		Use:   "build [DIR]",
		Short: "Build the component of a project folder",
		Long: `Build the project in a folder, the working directory unless named, with the toolchain of its language, which its build file
tells. It leaves the component, NAME.wasm, and wit/contract.binpb: the names and numbers that callers see. Commit that file: what
would break callers of what it has is refused, unless --allow-breaking, and weft deploy --contract starts from it.

What is missing of the toolchain is named; --install installs it, pinned, into the user's cache directory.`,
		Example: `  weft build --install
  weft build word-count && weft deploy word-count/word-count.wasm --name word-count`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef(c, "%s takes %s; %d given", c.CommandPath(), argumentsOf(c), len(args))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			if o.Lang != "" && !project.Known(o.Lang) {
				return usagef(c, "--lang %q: weft knows %s", o.Lang, strings.Join(project.Languages(), ", "))
			}
			o.Output = a.err
			built, err := project.Build(c.Context(), dir, o)
			if err != nil {
				return err
			}
			return a.printBuilt(dir, built)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
	}
	c.Flags().StringVar(&o.Lang, "lang", "", "`LANGUAGE`, where the folder has build files of several: "+strings.Join(project.Languages(), ", "))
	c.Flags().BoolVar(&o.Install, "install", false, "install what is missing of the toolchain")
	c.Flags().BoolVar(&o.AllowBreaking, "allow-breaking", false, "go on although callers of the contract file's services would fail")
	c.Flags().BoolVar(&a.json, "json", false, "print JSON; errors as JSON on stderr")
	must(c.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions(project.Languages(), cobra.ShellCompDirectiveNoFileComp)))
	return c
}

func (a *app) printBuilt(dir string, built *project.Built) error {
	if a.json {
		text, err := json.MarshalIndent(built, "", "  ")
		if err == nil {
			_, err = fmt.Fprintf(a.out, "%s\n", text)
		}
		return err
	}
	var b strings.Builder
	file := filepath.Join(dir, filepath.Base(built.Component))
	fmt.Fprintf(&b, "%s  %s\n", file, bytesText(built.Size))
	if len(built.Changes) > 0 {
		writeChanges(&b, built.Changes)
	}
	wit := filepath.Join(dir, "wit")
	fmt.Fprintf(&b, "\n  weft deploy %s --name %s --wit %s --contract %s\n",
		quote(file), built.Name, quote(wit), quote(filepath.Join(wit, filepath.Base(built.Contract))))
	_, err := fmt.Fprint(a.out, b.String())
	return err
}
