package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// printJSON prints a message as indented JSON that is the same each time. Fields that have their default are there.
func (a *app) printJSON(m proto.Message) error {
	data, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(m)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.out, indent(data))
	return err
}

// indent lays JSON out over lines, without the random spaces of protojson.
func indent(data []byte) string {
	var out bytes.Buffer
	if err := json.Indent(&out, data, "", "  "); err != nil {
		return string(data)
	}
	return out.String()
}

// oneLine lays JSON out in one line.
func oneLine(m proto.Message) (string, error) {
	data, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(m)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	err = json.Compact(&out, data)
	return out.String(), err
}

// table prints rows in columns. It is flushed by the returned function.
func table(w io.Writer, header ...string) (row func(cells ...any), flush func() error) {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	row = func(cells ...any) {
		texts := make([]string, len(cells))
		for i, c := range cells {
			texts[i] = fmt.Sprint(c)
		}
		_, _ = fmt.Fprintln(t, strings.Join(texts, "\t")) // it goes to memory; flush says what is wrong
	}
	if len(header) > 0 {
		row(strings.Join(header, "\t"))
	}
	return row, t.Flush
}

// terminal tells whether a stream is a person's.
func terminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// bytesText writes a size: "64MiB", "1.5KiB", "12B".
func bytesText(n uint64) string {
	units := []string{"B", "KiB", "MiB", "GiB"}
	value, unit := float64(n), 0
	for value >= 1024 && unit < len(units)-1 {
		value /= 1024
		unit++
	}
	if value >= 100 || value == float64(int64(value)) {
		return fmt.Sprintf("%.0f%s", value, units[unit])
	}
	return fmt.Sprintf("%.1f%s", value, units[unit])
}

// ago writes how long ago something was: "5s", "3m", "7h", "12d".
func ago(t time.Time) string { return lasted(time.Since(t)) }

// lasted writes how long something took.
func lasted(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	default:
		return fmt.Sprintf("%dd", int(d.Hours())/24)
	}
}

// sayStale warns that an answer may be old.
func (a *app) sayStale(f *weftv1.Freshness) {
	if !f.GetLinearizable() {
		a.say("warning: the cluster has no leader; this is what %s knew %s ago\n", a.addr, ago(time.Now().Add(-f.GetStale().AsDuration())))
	}
}

// plural writes a count: "1 revision", "2 revisions".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// quote quotes a word for a POSIX shell.
func quote(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=@,+%"
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// short is a digest as people read it.
func short(digest string) string {
	const shown = len("sha256:") + 12
	if len(digest) > shown {
		return digest[:shown]
	}
	return digest
}

// printable replaces what could steer a terminal: a function's log is not to be trusted.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && (r < ' ' || r >= 0x7f && r < 0xa0) {
			return '\uFFFD'
		}
		return r
	}, s)
}
