// Package router decides which revision of which function answers a call, and on which node it runs.
//
// [Router.Route] finds the revision. It looks at two things: the catalog, which says what is deployed, and what is ready,
// here (package placement) or on other nodes (package directory). What the catalog says about a target is worked out once
// per view and target, when the first call asks, so a deploy among ten thousand functions costs only those that are
// called. What is ready is asked on every call. A revision gets calls once it is ready, not before: while it loads, the
// newest older one that is ready goes on.
//
// [Router.Call] runs the call: here, if the revision is ready here and its line has room, otherwise on another node, over
// package link. [Router.Serve] is the other end: it runs what other nodes send, and never sends it on, so that no call can
// go in circles.
//
// # Which node
//
// Candidates are the nodes on which the revision is ready (nodes.go). They fall into tiers: the same zone as this node,
// the same region, anywhere; then those that are about to stop; then those that are lost, if no leader has said anything
// for a while, as they may be back by now. Of the first tier that has a candidate, two are taken at random, and the
// cheaper of them gets the call: by calls in flight for each of its cores and by how long answers take beyond the time
// that the function runs (balance.go). If that node is crowded, the cheaper of two of the next tier gets the call instead
// if it has less than half the load. So a lone node of the same zone gets what it can take, not more.
//
// A node that could not be reached, or was lost with its call, three times in a row is left out for a second, and twice
// as long each time after that; then one call tries it again. No more than half of the nodes are left out at once, and
// nobody is left out if there is nobody else.
//
// # What is tried again
//
// A call that surely did not start may be tried on another node: up to three nodes are tried for a call, within its
// deadline. A try that had a node at work, be it only to refuse, takes from a budget: all calls of this node together may
// be tried again so once for every five calls, and a few times more (budget.go). A node that could not be reached, stops,
// or does not have the revision ready had no work with the call, so trying elsewhere is free.
// A call that may have started is never tried again, unless its caller said that it is idempotent: metadata
// weft-idempotent with the value true.
//
// A node that answers that the revision is not ready there is not asked for it again for a second: the directory is a few
// milliseconds behind when placements move. If that was the only one, the call waits for the news.
package router
