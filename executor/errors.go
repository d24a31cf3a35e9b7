package executor

// Reason says what kind of thing went wrong. It is what google.rpc.ErrorInfo carries as its reason.
type Reason string

// The reasons of an Error.
const (
	// NotLoaded: the revision is not loaded here.
	NotLoaded Reason = "NOT_LOADED"
	// UnknownMethod: the revision exports no such service or method.
	UnknownMethod Reason = "UNKNOWN_METHOD"
	// MalformedRequest: the request is not protobuf, or does not fit the types.
	MalformedRequest Reason = "MALFORMED_REQUEST"
	// RequestTooLarge and ResponseTooLarge: a message is over Limits.Message.
	RequestTooLarge  Reason = "REQUEST_TOO_LARGE"
	ResponseTooLarge Reason = "RESPONSE_TOO_LARGE"
	// Deadline: the call's time is over, whether it waited or ran.
	Deadline Reason = "DEADLINE"
	// Canceled: the caller went away.
	Canceled Reason = "CANCELED"
	// QueueFull: too many calls wait already, for the line or for the deadline of this one. It was not begun.
	QueueFull Reason = "QUEUE_FULL"
	// WaitLimit: the guest made a call while as many guests of this node waited for calls as may.
	WaitLimit Reason = "WAIT_LIMIT"
	// MemoryLimit: the guest needed more memory than Limits.Memory.
	MemoryLimit Reason = "MEMORY_LIMIT"
	// Trap: the guest trapped.
	Trap Reason = "TRAP"
	// Unsupported: the component imports or exports what weft does not provide.
	Unsupported Reason = "UNSUPPORTED"
	// CompileFailed: the component does not compile, or not within the limits of a compile.
	CompileFailed Reason = "COMPILE_FAILED"
	// DiskFull: there is no room for compiled code.
	DiskFull Reason = "DISK_FULL"
	// Closing: the executor is shutting down.
	Closing Reason = "CLOSING"
	// Internal: a fault of weft or of its machine.
	Internal Reason = "INTERNAL"
)

// reasons are all of them.
var reasons = []Reason{NotLoaded, UnknownMethod, MalformedRequest, RequestTooLarge, ResponseTooLarge, Deadline, Canceled, QueueFull,
	WaitLimit, MemoryLimit, Trap, Unsupported, CompileFailed, DiskFull, Closing, Internal}

// Error is whatever keeps a call from its result, other than an error that the function returned.
type Error struct {
	Reason Reason
	// Message says what went wrong, where, and what to do. It is valid UTF-8.
	Message string
	// Backtrace are the guest's demangled function names after a trap, innermost first. Message holds them too, up to
	// 20; Summary is Message without them.
	Backtrace []string
	Summary   string
	// Err is the cause, if there is one.
	Err error
}

func (e *Error) Error() string { return e.Message }

func (e *Error) Unwrap() error { return e.Err }

// FunctionError is the err of a result that the function returned.
type FunctionError struct {
	// Case is the name of the case, where the error is a variant or an enum: "not-found".
	Case string
	// Message is the payload where it is a string, its WAVE text otherwise; 1 KiB at most.
	Message string
	// DetailType is the full name of the detail's message, Detail its bytes. Both are empty for an error without a
	// payload.
	DetailType string
	Detail     []byte
}

func (e *FunctionError) Error() string { return e.Message }
