// Package catalog is the replicated state of weft: functions with their revisions, contracts, who answers
// what, and, from format level 2 on, nodes, join tokens and placements, from 3 on, what imports are bound to.
//
// It is a pure state machine. Apply takes an entry of the log and gives a result; it reads no clock, draws no random
// number and imports no raft, so equal logs give equal catalogs on every node, hash for hash. What can't be done is a
// Refusal in the result: data like everything else, never an error and never a panic.
//
// Readers take a View: the whole state at one log index, immutable, in one atomic load. A View that a reader holds
// stays as it is while the catalog moves on. Whoever follows the catalog asks the newer of two views which functions have changed
// ([View.ChangedSince]), so that a change costs what has changed; only at the start, and where that is not known, it looks at all.
//
// Rows are kept as values in persistent B+ trees. Their encodings are what a snapshot holds, and the SHA-256 of each
// is what the state hash adds up; see Snapshot for the format and ../DESIGN.md for the reasons.
package catalog
