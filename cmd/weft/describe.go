package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

func (a *app) describeCommand() *cobra.Command {
	var transcoder bool
	c := &cobra.Command{
		Use:   "describe NAME",
		Short: "Describe a function: its services, limits, environment and imports",
		Example: `  weft describe orders
  weft describe orders --transcoder`,
		Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			if transcoder {
				return a.printTranscoder(c, args[0])
			}
			return a.get(c, args[0], a.printFunction)
		},
		ValidArgsFunction: a.complete(0, functionNames),
	}
	c.Flags().BoolVar(&transcoder, "transcoder", false, "print the code that turns large messages into values, as WebAssembly text")
	return a.remote(c)
}

// printTranscoder prints the code of a function's transcoder.
func (a *app) printTranscoder(c *cobra.Command, name string) error {
	return a.with(func(client *weft.Client) error {
		text, err := client.Transcoder(c.Context(), name)
		if err != nil {
			return err
		}
		if text == "" {
			return fmt.Errorf("%s has no transcoder; weft describe %s says why", name, name)
		}
		_, err = fmt.Fprint(a.out, text)
		return err
	})
}

// transcodingText says which messages a transcoder takes.
func transcodingText(t *weftv1.Transcoding) string {
	if len(t.GetMethods()) == 0 {
		return "none: " + t.GetReason()
	}
	return fmt.Sprintf("%s (messages from %s on)", strings.Join(t.GetMethods(), ", "), bytesText(uint64(t.GetFromBytes())))
}

// callPaths says which path the calls take that a function makes.
func callPaths(t *weftv1.Transcoding) []string {
	var out []string
	for _, path := range []struct {
		methods []string
		name    string
	}{{t.GetImports(), "compiled"}, {t.GetDirectImports(), "direct"}, {t.GetPlainImports(), "plain"}} {
		for _, m := range path.methods {
			out = append(out, fmt.Sprintf("%s (%s)", m, path.name))
		}
	}
	slices.Sort(out)
	return out
}

// get fetches a function and prints it.
func (a *app) get(c *cobra.Command, name string, show func(*weftv1.Function) error) error {
	return a.with(func(client *weft.Client) error {
		r, err := client.Get(c.Context(), name)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(r)
		}
		a.sayStale(r.GetFreshness())
		return show(r.GetFunction())
	})
}

// revisionText says which revision answers, and how many there were. Of many the oldest are not kept.
func revisionText(f *weftv1.Function) string {
	kept, made := len(f.GetRevisions()), 0
	for _, r := range f.GetRevisions() {
		made = max(made, int(r.GetNumber()))
	}
	text := fmt.Sprintf("%d of %d", f.GetRevision(), made)
	if kept < made {
		text += fmt.Sprintf(" (%d are kept)", kept)
	}
	return text
}

func (a *app) printFunction(f *weftv1.Function) error {
	r := currentRevision(f)
	row, flush := table(a.out)
	row("Name:", f.GetName())
	row("Namespace:", f.GetNamespace())
	row("Revision:", revisionText(f))
	row("State:", stateText(r))
	row("Component:", fmt.Sprintf("%s (%s)", r.GetDigest(), bytesText(r.GetSizeBytes())))
	row("Deployed:", r.GetCreated().AsTime().Format("2006-01-02 15:04:05 MST"))
	row("Limits:", limitsText(r.GetLimits()))
	row("Runs on:", schedulingText(r.GetScheduling()))
	for i, p := range r.GetPlacements() {
		row(label(i, "Placed on:"), placementText(p))
	}
	for i, name := range slices.Sorted(maps.Keys(r.GetEnvironment())) {
		row(label(i, "Environment:"), printable(name+"="+r.GetEnvironment()[name]))
	}
	for i, s := range f.GetSecrets() {
		row(label(i, "Secrets:"), describedSecret(s))
	}
	for i, b := range r.GetBindings() {
		row(label(i, "Imports:"), bindingText(b))
	}
	if t := f.GetTranscoding(); t != nil {
		row("Transcoder:", transcodingText(t))
		for i, call := range callPaths(t) {
			row(label(i, "Imported:"), call)
		}
	}
	if len(f.GetCallers()) > 0 {
		row("Called by:", strings.Join(f.GetCallers(), ", "))
	}
	if err := flush(); err != nil {
		return err
	}
	var b strings.Builder
	writeServices(&b, f, methodWithPath)
	writeCalls(&b, f)
	if line := grpcurl(a.addr, f); line != "" {
		fmt.Fprintf(&b, "\nTry it:\n  %s\n", line)
	}
	_, err := fmt.Fprint(a.out, b.String())
	return err
}

