// Package consensus replicates the catalog with Raft.
//
// A Node keeps the log, the snapshots and the keys of one weft server below one directory, talks to its peers over
// mutual TLS, and shows a catalog.Catalog that other packages read. Writes go through Apply, reads that must see every
// write before them call Linearize first, all others read the catalog as it is.
//
// What is stored where, and why, is in DESIGN.md beside this file.
package consensus
