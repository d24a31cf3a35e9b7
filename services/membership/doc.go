// Package membership is how nodes come into a cluster, stay in it, and leave it.
//
//	token.go      the text of a join token
//	join.go       a new node asks to be taken in
//	lobby.go      the join endpoint: the only service for clients without a certificate
//	frames.go     what its clients may not send without end
//	admission.go  a node with the authority's key decides
//	announce.go   a node tells the others where it is now
//	renew.go      a node without the authority's key has its certificate renewed
//	standing.go   a node that hears nothing finds out whether it was removed
//	nodes.go, tokens.go, drain.go, remove.go
//	              what weft.v1.NodeService offers to people
//
// # Trust
//
// A token is a secret and the hash of the authority's certificate. The new node compares the hash before it sends
// anything, so it never shows the secret to a stranger; the cluster keeps only a hash of the secret, so a copy of the
// catalog lets nobody in. Whoever has a token can become a scheduler, and a scheduler gets the authority's key: a token is
// as good as the cluster, which is why it runs out.
//
// A token runs out by the leader's clock, as far as the directory knows how far this node's clock is from it: nodes whose
// clocks are an hour apart agree.
package membership
