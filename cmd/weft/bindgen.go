package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/weft-run/weft/wit/bindgen"
	"github.com/weft-run/weft/wit/doc"
	"github.com/weft-run/weft/wit/resolve"
)

func (a *app) bindgenCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "bindgen",
		Short:   "Write bindings of a WIT world for a language",
		Example: `  weft bindgen go --world report --out gen wit`,
		Args:    unknownCommand,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.bindgenGoCommand())
	return c
}

func (a *app) bindgenGoCommand() *cobra.Command {
	var world, dir, pkg string
	c := &cobra.Command{
		Use:   "go [WITDIR]",
		Short: "Write Go bindings of a WIT world, for Go's own compiler",
		Long: `Write Go packages for the world of a WIT directory (default wit): one for each interface, and the small runtime that they
stand on. Implement an exported interface and give it to its package's Export in an init function. Then

  GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -ldflags=-checklinkname=0 -o core.wasm
  wasm-tools component embed wit core.wasm -o core.wasm
  wasm-tools component new core.wasm --adapt wasi_snapshot_preview1.reactor.wasm -o function.wasm

Files that an earlier run wrote and that are no longer needed are removed.`,
		Example: `  weft bindgen go --world report --out gen wit`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef(c, "%s takes %s; %d given", c.CommandPath(), argumentsOf(c), len(args))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			from := "wit"
			if len(args) == 1 {
				from = args[0]
			}
			if pkg == "" {
				var err error
				if pkg, err = importPath(dir); err != nil {
					return err
				}
			}
			files, err := goBindings(from, world, pkg)
			if err != nil {
				return err
			}
			return writeGenerated(dir, files)
		},
	}
	c.Flags().StringVar(&world, "world", "", "`WORLD` to write bindings of; not needed if there is one")
	c.Flags().StringVarP(&dir, "out", "o", "gen", "`DIR` to write to, created if it is not there")
	c.Flags().StringVar(&pkg, "package", "", "import `PATH` of that directory (default: from the go.mod above it)")
	must(c.MarkFlagDirname("out"))
	return c
}

// goBindings generates the bindings of a world in a WIT directory.
func goBindings(from, world, pkg string) (map[string][]byte, error) {
	files, err := resolve.Files(os.DirFS(from))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	built, name, err := resolve.World(files, world)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	comments, err := doc.Parse(files)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	return bindgen.Generate(bindgen.Config{World: built, Name: name, Package: pkg, Comments: comments})
}

// writeGenerated writes bindings into a directory, and removes what was generated before and is not among them.
func writeGenerated(dir string, files map[string][]byte) error {
	if err := writeFiles(dir, files); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	return fs.WalkDir(root.FS(), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(p) != ".go" || files[p] != nil {
			return err
		}
		old, err := root.ReadFile(p)
		if err != nil || !bytes.HasPrefix(old, []byte(bindgen.Header)) {
			return err
		}
		return root.Remove(p)
	})
}

var moduleLine = regexp.MustCompile(`(?m)^module\s+"?([^\s"]+)`)

// importPath returns the import path of a directory, which need not be there yet: from the go.mod above it.
func importPath(dir string) (string, error) {
	full, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for at, below := full, ""; ; at = filepath.Dir(at) {
		if text, err := os.ReadFile(filepath.Join(at, "go.mod")); err == nil {
			if found := moduleLine.FindSubmatch(text); found != nil {
				return path.Join(string(found[1]), below), nil
			}
		}
		if filepath.Dir(at) == at {
			return "", fmt.Errorf("there is no go.mod above %s: run 'go mod init NAME' first, or name the import path with --package", dir)
		}
		below = path.Join(filepath.Base(at), below)
	}
}
