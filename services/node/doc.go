// Package node puts the parts of a node together and runs them.
//
// A node keeps everything in its data directory:
//
//	LOCK        held while the node runs: two nodes can not share a directory
//	artifacts/  components, by digest
//	code/       compiled code, by digest and engine; it can be deleted while the node is stopped
//	raft/       the log, snapshots and the local copy of the catalog
//
// The parts start from the bottom up: the executor, artifacts, consensus with its local copy of the catalog, placements,
// then the ports. A node is ready once its ports are open; it does not wait for a leader, nor for revisions to be
// loaded, since a call loads what it needs. They stop in the opposite order: the ports first, which lets the calls
// that run come to their end.
package node
