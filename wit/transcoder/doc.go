// Package transcoder writes the code that turns protobuf messages into the arguments of a component's functions, and what they
// return into messages, inside of the sandbox: core WebAssembly for one contract, put around the component by package compose.
//
// The composition exports a function of bytes for each method, so that nothing but one list<u8> crosses from and to the host,
// and values are copied between the transcoder's memory and the component's by code that the engine compiles for their types.
// Bytes that are hostile meet code that can do no harm, and nothing that a function returns is unfolded into values of the host.
//
// What a component imports, and others answer, has the same from the other side: code that is called instead of the import encodes the
// arguments, calls a function of bytes of the host ([Host]), and decodes what that returns (import.go). It is a component of its own,
// with a memory of its own, beside the user's and the first one: parts of a composition can only call each other.
//
// # What it does not decide
//
// A request that the transcoder does not accept is [Refused], without a reason: the function was not called, and whoever
// called decodes the request anew by the plain path (package executor/transcode), which says what is wrong with it and where. So
// errors are the same on both paths by construction. That leaves the transcoder free to refuse what is right but rare too:
// a message or a list in several pieces, a oneof that is set twice, groups in what is skipped, and lists that unfold to far more than
// their bytes. No encoder writes the first four.
//
// A response to a call that the component made can't be left to anybody: the component waits for its values. The transcoder has the host
// give it again ([Again]) instead, decoded and encoded by the plain path, whose errors then are the call's.
//
// # How the code is made
//
// [New] writes two core modules. The first has the memory and hands it out: a pointer that goes up, and back to the start
// after each call. The second has a function for each message that decodes it to where the canonical ABI wants its value
// (decode.go, list.go), one that encodes such a value, back to front (encode.go), and one for each method that ties them together
// (call.go). What all of them need is in wire.go and answer.go. Strings are not copied on the way in: they point into the request.
//
// Everything is bounded: a contract whose code would be too large, that of its imports included, has no transcoder ([ErrTooLarge]).
package transcoder
