// Package router decides which revision of which function answers a call.
//
// It looks at two things: the catalog, which says what is deployed, and the placements of this node, which say what is
// ready. What the catalog says about a target is worked out once per view and target, when the first call asks, so a
// deploy among ten thousand functions costs only those that are called. What is ready is asked on every call.
//
// A revision gets calls once it is ready, not before: while it loads, the newest older one that is ready goes on.
package router
