package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// size is a flag of bytes: 65536, 64KiB.
type size uint64

func (s *size) String() string {
	if *s == 0 {
		return ""
	}
	return bytesText(uint64(*s))
}

func (s *size) Type() string { return "SIZE" }

func (s *size) Set(text string) error {
	n, err := parseSize(text)
	*s = size(n)
	return err
}

var sizeUnits = []struct {
	suffix string
	bytes  uint64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"B", 1}, {"", 1}}

func parseSize(text string) (uint64, error) {
	for _, unit := range sizeUnits {
		digits, ok := strings.CutSuffix(text, unit.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 64)
		if err != nil || strings.HasPrefix(digits, "+") {
			break
		}
		if n == 0 {
			return 0, fmt.Errorf("a size must be more than 0")
		}
		if n > (1<<62)/unit.bytes {
			return 0, fmt.Errorf("%s is too large", text)
		}
		return n * unit.bytes, nil
	}
	return 0, fmt.Errorf("%q is no size: write a whole number with KiB, MiB or GiB, such as 64MiB", text)
}

// duration is a flag of time, more than 0 unless zero is set.
type duration struct {
	value time.Duration
	zero  bool
}

func (d *duration) String() string {
	if d.value == 0 {
		return ""
	}
	return d.value.String()
}

func (d *duration) Type() string { return "DURATION" }

func (d *duration) Set(text string) error {
	v, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return fmt.Errorf("%q is no duration: write a number with a unit, such as 500ms, 30s or 2m", text)
	case v < 0 || v == 0 && !d.zero:
		return fmt.Errorf("%q: a duration must be more than 0", text)
	}
	d.value = v
	return nil
}

// count is a flag of a number that is at least 1.
type count uint32

func (n *count) String() string {
	if *n == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(*n), 10)
}

func (n *count) Type() string { return "N" }

func (n *count) Set(text string) error {
	v, err := strconv.ParseUint(text, 10, 32)
	if err != nil || v == 0 {
		return fmt.Errorf("%q is no whole number from 1 on", text)
	}
	*n = count(v)
	return nil
}

// pairs is a flag of K=V that may be given again.
type pairs struct {
	what   string
	values []pair
}

type pair struct{ key, value string }

func (p *pairs) String() string { return "" }

func (p *pairs) Type() string { return "K=V" }

func (p *pairs) Set(text string) error {
	key, value, ok := strings.Cut(text, "=")
	if !ok || key == "" {
		return fmt.Errorf("%q is no %s: write it as KEY=VALUE", text, p.what)
	}
	if !utf8.ValidString(text) {
		return fmt.Errorf("%q is no UTF-8 text", text)
	}
	p.values = append(p.values, pair{key, value})
	return nil
}

// environment is the map of pairs that may be given once each.
func environment(c *cobra.Command, p pairs) (map[string]string, error) {
	out := map[string]string{}
	for _, kv := range p.values {
		if _, twice := out[kv.key]; twice {
			return nil, usagef(c, "variable %s is set twice", kv.key)
		}
		out[kv.key] = kv.value
	}
	return out, nil
}

// binds is the flag of bindings of imports.
type binds struct{ pairs }

func (b *binds) flag(c *cobra.Command) {
	b.what = "binding"
	c.Flags().Var(b, "bind", "who answers an import: the name of a function, grpc://HOST:PORT, or grpc+insecure://HOST:PORT without TLS; may be given again")
}

func (*binds) Type() string { return "IMPORT=TARGET" }

// proto is the map of bindings that may be given once each.
func (b *binds) proto(c *cobra.Command) (map[string]string, error) {
	out := map[string]string{}
	for _, kv := range b.values {
		switch _, twice := out[kv.key]; {
		case twice:
			return nil, usagef(c, "import %s is bound twice", kv.key)
		case kv.value == "":
			return nil, usagef(c, "import %s is bound to nothing: write IMPORT=FUNCTION or IMPORT=grpc://HOST:PORT", kv.key)
		}
		out[kv.key] = kv.value
	}
	return out, nil
}

