// Package link carries calls of functions between nodes.
//
// A [Link] calls other nodes, and answers their calls with a [Handler]. Calls travel as frames over a few long-lived
// connections to each node, many at a time; large messages go in pieces between the small ones. DESIGN.md has the frames,
// byte by byte, and the reasons.
//
// What a caller may do about a failed call depends on whether the call may have started at the other node. So errors tell:
// [NotStartedError] is one that surely did not start and may be tried elsewhere, [LostError] one that nobody knows of.
package link
