package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/metadata"

	weft "github.com/weft-run/weft/clients/go"
)

func (a *app) callCommand() *cobra.Command {
	var (
		function string
		revision count
		headers  = pairs{what: "header"}
		timeout  duration
		trace    bool
	)
	c := &cobra.Command{
		Use:   "call SERVICE/METHOD [JSON|@FILE|-]",
		Short: "Call a method with JSON",
		Long: `Call a method: JSON in, JSON out. The request is an argument, a file (@FILE) or stdin (-); without one it is {}.
SERVICE may be the end of the full name, where no other service has it: Orders/Place for demo.orders.v1.Orders/Place.

The response goes to stdout, with fields that have their default. An error goes to stderr, with its gRPC code, its
message and its typed details, and stdout stays empty; with --json the error is an object {"error": {"code", "reason",
"message", "details"}}.`,
		Example: `  weft call Orders/Find '{"sku": "book-loom"}'
  echo '{"sku": "book-loom"}' | weft call demo.orders.v1.Orders/Find - -H trace=42 --timeout 2s`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return usagef(c, "%s takes %s; %d given", c.CommandPath(), argumentsOf(c), len(args))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			request, err := a.request(args[1:])
			if err != nil {
				return err
			}
			options, err := callOptions(function, uint32(revision), headers)
			if err != nil {
				return usagef(c, "%w", err)
			}
			ctx := c.Context()
			if timeout.value > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, timeout.value)
				defer cancel()
			}
			var header, trailer metadata.MD
			if trace {
				options = append(options, weft.ReceiveMetadata(&header, &trailer),
					weft.WithMetadata(metadata.Pairs("weft-trace", "true", "weft-timings", "true")))
			}
			return a.with(func(client *weft.Client) error {
				response, err := client.Call(ctx, args[0], request, options...)
				if err != nil {
					return err
				}
				if trace {
					a.say("%s", traceText(header, trailer))
				}
				_, err = fmt.Fprintln(a.out, indent(response))
				return err
			})
		},
	}
	f := c.Flags()
	f.StringVar(&function, "function", "", "`NAME` of the function that is to answer, instead of the service's owner")
	f.Var(&revision, "revision", "revision that is to answer, instead of the current one")
	f.VarP(&headers, "header", "H", "metadata to send along; may be given again. A key that ends in -bin takes base64")
	f.Var(&timeout, "timeout", "give up after this time")
	f.BoolVar(&trace, "trace", false, "say on stderr which functions the call led to, where they ran, and how long that took")
	must(c.RegisterFlagCompletionFunc("function", a.complete(anywhere, functionNames)))
	c.ValidArgsFunction = a.complete(0, methodNames)
	return a.remote(c)
}

// traceText draws the way of a call: who answered it, and the calls between functions that it led to, each below the one that it was
// part of.
func traceText(header, trailer metadata.MD) string {
	first := func(md metadata.MD, key string) string { return strings.Join(md.Get(key), "") }
	var b strings.Builder
	fmt.Fprintf(&b, "%s@%s node=%s queue=%sus run=%sus\n", first(header, "weft-function"), first(header, "weft-revision"), first(header, "weft-node"),
		first(trailer, "weft-queue-us"), first(trailer, "weft-run-us"))
	for _, line := range trailer.Get("weft-trace") {
		depth, call, _ := strings.Cut(line, " ")
		n, err := strconv.Atoi(depth)
		if err != nil || n < 1 || n > 64 {
			n = 1
		}
		fmt.Fprintf(&b, "%s%s\n", strings.Repeat("  ", n), printable(call))
	}
	return b.String()
}

// request reads the request that the argument names.
func (a *app) request(args []string) ([]byte, error) {
	if len(args) == 0 {
		return nil, nil
	}
	switch arg := args[0]; {
	case arg == "-":
		return io.ReadAll(a.in)
	case strings.HasPrefix(arg, "@"):
		return os.ReadFile(arg[1:])
	default:
		return []byte(arg), nil
	}
}

func callOptions(function string, revision uint32, headers pairs) ([]weft.CallOption, error) {
	var options []weft.CallOption
	if function != "" {
		options = append(options, weft.OfFunction(function))
	}
	if revision != 0 {
		options = append(options, weft.OfRevision(revision))
	}
	md := metadata.MD{}
	for _, h := range headers.values {
		if err := checkHeader(h); err != nil {
			return nil, err
		}
		value := h.value
		if strings.HasSuffix(strings.ToLower(h.key), "-bin") {
			raw, err := base64.StdEncoding.DecodeString(value)
			if err != nil {
				return nil, fmt.Errorf("header %s: its value must be base64: %w", h.key, err)
			}
			value = string(raw)
		}
		md.Append(h.key, value)
	}
	return append(options, weft.WithMetadata(md)), nil
}

// checkHeader refuses metadata that gRPC would refuse with an error of its own, or leave out without a word.
func checkHeader(h pair) error {
	const characters = "abcdefghijklmnopqrstuvwxyz0123456789-_."
	switch key := strings.ToLower(h.key); {
	case strings.Trim(key, characters) != "":
		return fmt.Errorf("header %q: a key has letters, digits and - _ . only", h.key)
	case strings.HasPrefix(key, "grpc-"), key == "content-type", key == "te", key == "user-agent":
		return fmt.Errorf("header %s: gRPC sets it itself", h.key)
	case !strings.HasSuffix(key, "-bin") && strings.ContainsFunc(h.value, func(r rune) bool { return r < ' ' || r > '~' }):
		return fmt.Errorf("header %s: a value is printable ASCII; a key that ends in -bin takes any bytes, in base64", h.key)
	}
	return nil
}

// methodNames lists the methods of the namespace's functions.
func methodNames(ctx context.Context, client *weft.Client) ([]string, error) {
	list, err := client.List(ctx, weft.Stale())
	var names []string
	seen := map[string]bool{}
	for _, brief := range list.GetFunctions() {
		f, err := client.Get(ctx, brief.GetName(), weft.Stale())
		if err != nil {
			return names, err
		}
		for _, s := range f.GetFunction().GetServices() {
			for _, m := range s.GetMethods() {
				if name := s.GetName() + "/" + m.GetName(); !seen[name] {
					seen[name] = true
					names = append(names, name)
				}
			}
		}
	}
	return names, err
}