// limits are the flags of a revision's limits.
type limits struct {
	memory, message    size
	timeout            duration
	concurrency, queue count
	reuse              count
}

func (l *limits) flags(c *cobra.Command, defaults bool) {
	otherwise := func(text string) string {
		if defaults {
			return " (default " + text + ")"
		}
		return ""
	}
	c.Flags().Var(&l.memory, "memory", "memory of one instance"+otherwise("64MiB"))
	c.Flags().Var(&l.timeout, "timeout", "longest time of one call"+otherwise("30s"))
	c.Flags().Var(&l.concurrency, "concurrency", "calls at once on one node"+otherwise("64"))
	c.Flags().Var(&l.queue, "queue", "calls that may wait on one node"+otherwise("256"))
	c.Flags().Var(&l.message, "max-message", "largest request and response"+otherwise("4MiB"))
	c.Flags().Var(&l.reuse, "reuse", "calls that one instance may answer, each seeing what those before left in memory"+otherwise("1: one that is as new for each"))
}

func (l *limits) proto() *weftv1.Limits {
	out := &weftv1.Limits{
		MemoryBytes:  uint64(l.memory),
		Concurrency:  uint32(l.concurrency),
		Queue:        uint32(l.queue),
		MessageBytes: uint64(l.message),
		Reuse:        uint32(l.reuse),
	}
	if l.timeout.value > 0 {
		out.Timeout = durationpb.New(l.timeout.value)
	}
	return out
}

// scheduling are the flags of where a revision runs.
type scheduling struct {
	replicas replicas
	spread   []string
	require  pairs
}

func (s *scheduling) flags(c *cobra.Command) {
	s.require.what = "label"
	c.Flags().Var(&s.replicas, "replicas", "how many nodes run it: a number, or all (default 1)")
	c.Flags().StringArrayVar(&s.spread, "spread", nil, "spread the replicas over the values of a `LABEL` of nodes; may be given again")
	c.Flags().Var(&s.require, "require", "run only on nodes with this label; may be given again")
}

// proto gives nil if no flag was given. What no flag names stays as it is in before.
func (s *scheduling) proto(c *cobra.Command, before *weftv1.Scheduling) (*weftv1.Scheduling, error) {
	if !changes(c, "replicas", "spread", "require") {
		return nil, nil //nolint:nilnil // nothing is said
	}
	out := &weftv1.Scheduling{
		Replicas: before.GetReplicas(), All: before.GetAll(), Spread: before.GetSpread(), Require: before.GetRequire(),
	}
	if c.Flags().Changed("replicas") {
		out.Replicas, out.All = s.replicas.n, s.replicas.all
	}
	if c.Flags().Changed("spread") {
		out.Spread = slices.DeleteFunc(s.spread, func(label string) bool { return label == "" })
	}
	if c.Flags().Changed("require") {
		out.Require = map[string]string{}
		for _, kv := range s.require.values {
			if _, twice := out.Require[kv.key]; twice {
				return nil, usagef(c, "label %s is required twice", kv.key)
			}
			out.Require[kv.key] = kv.value
		}
	}
	return out, nil
}

// replicas is a flag of a number that is at least 1, or of all nodes.
type replicas struct {
	n   uint32
	all bool
}

func (r *replicas) String() string {
	switch {
	case r.all:
		return "all"
	case r.n == 0:
		return ""
	}
	return strconv.FormatUint(uint64(r.n), 10)
}

func (r *replicas) Type() string { return "N" }

func (r *replicas) Set(text string) error {
	if text == "all" {
		*r = replicas{all: true}
		return nil
	}
	var n count
	if n.Set(text) != nil {
		return fmt.Errorf("%q is neither a whole number from 1 on nor \"all\"", text)
	}
	*r = replicas{n: uint32(n)}
	return nil
}
