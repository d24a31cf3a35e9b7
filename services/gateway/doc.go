// Package gateway is the gRPC port of a node: the services that functions export, without generated code, and weft's
// own.
//
// A call of a function passes these places:
//
//  1. the connection (connection.go), which package lean serves; what that leaves to grpc-go, weft's own services and calls that are not
//     plain, comes over a connection in memory (lean.go, settings in server.go);
//  2. a quick way for a small message that is here whole, of a revision that is ready on this node: the router has the executor
//     start it, and the answer is sent by the goroutine that has it (quick in lean.go). Otherwise
//  3. the handler (plain.Serve in lean.go, or stream.go for grpc-go), which asks the router which revision is to answer (call.go);
//  4. the reader (message.go), which takes exactly one message of bytes from the stream, within the limit of that
//     revision and what the node can hold (memory.go);
//  5. the router again, which has the executor of this node or another one turn bytes into bytes: for a small message, and a revision that is
//     ready on this node, by the quick way, but for a handler that waits (await.go);
//  6. back: headers that say who answers and the message, or the status that package failure makes of the error.
//
// Metadata of a request that is for weft: weft-namespace ("default" if absent), weft-function and weft-revision name who
// is to answer; weft-idempotent ("true") says that it does no harm if the call runs twice. The headers of an answer say
// who did: weft-function, weft-revision, and weft-node if the node that ran it has a name.
// With weft-timings ("true") the caller asks for trailers: weft-queue-us and weft-run-us, how many microseconds the call
// waited and ran, and weft-call, the mark of its lines in the function's log. A call that fails carries all of these in its
// trailers, asked or not. (Unasked trailers would cost every call 1.5 µs: HTTP/2 can't compress what differs each time.)
//
// Reflection (reflection.go, schema.go) and health (health.go) tell of the same services, in the namespace that
// weft-namespace names, as the catalog has them at the moment of each question.
//
// # Why the message is not read by RecvMsg
//
// grpc-go reads a message before it asks anyone, up to a limit that is one number for the whole server. Here the limit
// belongs to the revision, and a client that opens a thousand streams must not make the node hold a thousand messages.
// So the reader takes the length first and the bytes after it, from package lean's streams, or from the methods that grpc-go's
// own stream offers to grpc-go itself (streamSource in message.go). Those are not part of its API: a test fails if an upgrade takes
// them away. The requests of weft's own services are read like that, too (own.go): those of health and reflection are names, and all others
// share the same memory.
//
// # What a call through grpc-go takes
//
// Small records with the long-term-support engine, an instance per call, 64 in flight, a port that grpc-go serves alone (the tag weft_grpc_go; see
// make bench): since handlers have small calls started (await.go), 0.615x the requests of grpc-go with generated code, before 0.594x, in 35 rounds of the
// same run. In a profile then, of the processor time of a call: guest and engine in C 35%, the Go part of the worker 15%, grpc-go's reader 13%, its
// writer 9%, its handler's goroutine 24%, Go's scheduler and collector 4%. Of the handler's, what grpc-go does around it and to send the answer
// is 10%, to read the request 2%, and the other 12% are weft's. Tried besides and not kept: a list of the requests that arrive instead of a timer
// for each (1%, within the noise), and four and sixteen times as many of grpc-go's workers (0.97x and 0.94x the requests). Since then core modules are
// merged (package merge) and metrics counted by lanes (package tally): 0.65x to 0.69x in three runs of make bench. Since values go straight (executor/wasmtime/DESIGN.md)
// and the Go compiler has a profile, 1.11x the requests of the node before, in 14 rounds in turns; against grpc-go 0.64x to 0.74x in five runs on a machine that others
// used, too.
package gateway
