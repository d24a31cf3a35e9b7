// Package lean serves gRPC over HTTP/2 (RFC 9113) at little cost for unary calls, and leaves all else to another server.
//
// A connection has two goroutines. One reads: it gives a small request that is here whole to the Handler, which must not
// wait; requests that are large, slow or odd get a goroutine of a worker, and read their message from it. The other
// writes: it puts what handlers have answered into frames, as much as there is and both sides' windows allow, and hands it
// to the system at once. So at many calls in flight one wake-up, one read and one write serve many of them.
//
// Header blocks that consist of references to the table of HPACK only (RFC 7541, section 6.1) mean the same as long as
// the table stays as it is. Both directions remember what such blocks stand for, so a client that calls the same method over
// and over has its headers decoded once.
//
// Streams that the Handler does not take are relayed over a connection in memory to a server that does (relay.go), frame by
// frame: windows, resets and trailers of a stream are those of its two ends, so deadlines, cancellation and flow control
// are as if there was nothing between them.
//
// What a client can make the node hold is bounded: DESIGN.md says by what.
package lean
