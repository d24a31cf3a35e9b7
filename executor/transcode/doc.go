// Package transcode turns protobuf messages into the arguments of a component's function, and what it returns into
// protobuf messages, without anything in between: wire bytes to wasmtime values and back.
//
// A [Plan] is built once per method from its [contract.Method] and shared by all calls. Decoding follows the proto3
// rules: fields in any order, the last scalar wins, messages that come more than once are merged, packed and unpacked
// lists are both accepted, unknown fields are skipped. What protobuf can say and WIT can not is refused with the path
// of the value: a u8 of 256, an unset oneof, a record that is absent. A field with a known number and another wire type
// is refused too, although protobuf would skip it: contracts never reuse a number, so it is a mistake of the sender.
//
// A plan works both ways: Decode and Encode are for the functions that a component exports, EncodeArgs, DecodeResult and
// DecodeFailure for those that it imports. The same rules hold for what comes back from a callee.
//
// # How a message is decoded
//
// wasmtime wants the length of a list before its elements, while protobuf may scatter both elements and pieces of a
// message. So each message is walked once to note where everything is, in one slot per field, and its values are set
// afterwards, in WIT order. A list whose elements are contiguous (every encoder writes them so) is then read from
// there; if any is scattered, one more walk deals all of them out. A message is thus read at most three times at its
// own level, whatever the bytes, and nothing of it is copied but strings and bytes.
//
// Nothing is allocated for what a length merely claims, and the values of one message may not take more than
// a fixed multiple of its size and a fixed sum (freeUnfolded, unfolding), so that small bytes can't become large values.
package transcode
