package main

import (
	"fmt"
	"strings"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// printDeploy says what is deployed now, and how to call it.
func (a *app) printDeploy(r *weftv1.DeployResponse, dryRun bool) error {
	f := r.GetFunction()
	var b strings.Builder
	switch revision := currentRevision(f); {
	case dryRun:
		fmt.Fprintf(&b, "%s would deploy (%s, %s)\n", f.GetName(), short(revision.GetDigest()), bytesText(revision.GetSizeBytes()))
	case r.GetReady():
		fmt.Fprintf(&b, "%s revision %d is ready (%s, %s)\n", f.GetName(), f.GetRevision(),
			short(revision.GetDigest()), bytesText(revision.GetSizeBytes()))
	default:
		fmt.Fprintf(&b, "%s revision %d is committed (%s, %s)\n", f.GetName(), f.GetRevision(),
			short(revision.GetDigest()), bytesText(revision.GetSizeBytes()))
	}
	writeServices(&b, f, methodText)
	writeChanges(&b, r.GetChanges())
	if line := grpcurl(a.addr, f); line != "" && !dryRun {
		fmt.Fprintf(&b, "\nTry it:\n  %s\n", line)
	}
	if _, err := fmt.Fprint(a.out, b.String()); err != nil {
		return err
	}
	for _, w := range r.GetWarnings() {
		a.say("warning: %s\n", w)
	}
	return nil
}

// currentRevision is the revision that answers; for a dry run the one that would.
func currentRevision(f *weftv1.Function) *weftv1.Revision {
	for _, r := range f.GetRevisions() {
		if r.GetNumber() == f.GetRevision() {
			return r
		}
	}
	return nil
}

// writeServices lists the services of a function, with a line for each method.
func writeServices(b *strings.Builder, f *weftv1.Function, line func(*weftv1.Method) string) {
	for _, s := range f.GetServices() {
		fmt.Fprintf(b, "\n%s", s.GetName())
		if s.GetOwner() != f.GetName() {
			fmt.Fprintf(b, "  (%s answers it; call with --function %s, or weft route %s %s)",
				s.GetOwner(), f.GetName(), s.GetName(), f.GetName())
		}
		b.WriteByte('\n')
		for _, m := range s.GetMethods() {
			fmt.Fprintf(b, "  %s\n", line(m))
		}
	}
}

func methodText(m *weftv1.Method) string {
	return fmt.Sprintf("%-20s %s", m.GetName(), m.GetSignature())
}

func writeChanges(b *strings.Builder, changes []*weftv1.Change) {
	if len(changes) == 0 {
		return
	}
	b.WriteString("\nChanges:\n")
	for _, c := range changes {
		mark := " "
		if c.GetBreaking() {
			mark = "!"
		}
		fmt.Fprintf(b, "%s %s: %s\n", mark, c.GetPath(), c.GetDescription())
	}
}

// grpcurl is a command line that calls the function's first method that has a sample; empty if none has.
func grpcurl(addr string, f *weftv1.Function) string {
	for _, s := range f.GetServices() {
		for _, m := range s.GetMethods() {
			if m.GetSample() == "" {
				continue
			}
			words := []string{"grpcurl", "-plaintext"}
			if f.GetNamespace() != weft.DefaultNamespace {
				words = append(words, "-H", quote("weft-namespace: "+f.GetNamespace()))
			}
			if s.GetOwner() != f.GetName() {
				words = append(words, "-H", quote("weft-function: "+f.GetName()))
			}
			words = append(words, "-d", quote(m.GetSample()), quote(addr), quote(s.GetName()+"/"+m.GetName()))
			return strings.Join(words, " ")
		}
	}
	return ""
}
