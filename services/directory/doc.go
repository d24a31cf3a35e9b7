// Package directory knows where everything is: which nodes there are, which of them are alive, and which revisions are
// ready on which. All of it is soft state. None of it is in the replicated log, and a node that loses it learns it again.
//
// Every node has a [Directory]. While a node leads, its directory collects (collector.go): nodes report once a second,
// and at once when what is ready on them changes. The directories of all other nodes follow (follow.go): over the same
// stream on which they report, the leader sends what has changed. The leader's own report takes the same way inside the
// process, and the leader's own directory learns from the same news as the others.
//
// What is known is a [View], which never changes; Directory.View gives the present one. It is kept on disk, so that a
// node that starts while no scheduler is alive finds the others.
//
// # What follows on what
//
// The revisions of a node are sent whole once, and as changes after that. A node counts the changes since it started:
// known is (incarnation, sequence), and changes carry the sequence that they start from. News of an older incarnation is
// ignored, so are changes that are known already; changes that start from something unknown end the stream, and the next
// one begins with what the node knows, so that the leader can send the rest. In the same way reports are numbered, and an
// older one never replaces a newer one. So it does no harm that a new leader begins with what it happens to know.
//
// A new leader calls nobody lost before it has listened for as long as a node may be silent; neither does one that finds
// that it was asleep itself. Itself it never calls lost: on a machine that is too busy for its own report it still answers calls.
//
// # Costs
//
// The leader gathers changes for 10 ms and encodes them once for all nodes. What routing does not need (applied index,
// load, clock) is sent along with other changes, or in turn, 32 nodes a second: see BenchmarkFanOut.
package directory
