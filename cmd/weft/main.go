// Command weft runs a weft node, and talks to one: it deploys functions, tells about them and calls them.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/weft-run/weft/executor"
)

func main() {
	executor.RunCompileChild()
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// endings are the signals that end the process, once what it does has ended.
func endings() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if signal.Ignored(syscall.SIGHUP) { // nohup wants that
		return all
	}
	// A terminal that is closed sends it twice, as its shell does so too: a second one means nothing.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	return append(all, syscall.SIGHUP)
}
