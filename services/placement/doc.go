// Package placement keeps on this node what the catalog places here: today, the current revision of every function.
//
// A [Table] follows the catalog. It loads the current revision of each function into the executor, a few at a time,
// and tries again with growing pauses when that fails. It unloads what was deleted at once, and a revision that is no
// longer current some minutes after its last use. [Table.Ensure] loads a revision on demand, ahead of all that wait:
// so a node that has just started answers its first call without loading everything else first, and a call may name
// an older revision.
//
// What is desired is the catalog's; what the table knows (loading, ready, failed) is soft state of this node and
// starts from nothing with each process.
package placement
