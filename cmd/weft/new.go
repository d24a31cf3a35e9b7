package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weft-run/weft/cmd/weft/project"
)

func (a *app) newCommand() *cobra.Command {
	var lang string
	c := &cobra.Command{
		Use:   "new NAME",
		Short: "Start a project: a folder with a function that builds and deploys as it is",
		Long: `Write a new project folder: a function's types in WIT, code, a test, the language's own build file and a README. The folder's
name is the function's; NAME may be a path to it. Nothing is fetched: weft build says what it needs.`,
		Example: `  weft new --lang rust word-count
  cd word-count && weft build --install`,
		Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			known := strings.Join(project.Languages(), ", ")
			if lang == "" {
				return usagef(c, "name the language: --lang, one of %s", known)
			}
			if !project.Known(lang) {
				return usagef(c, "--lang %q: weft knows %s", lang, known)
			}
			dir := filepath.Clean(args[0])
			files, err := project.New(dir, lang)
			if err != nil {
				return err
			}
			if lang == "go" {
				bindings, err := goBindings(filepath.Join(dir, "wit"), "", "example.com/"+filepath.Base(dir)+"/gen")
				if err != nil {
					return err
				}
				if err := writeGenerated(filepath.Join(dir, "gen"), bindings); err != nil {
					return err
				}
				files = append(files, "gen")
			}
			for _, file := range files {
				if _, err := fmt.Fprintln(a.out, filepath.Join(dir, file)); err != nil {
					return err
				}
			}
			a.say("next: cd %s && weft build --install\n", quote(dir))
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	c.Flags().StringVar(&lang, "lang", "", "`LANGUAGE`: "+strings.Join(project.Languages(), ", "))
	must(c.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions(project.Languages(), cobra.ShellCompDirectiveNoFileComp)))
	return c
}
