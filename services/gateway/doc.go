// Package gateway is the gRPC port of a node: the services that functions export, without generated code, and weft's
// own.
//
// A call of a function passes these places:
//
//  1. grpc-go's transport (settings in server.go, connections in connection.go);
//  2. the handler (call.go), which asks the router which revision is to answer;
//  3. the reader (message.go), which takes exactly one message of bytes from the stream, within the limit of that
//     revision and what the node can hold (memory.go);
//  4. the router again, which has the executor of this node or another one turn bytes into bytes;
//  5. back: headers that say who answers and the message, or the status that package failure makes of the error.
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
// So the reader takes the length first and the bytes after it, from the methods that grpc-go's own stream offers to
// grpc-go itself (source in message.go). They are not part of its API: a test fails if an upgrade takes them away.
package gateway
