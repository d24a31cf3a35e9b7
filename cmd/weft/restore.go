package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/weft-run/weft/services/backup"
	"github.com/weft-run/weft/services/node"
)

func (a *app) restoreCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make the first node of a new cluster from a backup",
		Long: `Make the data directory of the first node of a new cluster from a file that weft backup wrote, or from stdin with -. The directory must be
missing or empty. weft server then serves every function that is in the backup; further nodes join it as they join any
other, so that the cluster may have another size than the old one.

It is a new cluster, with an ID and an authority of its own: nodes of the old one that come back do not join it, and
their tokens and certificates are worth nothing in it.`,
		Example: `  weft restore weft-2026-01-31.backup --data-dir ./weft-data && weft server --data-dir ./weft-data
  age -d -i key weft.backup.age | weft restore -`,
		Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			if args[0] == standard && terminal(a.in) {
				return usagef(c, "stdin is a terminal: a backup is expected there; redirect it, or name a file")
			}
			restored, err := a.restore(c.Context(), args[0], dir)
			if err != nil {
				return err
			}
			if a.json {
				return printFacts(a.out, facts(restored.Summary, map[string]any{"dataDir": dir, "cluster": restored.Cluster, "node": restored.Node}))
			}
			_, err = fmt.Fprintf(a.out, "%s, from a backup of %s ago\n%s is the first node of a new cluster: weft server --data-dir %s\n",
				contents(restored.Summary), ago(madeAt(restored.Summary)), dir, quote(dir))
			return err
		},
	}
	c.Flags().StringVar(&dir, "data-dir", "./weft-data", "data `DIR` to make, missing or empty")
	c.Flags().BoolVar(&a.json, "json", false, "print JSON; errors as JSON on stderr")
	must(c.MarkFlagDirname("data-dir"))
	return c
}

func (a *app) restore(ctx context.Context, path, dir string) (*backup.Restored, error) {
	from, bar := a.in, a.bar("restored", "putting it in place")
	if path == standard {
		path = "stdin"
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		from, bar = f, a.progress(f, "restored", "putting it in place")
	}
	defer bar.clear()
	restored, err := node.Restore(ctx, &reading{r: from, bar: bar}, dir)
	switch {
	case errors.Is(err, backup.ErrDamaged), errors.Is(err, backup.ErrNewer):
		return nil, fmt.Errorf("%s: %w", path, err)
	case err != nil:
		return nil, err
	}
	return restored, nil
}

// reading moves a bar as a file is read.
type reading struct {
	r    io.Reader
	bar  *progress
	read int64
}

func (r *reading) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.read += int64(n)
	r.bar.update(r.read)
	return n, err
}
