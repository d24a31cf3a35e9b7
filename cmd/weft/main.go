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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
