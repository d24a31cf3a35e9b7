package main

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weft-run/weft/wit/host"
)

func (a *app) interfacesCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "interfaces [PACKAGE]...",
		Short: "Write the WIT of what nodes give to functions",
		Long: `List the packages of interfaces that nodes give to functions, besides those of WASI 0.2, with every name by which components may
import them. With --out, write the WIT of the named ones, or of all, to a directory: that of the dependencies of a project, so
that its world can import them. It has one version of each interface.`,
		Example: `  weft interfaces
  weft interfaces weft-http --out wit/deps`,
		RunE: func(c *cobra.Command, args []string) error {
			packages, err := hostPackages()
			if err != nil {
				return err
			}
			known := slices.Sorted(maps.Keys(packages))
			for _, name := range args {
				if packages[name] == nil {
					return usagef(c, "there is no package %q; there are %s", name, strings.Join(known, ", "))
				}
			}
			if len(args) == 0 {
				args = known
			}
			files := map[string][]byte{}
			for _, name := range args {
				maps.Copy(files, packages[name])
			}
			if dir != "" {
				return writeFiles(dir, files)
			}
			row, flush := table(a.out, "PACKAGE", "INTERFACES")
			for _, name := range args {
				var ids []string
				for _, i := range host.Interfaces(name) {
					ids = append(append(ids, i.ID), host.Also(i)...)
				}
				slices.Sort(ids)
				row(name, strings.Join(ids, ", "))
			}
			return flush()
		},
	}
	c.Flags().StringVarP(&dir, "out", "o", "", "`DIR` to write to, created if it is not there")
	must(c.MarkFlagDirname("out"))
	return c
}

// hostPackages gives the WIT files of the packages, by the directory of the package and the path with it.
func hostPackages() (map[string]map[string][]byte, error) {
	names, err := fs.Glob(host.Files(), "*/*.wit")
	if err != nil {
		return nil, fmt.Errorf("wit/host: %w", err)
	}
	packages := map[string]map[string][]byte{}
	for _, name := range names {
		text, err := fs.ReadFile(host.Files(), name)
		if err != nil {
			return nil, fmt.Errorf("wit/host: %w", err)
		}
		dir := path.Dir(name)
		if packages[dir] == nil {
			packages[dir] = map[string][]byte{}
		}
		packages[dir][name] = text
	}
	return packages, nil
}
