// Package backup writes the catalog of a cluster with every artifact that it names into one file, and makes a new cluster
// of it.
//
// A backup, byte by byte; numbers are little-endian:
//
//	8    "weftbak1"
//	4    length of the header
//	…    weft.backup.v1.Header
//	32   SHA-256 of all bytes before
//	…    the catalog, header.catalog_bytes: a snapshot (consensus/catalog/snapshot.go)
//	     then each artifact that a revision in the catalog names, once, ordered by digest:
//	32   digest, the SHA-256 of the artifact
//	8    size in bytes
//	…    the artifact
//	     and at the end:
//	32   SHA-256 of all bytes before
//
// It is written and read from the beginning to the end, so it may come from a pipe. Each part has a checksum of its own,
// so that a reader can say which one is damaged, and the one at the end covers them all. [Read] hands parts on as it
// comes to them; only when it has returned without an error may any of them be used.
//
// # What is in it
//
// The catalog as catalog.View.Backup gives it: functions with all their revisions and limits, numbers of deleted
// functions, contracts and routes. Environment variables are in there as they are, so a backup is to be kept like a
// secret. Nodes, placements, join tokens, request IDs, logs and compiled code are not: they belong to the old cluster, or
// are made anew.
//
// # Why restoring makes a new cluster
//
// [Restore] makes the data directory of the first node of a new cluster, and further nodes join that one; so the cluster
// may have any size. It does not restore into a cluster that runs. What was acknowledged there would be undone under
// nodes and clients that have seen it, against what consensus promises (a node never shows an older catalog), by a
// command that is unlike all others: as large as the catalog, on every node at once. And nodes of the old cluster that
// come back, with logs that go further than the backup, must find no cluster that takes them for its own: the new one
// has another ID and another authority.
package backup
