package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	weft "github.com/weft-run/weft/clients/go"
	"github.com/weft-run/weft/services/backup"
)

func (a *app) backupCommand() *cobra.Command {
	var stale bool
	c := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write the catalog and every component into one file",
		Long: `Write the catalog and every component that it names into one file: functions of all namespaces with all their
revisions, contracts and routes. Nodes, tokens and logs are not in it. The file holds environment variables as they are:
keep it like a secret.

The file is checked from its beginning to its end before it takes the place of an older one. weft restore makes a new
cluster of it.`,
		Example: `  weft backup weft-$(date +%F).backup
  weft backup rescued.backup --stale         # no leader: what this one server knows`,
		Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(client *weft.Client) error {
				summary, size, err := a.backup(c.Context(), client, args[0], stale)
				if err != nil {
					return err
				}
				if a.json {
					return a.printFacts(facts(summary, map[string]any{"file": args[0], "bytes": size}))
				}
				_, err = fmt.Fprintf(a.out, "%s: %s, %s\n", args[0], contents(summary), bytesText(uint64(size)))
				return err
			})
		},
	}
	c.Flags().BoolVar(&stale, "stale", false, "take what the server knows, without asking the leader")
	return a.remote(c)
}

// backup writes a backup beside its place, checks it there, and puts it in place.
func (a *app) backup(ctx context.Context, client *weft.Client, path string, stale bool) (_ backup.Summary, size int64, err error) {
	if link, err := os.Lstat(path); err == nil && link.Mode().Type() == os.ModeSymlink {
		if path, err = filepath.EvalSymlinks(path); err != nil { // or the link would be replaced, and not what it leads to
			return backup.Summary{}, 0, err
		}
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return backup.Summary{}, 0, fmt.Errorf("%s is there and is no file", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part") // for nobody else to read
	if err != nil {
		return backup.Summary{}, 0, err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name()) // it is of no use to anybody
		}
	}()
	var options []weft.ReadOption
	if stale {
		options = append(options, weft.Stale())
	}
	bar := a.bar("received", "checking")
	defer bar.clear()
	if err := client.Backup(ctx, f, func(written, size int64) {
		bar.total = size
		bar.update(written)
	}, options...); err != nil {
		return backup.Summary{}, 0, err
	}
	if size, err = f.Seek(0, io.SeekCurrent); err != nil {
		return backup.Summary{}, 0, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return backup.Summary{}, 0, err
	}
	summary, err := backup.Verify(f)
	if err != nil {
		return backup.Summary{}, 0, err
	}
	return summary, size, errors.Join(f.Sync(), os.Rename(f.Name(), path), f.Close())
}

// contents says what is in a backup.
func contents(s backup.Summary) string {
	return fmt.Sprintf("%s, %s, %s", plural(s.Functions, "function"), plural(s.Revisions, "revision"), plural(int(s.Header.GetArtifacts()), "component"))
}

// facts are what --json prints of a backup.
func facts(s backup.Summary, more map[string]any) map[string]any {
	more["functions"], more["revisions"], more["components"] = s.Functions, s.Revisions, s.Header.GetArtifacts()
	more["backupCluster"] = s.Header.GetCluster()
	more["backupCreated"] = madeAt(s).UTC().Format(time.RFC3339)
	return more
}

func madeAt(s backup.Summary) time.Time { return time.Unix(0, s.Header.GetCreatedUnixNanos()) }

// printFacts prints what is no message of the API, in JSON.
func (a *app) printFacts(facts map[string]any) error {
	text, err := json.MarshalIndent(facts, "", "  ")
	if err == nil {
		_, err = fmt.Fprintf(a.out, "%s\n", text)
	}
	return err
}
