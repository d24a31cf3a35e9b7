package main

import (
	"fmt"

	"github.com/spf13/cobra"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

func (a *app) logsCommand() *cobra.Command {
	var (
		follow bool
		tail   count
	)
	c := &cobra.Command{
		Use:   "logs NAME",
		Short: "Print what a function wrote",
		Long: `Print the lines that a function wrote to stdout, stderr and wasi:logging, and what weft has to say about its calls. A
node keeps the last 10,000 lines of a function, 1 MiB at most, in memory. With --json each line is an object.`,
		Example: "  weft logs orders -f --tail 20",
		Args:    exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(client *weft.Client) error {
				for line, err := range client.Logs(c.Context(), args[0], weft.LogOptions{Follow: follow, Tail: uint32(tail)}) {
					switch {
					case err != nil && follow && c.Context().Err() != nil:
						return nil // the user has seen enough
					case err != nil:
						return err
					}
					if err := a.printLine(line); err != nil {
						return err
					}
				}
				return nil
			})
		},
		ValidArgsFunction: a.complete(0, functionNames),
	}
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on with new lines, until interrupted")
	c.Flags().Var(&tail, "tail", "begin with the last so many lines (default all)")
	return a.remote(c)
}

func (a *app) printLine(l *weftv1.LogsResponse) error {
	if a.json {
		text, err := oneLine(l)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(a.out, text)
		return err
	}
	stream := l.GetStream()
	if l.GetLevel() != "" {
		stream += " " + l.GetLevel()
	}
	message := l.GetMessage()
	if l.GetContext() != "" {
		message = l.GetContext() + ": " + message
	}
	_, err := fmt.Fprintf(a.out, "%s r%d %s %s | %s\n", l.GetTime().AsTime().Format("2006-01-02T15:04:05.000Z"),
		l.GetRevision(), l.GetCallId(), stream, printable(message))
	return err
}
