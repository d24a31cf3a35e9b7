// Package outgoing makes the calls that functions make through their imports.
//
// The catalog says what an import of a revision is bound to (Revision.bindings): a function of the same namespace or a
// gRPC service outside. [Caller.Call], which is executor.Outgoing, takes a call there:
//
//   - to a function: by the router, as it takes calls of clients, with the revision that answers now. It runs on this node if
//     it is ready here, in the place of its caller where that may be ([Caller.Local]), and on another one otherwise.
//   - to an address: over a connection that is kept (outside.go), with TLS unless the address says otherwise, and only if the
//     server's configuration allows the host (allow.go).
//
// # What travels along
//
// The deadline that is left and cancellation, by the context. Of the metadata of the call that the caller works on: trace
// context (traceparent, tracestate, baggage) and what begins with "x-"; nothing else. And what weft adds:
//
//	weft-caller   who calls: namespace/function@revision; further values are who called that one, up to the client's call
//	weft-depth    how many calls of functions lie between the client and this call: 1 at first, 16 at most
//
// The gateway takes both out of what clients send, so that a function can believe them. A service outside is told the caller
// only, and no depth.
//
// # Errors
//
// A result that is an error arrives as *executor.FunctionError, with its bytes as they are. A service outside gives one by a
// detail of its status of the type that the contract has for it. Everything else is an *executor.Error whose message names
// the import, the one who was called, and why; its reason is Deadline for what took too long. Nothing is tried again here.
//
// # Traces
//
// A call with the metadata "weft-trace: true" gathers a line for each call between functions that it led to ([Traced]); they
// come back in its trailers, 64 at most.
package outgoing
