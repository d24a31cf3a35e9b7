package executor

import (
	"errors"
	"fmt"
	"os"

	"github.com/weft-run/weft/executor/transcode"
	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit/contract"
	"github.com/weft-run/weft/wit/transcoder"
)

// Transcoding says how large messages of a revision become values and back on a node like this.
type Transcoding struct {
	// Methods have a transcoder, "demo.orders.v1.Orders/Check"; it takes requests and responses from FromBytes on. They are in the
	// order of Revision.Services.
	Methods   []string
	FromBytes int
	// Reason says why no method has one.
	Reason string
	// Direct are the methods with nothing but bytes and strings, which need none: those pass as they are.
	Direct []string
	// Paths says of each method which path its messages take.
	Paths map[*contract.Method]Path
	// Imports says the same of the methods that the revision calls, in the order of Revision.Imports.
	Imports ImportTranscoding

	transcoder *transcoder.Transcoder
}

// The paths of messages.
const (
	PathDirect   = "direct"   // as they are
	PathCompiled = "compiled" // code inside of the sandbox decodes and encodes them, if they are large
	PathPlain    = "plain"    // the node does, one value after the other
)

// Path is the path that the messages of a method take, and why, in few words.
type Path struct{ Name, Why string }

// pathOf is that of a method of a revision with a transcoder, nil if it has none.
func pathOf(m *contract.Method, direct bool, t *transcoder.Transcoder) Path {
	gains := transcoder.Gains(m)
	also := "" // where the transcoder is for calls that the function makes, all methods have it
	if t != nil && t.Export(m) != "" {
		also = "; compiled once it passes on large messages"
	}
	switch {
	case !wasmtime.HasBytes:
		return Path{PathPlain, "the engine has no other"}
	case direct:
		return Path{PathDirect, "only bytes and strings" + also}
	case !gains:
		return Path{PathPlain, "no lists" + also}
	case also == "":
		return Path{PathPlain, "no transcoder"}
	}
	return Path{PathCompiled, fmt.Sprintf("lists; messages under %d bytes are plain", bulkFrom)}
}

// ImportTranscoding says how the messages of calls that a revision makes become values and back.
type ImportTranscoding struct {
	// Methods have a transcoder, Direct are those with nothing but bytes and strings, and Plain all others.
	Methods, Direct, Plain []string
}

// Text is the code of the transcoder in WebAssembly's text format; empty if there is none.
func (t *Transcoding) Text() string {
	if t.transcoder == nil {
		return ""
	}
	return t.transcoder.Text()
}

// DescribeTranscoding says so for a revision, which need not be loaded. It neither composes nor compiles: failed is why that failed where
// it was tried, as [Config.Transcoded] was told; empty if it did not, or nobody has tried.
func DescribeTranscoding(r Revision, failed string) *Transcoding {
	plans, err := transcode.New(r.Services)
	if err != nil {
		return &Transcoding{Reason: err.Error()}
	}
	defer plans.Close()
	imports, err := transcode.New(r.Imports)
	if err != nil {
		return &Transcoding{Reason: err.Error()}
	}
	defer imports.Close()
	t, err := newTranscoder(r, r.Limits.withDefaults(), plans, imports)
	if failed != "" {
		t, err = nil, errors.New(failed)
	}
	out := &Transcoding{Paths: make(map[*contract.Method]Path), transcoder: t}
	if err != nil {
		out.Reason = err.Error()
	} else {
		out.FromBytes = bulkFrom
	}
	for _, s := range r.Services {
		for _, m := range s.Methods {
			out.Paths[m] = pathOf(m, isDirect(plans, s, m), t)
		}
	}
	taken := func(path string) func(*contract.Service, *contract.Method) bool {
		return func(_ *contract.Service, m *contract.Method) bool { return out.Paths[m].Name == path }
	}
	out.Methods, out.Direct = methodNames(r.Services, taken(PathCompiled)), methodNames(r.Services, taken(PathDirect))
	if err == nil && len(out.Methods) == 0 { // it is for calls that the function makes
		out.Reason = transcoder.ErrNone.Error()
	}
	direct := func(s *contract.Service, m *contract.Method) bool { return isDirect(imports, s, m) }
	transcoded := func(_ *contract.Service, m *contract.Method) bool { return t != nil && t.Import(m) != "" }
	out.Imports = ImportTranscoding{Methods: methodNames(r.Imports, transcoded), Direct: methodNames(r.Imports, direct),
		Plain: methodNames(r.Imports, func(s *contract.Service, m *contract.Method) bool { return !direct(s, m) && !transcoded(s, m) })}
	return out
}

// methodNames are the full names of some methods.
func methodNames(services []*contract.Service, some func(*contract.Service, *contract.Method) bool) []string {
	var names []string
	for _, s := range services {
		for _, m := range s.Methods {
			if some(s, m) {
				names = append(names, s.Name+"/"+m.Name)
			}
		}
	}
	return names
}

// newTranscoder writes the transcoder of a revision.
func newTranscoder(r Revision, limits Limits, plans, imports *transcode.Plans) (*transcoder.Transcoder, error) {
	if !wasmtime.HasBytes {
		return nil, fmt.Errorf("the engine %s has no calls of bytes; the long-term-support engine has", Engine)
	}
	if limits.Memory < bulkMemory*limits.Message {
		return nil, fmt.Errorf("a memory limit of %s for messages of %s; a transcoder needs %d times as much as a message",
			sizeText(limits.Memory), sizeText(limits.Message), bulkMemory)
	}
	if r.World == nil {
		return nil, transcoder.ErrNone
	}
	info, err := os.Stat(r.Path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxBulk {
		return nil, fmt.Errorf("the component has %d MiB, and compiling it again with a transcoder is for those of up to %s", info.Size()>>20, sizeText(maxBulk))
	}
	direct := make(map[*contract.Method]bool)
	note := func(services []*contract.Service, plans *transcode.Plans) {
		for _, s := range services {
			for _, m := range s.Methods {
				direct[m] = isDirect(plans, s, m)
			}
		}
	}
	note(r.Services, plans)
	note(r.Imports, imports)
	return transcoder.New(r.Services, r.Imports, r.World, bulkStart, func(m *contract.Method) bool { return direct[m] })
}
