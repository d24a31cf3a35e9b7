package control

import (
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// What a request may ask for.
const (
	minMemory      = 64 << 10
	maxMemory      = 1 << 30
	minTimeout     = time.Millisecond
	maxTimeout     = time.Hour
	maxConcurrency = 10_000
	maxQueue       = 100_000
	minMessage     = 1 << 10
	maxMessage     = 128 << 20
	maxReuse       = 1 << 20

	maxWait        = 5 * time.Minute
	defaultWait    = 5 * time.Second
	maxRequestID   = 128
	maxVariables   = 256
	maxVariable    = 32 << 10 // bytes of one value
	maxEnvironment = 64 << 10 // bytes of all names and values
	maxWitFiles    = 1000
	maxContracts   = 100
	maxBindings    = 256
)

// defaultNamespace is what an empty namespace means.
const defaultNamespace = "default"

// namespace checks the namespace of a request and gives its default.
func namespace(name string) (string, error) {
	switch {
	case name == "":
		return defaultNamespace, nil
	case !catalog.ValidName(name):
		return "", invalid("namespace %q: a namespace is a lower-case letter and up to 62 more letters, digits and hyphens", name)
	default:
		return name, nil
	}
}

// target checks the namespace and the function that a request names.
func target(ns, name string) (string, error) {
	ns, err := namespace(ns)
	if err != nil {
		return "", err
	}
	return ns, checkName(name)
}

func checkName(name string) error {
	if !catalog.ValidName(name) {
		return invalid("function name %q: a name is a lower-case letter and up to 62 more letters, digits and hyphens", name)
	}
	return nil
}

func checkRequestID(id string) error {
	if len(id) > maxRequestID {
		return invalid("the request ID has %d bytes; at most %d are allowed", len(id), maxRequestID)
	}
	return nil
}

// checkSpec checks what can be checked without the component, and fills in the namespace.
func checkSpec(spec *weftv1.DeploySpec) error {
	ns, err := target(spec.GetNamespace(), spec.GetName())
	if err != nil {
		return err
	}
	spec.Namespace = ns
	if err := checkLimits(spec.GetLimits()); err != nil {
		return err
	}
	if err := checkEnvironment(spec.GetEnvironment()); err != nil {
		return err
	}
	if err := checkScheduling(spec.GetScheduling()); err != nil {
		return err
	}
	if err := checkBindings(spec.GetBindings()); err != nil {
		return err
	}
	if len(spec.GetWit()) > maxWitFiles {
		return invalid("%d WIT files; at most %d are allowed", len(spec.GetWit()), maxWitFiles)
	}
	if len(spec.GetContracts()) > maxContracts {
		return invalid("%d contracts; at most %d are allowed", len(spec.GetContracts()), maxContracts)
	}
	if _, err := wait(spec.GetWait()); err != nil {
		return err
	}
	return checkRequestID(spec.GetRequestId())
}

// checkBindings checks what can be checked without the component.
func checkBindings(bindings map[string]string) error {
	if len(bindings) > maxBindings {
		return invalid("%d bindings; at most %d are allowed", len(bindings), maxBindings)
	}
	for name, target := range bindings {
		if name == "" || target == "" {
			return invalid("binding of %q to %q: name an import and who answers it", name, target)
		}
	}
	return nil
}

// checkLimits accepts zero, which means the default, everywhere.
func checkLimits(l *weftv1.Limits) error {
	if err := between("memory", l.GetMemoryBytes(), minMemory, maxMemory, " bytes"); err != nil {
		return err
	}
	if t := l.GetTimeout(); t != nil {
		if t.CheckValid() != nil || t.AsDuration() != 0 && (t.AsDuration() < minTimeout || t.AsDuration() > maxTimeout) {
			return invalid("timeout %v: from %v to %v is allowed", t.AsDuration(), minTimeout, maxTimeout)
		}
	}
	if err := between("concurrency", uint64(l.GetConcurrency()), 1, maxConcurrency, ""); err != nil {
		return err
	}
	if err := between("queue", uint64(l.GetQueue()), 1, maxQueue, ""); err != nil {
		return err
	}
	if err := between("reuse", uint64(l.GetReuse()), 1, maxReuse, " calls"); err != nil {
		return err
	}
	return between("max message", l.GetMessageBytes(), minMessage, maxMessage, " bytes")
}

func between(what string, value, low, high uint64, unit string) error {
	if value != 0 && (value < low || value > high) {
		return invalid("%s %d: from %d to %d%s is allowed", what, value, low, high, unit)
	}
	return nil
}

func checkEnvironment(environment map[string]string) error {
	if len(environment) > maxVariables {
		return invalid("%d environment variables; at most %d are allowed", len(environment), maxVariables)
	}
	total := 0
	for name, value := range environment {
		if !validVariable(name) {
			return invalid("environment variable %q: a name is a letter or underscore and then letters, digits and underscores", name)
		}
		if len(value) > maxVariable {
			return invalid("environment variable %s has %d bytes; at most %d are allowed", name, len(value), maxVariable)
		}
		for i := range len(value) {
			if value[i] == 0 {
				return invalid("environment variable %s has a zero byte", name)
			}
		}
		total += len(name) + len(value)
	}
	if total > maxEnvironment {
		return invalid("the environment has %d bytes; at most %d are allowed", total, maxEnvironment)
	}
	return nil
}

func validVariable(name string) bool {
	if name == "" || len(name) > 256 || !utf8.ValidString(name) {
		return false
	}
	for i := range len(name) {
		c := name[i]
		letter := c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// wait gives the time to wait for the first ready placement.
func wait(d *durationpb.Duration) (time.Duration, error) {
	switch {
	case d == nil:
		return defaultWait, nil
	case d.CheckValid() != nil || d.AsDuration() < 0 || d.AsDuration() > maxWait:
		return 0, invalid("wait %v: from 0 to %v is allowed", d.AsDuration(), maxWait)
	default:
		return d.AsDuration(), nil
	}
}

// setLimits writes limits into a row of the catalog, where they are not zero.
func setLimits(row *catalogv1.Revision, l *weftv1.Limits) {
	if l.GetMemoryBytes() != 0 {
		row.MemoryBytes = l.GetMemoryBytes()
	}
	if d := l.GetTimeout().AsDuration(); d != 0 {
		row.TimeoutNanos = int64(d)
	}
	if l.GetConcurrency() != 0 {
		row.Concurrency = l.GetConcurrency()
	}
	if l.GetQueue() != 0 {
		row.Queue = l.GetQueue()
	}
	if l.GetMessageBytes() != 0 {
		row.MessageBytes = l.GetMessageBytes()
	}
	switch l.GetReuse() {
	case 0:
	case 1:
		row.Reuse = 0 // as with a weft that does not know it
	default:
		row.Reuse = l.GetReuse()
	}
}

// defaultLimits are written down with each revision, so that it keeps them when a later weft has other defaults.
func defaultLimits() *weftv1.Limits {
	return &weftv1.Limits{
		MemoryBytes:  executor.DefaultMemory,
		Timeout:      durationpb.New(executor.DefaultTimeout),
		Concurrency:  executor.DefaultConcurrency,
		Queue:        executor.DefaultQueue,
		MessageBytes: executor.DefaultMessage,
	}
}
