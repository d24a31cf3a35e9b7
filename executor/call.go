package executor

import (
	"fmt"
	"time"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
)

// Key names one revision of one function.
type Key struct {
	Namespace, Function string
	Revision            uint32
}

// String gives "namespace/function@revision".
func (k Key) String() string { return fmt.Sprintf("%s/%s@%d", k.Namespace, k.Function, k.Revision) }

// Limits bound what the calls of one revision may use. A zero field means its default.
type Limits struct {
	// Memory bounds each linear memory of an instance, in bytes. Default: DefaultMemory.
	Memory uint64
	// Timeout bounds each call, waiting included. A shorter deadline of the caller wins. Default: DefaultTimeout.
	Timeout time.Duration
	// Concurrency is how many calls run at once on this node. Default: DefaultConcurrency.
	Concurrency int
	// Queue is how many calls wait for their turn beyond those that run. Default: DefaultQueue.
	Queue int
	// Message bounds the request and the response, in bytes each. Default: DefaultMessage.
	Message uint64
}

// The defaults of Limits.
const (
	DefaultMemory      = 64 << 20
	DefaultTimeout     = 30 * time.Second
	DefaultConcurrency = 64
	DefaultQueue       = 256
	DefaultMessage     = 4 << 20
)

func (l Limits) withDefaults() Limits {
	if l.Memory == 0 {
		l.Memory = DefaultMemory
	}
	if l.Timeout <= 0 {
		l.Timeout = DefaultTimeout
	}
	if l.Concurrency <= 0 {
		l.Concurrency = DefaultConcurrency
	}
	if l.Queue <= 0 {
		l.Queue = DefaultQueue
	}
	if l.Message == 0 {
		l.Message = DefaultMessage
	}
	return l
}

// Revision is all that is needed to run the calls of one revision. It is not changed after it is passed to Load.
type Revision struct {
	Key
	// Digest is the SHA-256 of the component; Path is the file that holds its bytes. The file is read only if the
	// compiled code is not in the cache.
	Digest [32]byte
	Path   string

	Limits      Limits
	Environment map[string]string

	// World is what the component imports and exports; nil if it imports nothing that the node answers. Services are its exports
	// bound to their contracts.
	World    *wit.World
	Services []*contract.Service
	// Imports are the imports that other functions or services answer, bound to their contracts (contract.BindImport).
	// Guests call them through Config.Outgoing.
	Imports []*contract.Service
	// Parts are what the component was composed of, the function's own component first; empty if it was not. A trap says in
	// which it was.
	Parts []Part
	// Reuse is how many calls one instance may answer, one after the other; 0 and 1 are one that is as new for each. Then what a call
	// leaves in memory is there for the next. It is a bound, not a promise: instances are dropped after errors, when they are not
	// called for some seconds, and when memory is short.
	Reuse int
}

// Request is one call.
type Request struct {
	// Key names the revision, which must be loaded.
	Key Key
	// Service is the full name of the service; Method is the name of the method.
	Service, Method string
	// Message is the request in protobuf's wire format. It is read until Call returns, and never changed.
	Message []byte
	// Buffer is what Message is in. The executor holds it while it reads that, which may be longer than Call then. Nil has it copy
	// Message where that would be needed.
	Buffer Buffer
	// Metadata is what the caller sent along, keys in lower case.
	Metadata map[string][]string
	// CallID marks the log lines of the call.
	CallID string
	// Entered is when the call came, from which Start counts its time; zero is now. Call counts from when it is called.
	Entered time.Time
}

// Buffer is memory that is used again once nobody holds it (grpc's mem.Buffer is one).
type Buffer interface {
	// Ref holds it once more.
	Ref()
	// Free lets go of it.
	Free()
}

// Response is the answer to one call.
type Response struct {
	// Message is the response in protobuf's wire format. It belongs to the caller.
	Message []byte
	// Trailers are to be sent to the caller after the message.
	Trailers map[string][]string
	Timings  Timings
	// Lane is that of the worker that ran the call here, or 0: who counts calls may count those of each lane apart (package tally).
	Lane int
}

// Timings says where the time of a call went.
type Timings struct {
	// Queue is the time spent in line, for the revision and for a slot.
	Queue time.Duration
	// Run is the time from then on: decoding, the instance, the call, encoding.
	Run time.Duration
}

// Line is one line of a function's log.
type Line struct {
	Key    Key
	Time   time.Time
	CallID string
	// Stream says where it came from: StreamStdout, StreamStderr, StreamLogging or StreamWeft.
	Stream string
	// Level and Context are set for StreamLogging; Level also for StreamWeft. The levels are those of wasi:logging:
	// trace, debug, info, warn, error, critical.
	Level, Context string
	// Message has no line end. It is valid UTF-8 of 8 KiB at most.
	Message string
}

// The streams of a Line.
const (
	StreamStdout  = "stdout"
	StreamStderr  = "stderr"
	StreamLogging = "logging"
	StreamWeft    = "weft"
)