// methodWithPath says of a method which path its messages take, and why.
func methodWithPath(m *weftv1.Method) string {
	if m.GetPath() == "" {
		return methodText(m)
	}
	return fmt.Sprintf("%s  (%s: %s)", methodText(m), m.GetPath(), m.GetPathReason())
}

// bindingText says who answers an import.
func bindingText(b *weftv1.Binding) string {
	switch {
	case b.GetNewerRevision() != 0:
		return fmt.Sprintf("%s (function %s, %s, linked at revision %d; revision %d is newer: weft update --link)", b.GetImport(), b.GetFunction(),
			b.GetService(), b.GetLinkedRevision(), b.GetNewerRevision())
	case b.GetLinkedRevision() != 0:
		return fmt.Sprintf("%s (function %s, %s, linked at revision %d)", b.GetImport(), b.GetFunction(), b.GetService(), b.GetLinkedRevision())
	case b.GetFunction() != "":
		return fmt.Sprintf("%s (function %s, %s)", b.GetImport(), b.GetFunction(), b.GetService())
	case b.GetAddress() != "":
		return fmt.Sprintf("%s (%s, %s)", b.GetImport(), b.GetAddress(), b.GetService())
	}
	return fmt.Sprintf("%s (%s)", b.GetImport(), b.GetTarget())
}

// writeCalls draws who calls whom, as a tree.
func writeCalls(b *strings.Builder, f *weftv1.Function) {
	if len(f.GetCalls()) == 0 {
		return
	}
	fmt.Fprintf(b, "\nCalls:\n  %s\n", f.GetName())
	drawCalls(b, f.GetCalls(), "  ")
}

func drawCalls(b *strings.Builder, calls []*weftv1.Call, indent string) {
	for i, c := range calls {
		branch, further := "├─ ", "│  "
		if i == len(calls)-1 {
			branch, further = "└─ ", "   "
		}
		linked := ""
		if c.GetLinkedRevision() != 0 {
			linked = fmt.Sprintf(", linked at revision %d", c.GetLinkedRevision())
		}
		fmt.Fprintf(b, "%s%s%s  (%s%s)\n", indent, branch, cmp.Or(c.GetFunction(), c.GetAddress()), c.GetService(), linked)
		drawCalls(b, c.GetCalls(), indent+further)
	}
}

// label is the label of the first line of several.
func label(i int, text string) string {
	if i > 0 {
		return ""
	}
	return text
}

func stateText(r *weftv1.Revision) string {
	if r.GetReason() != "" {
		return r.GetState() + ": " + printable(r.GetReason())
	}
	return r.GetState()
}

func schedulingText(s *weftv1.Scheduling) string {
	text := plural(int(s.GetReplicas()), "node")
	if s.GetAll() {
		text = "all nodes"
	}
	for _, name := range slices.Sorted(maps.Keys(s.GetRequire())) {
		text += fmt.Sprintf(", with %s=%s", name, s.GetRequire()[name])
	}
	if len(s.GetSpread()) > 0 {
		text += ", spread over " + strings.Join(s.GetSpread(), ", then ")
	}
	return text
}

func placementText(p *weftv1.Placement) string {
	text := fmt.Sprintf("%s (%s)", p.GetNode(), p.GetState())
	if p.GetReason() != "" {
		text += ": " + printable(p.GetReason())
	}
	if p.GetPlainReason() != "" {
		text += "; large messages take the plain path there: " + printable(p.GetPlainReason())
	}
	return text
}

func limitsText(l *weftv1.Limits) string {
	text := fmt.Sprintf("memory %s, timeout %v, concurrency %d, queue %d, message %s", bytesText(l.GetMemoryBytes()),
		l.GetTimeout().AsDuration(), l.GetConcurrency(), l.GetQueue(), bytesText(l.GetMessageBytes()))
	if l.GetReuse() > 1 {
		text += fmt.Sprintf(", up to %d calls for each instance", l.GetReuse())
	}
	return text
}
