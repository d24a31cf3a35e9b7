// Package replication carries what package consensus needs of other nodes between them: commands and linearizable reads to
// the node that leads, the catalog from schedulers to nodes without a log. Here the errors of consensus become messages and back.
package replication
