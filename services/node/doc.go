// Package node puts the parts of a node together and runs them.
//
// A node keeps everything in its data directory:
//
//	artifacts/  components, by digest
//	code/       compiled code, by digest and engine; it can be deleted while the node is stopped
//	consensus/  who the node is, its keys, the log, snapshots and the local copy of the catalog; and a lock, since two
//	            nodes can not share one
//	keyvalue/   the pairs that functions keep with wasi:keyvalue, unless a server does (services/keyvalue)
//	directory   what was last known of other nodes, as a file that can be deleted
//
// The parts start from the bottom up: consensus with its local copy of the catalog, artifacts, the executor, placements,
// then the ports. A node is ready once its ports are open; it does not wait for a leader, nor for revisions to be
// loaded, since a call loads what it needs. They stop in the opposite order: the ports first, which lets the calls
// that run come to their end.
package node
