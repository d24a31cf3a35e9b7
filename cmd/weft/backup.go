package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	weft "github.com/weft-run/weft/clients/go"
	"github.com/weft-run/weft/services/backup"
)

// standard names stdout, or stdin, where a backup is expected. A file of that name is ./-.
const standard = "-"

func (a *app) backupCommand() *cobra.Command {
	var stale bool
	c := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write the catalog and every component into one file",
		Long: `Write the catalog and every component that it names into one file: functions of all namespaces with all their
revisions, contracts and routes. Nodes, tokens and logs are not in it. The file holds environment variables as they are:
keep it like a secret.

The file is checked from its beginning to its end before it takes the place of an older one. weft restore makes a new
cluster of it. With - it goes to stdout, and what is in it to stderr; it is of use only if the exit status is 0,
which a pipeline hides unless the shell has set -o pipefail.`,
		Example: `  weft backup weft-$(date +%F).backup
  set -o pipefail; weft backup - | age -r "$KEY" > weft.backup.age
  weft backup rescued.backup --stale         # no leader: what this one server knows`,
		Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			take, told := a.backup, a.out
			if args[0] == standard {
				if terminal(a.out) {
					return usagef(c, "a backup is no text, and stdout is a terminal: redirect it, or name a file")
				}
				take, told = a.backupOut, a.err
			}
			return a.with(func(client *weft.Client) error {
				summary, size, err := take(c.Context(), client, args[0], stale)
				if err != nil {
					return err
				}
				if a.json {
					return printFacts(told, facts(summary, map[string]any{"file": args[0], "bytes": size}))
				}
				_, err = fmt.Fprintf(told, "%s: %s, %s\n", args[0], contents(summary), bytesText(uint64(size)))
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
	if size, err = a.receive(ctx, client, f, stale); err != nil {
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

// backupOut writes a backup to stdout, and checks it on the way.
func (a *app) backupOut(ctx context.Context, client *weft.Client, _ string, stale bool) (summary backup.Summary, size int64, err error) {
	checked, through := io.Pipe()
	var checking sync.WaitGroup
	var wrong error
	checking.Go(func() {
		summary, wrong = backup.Verify(checked)
		_ = checked.CloseWithError(wrong)
	})
	size, err = a.receive(ctx, client, io.MultiWriter(through, a.out), stale)
	_ = through.CloseWithError(err)
	checking.Wait()
	return summary, size, cmp.Or(err, wrong)
}

// receive writes a backup and gives its size.
func (a *app) receive(ctx context.Context, client *weft.Client, to io.Writer, stale bool) (size int64, err error) {
	var options []weft.ReadOption
	if stale {
		options = append(options, weft.Stale())
	}
	bar := a.bar("received", "checking")
	defer bar.clear()
	err = client.Backup(ctx, to, func(written, all int64) {
		size, bar.total = written, all
		bar.update(written)
	}, options...)
	return size, err
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
func printFacts(to io.Writer, facts map[string]any) error {
	text, err := json.MarshalIndent(facts, "", "  ")
	if err == nil {
		_, err = fmt.Fprintf(to, "%s\n", text)
	}
	return err
}
