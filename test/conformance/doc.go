// Package conformance holds tests that call functions over every WIT type through a node, as a client sees it: JSON in,
// protobuf over gRPC, component values inside, and the way back.
//
// The component that they call is test/components/conformance, whose echo functions return their argument; and the
// examples, each of which is called as its README says.
package conformance
