// Package executor runs calls: it keeps the compiled code of the revisions that are placed on this node and answers
// each call with an instance that is as new, under the revision's limits.
//
// A call passes four places, in this order:
//
//  1. the gate of its revision, which bounds how many of its calls run and how many wait (queue.go);
//  2. a slot, of which there are about as many as cores, shared by all functions (queue.go, fair.go, park.go);
//  3. the transcoder, which turns message bytes into arguments (package transcode), or leaves that to the guest's side (direct.go,
//     bulk.go);
//  4. an instance of its own, dropped after the call or put back to what it was like before (package wasmtime); one that was made in
//     advance where that takes long (pool.go).
//
// A guest may call others in turn, through imports that are bound to their contracts: what it passes becomes a request, which
// [Outgoing] sends wherever it belongs, and the answer becomes what the import returns (outgoing.go). A function on the same
// node runs in the guest's place meanwhile (place.go); else the guest has no slot (away.go).
//
// What the node itself gives to guests are interfaces of the host (host.go): values that name the WIT, the functions of Go that
// answer it, and the resources behind handles. WASI 0.2 is such interfaces, too (wasi.go); a guest that sleeps has no slot (sleep.go).
//
// The executor knows nothing of gRPC, of the catalog or of other nodes. It takes bytes and gives bytes; what goes
// wrong is an [*Error] with a [Reason], or a [*FunctionError] where the function itself returned an error.
package executor
