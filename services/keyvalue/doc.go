// Package keyvalue gives functions storage that outlives their calls: wasi:keyvalue, with its interfaces store, atomics and
// batch. The WIT is in wit/host/wasi-keyvalue-draft and wit/host/wasi-keyvalue-draft2; package guest says how they differ.
//
// A [Backend] keeps the data, one for a node: a file of the node (embedded), a Redis server (redis) or NATS JetStream (nats).
// [Store] stands before it with bounds, time limits and metrics, and package guest has the functions that guests call.
// Package keyvaluetest is the table that all backends pass, the servers being real ones.
//
// # Whose data it is
//
// A function has any number of buckets, which exist while there are pairs in them. All revisions share them; no other function
// has access, whatever it asks for, since the function is part of every key and comes from the executor, never from the guest.
// A function that was deleted and made anew is another function ([Function.Created]) and begins with nothing.
//
// When a function is deleted, so is its data: by every node that runs then, as each learns of it, whichever backend it is. Since
// a function made anew has other data, it does not matter when. Data stays, and counts for nobody's quota, if every node was
// down or the backend was away then; and what a call stores that outlives its function stays too. The embedded backend's own is
// swept when the node starts. In a server it is to be found under the function's name (the doc of the backend has the
// keys).
//
// # What is promised
//
//	                     embedded                     redis                        nats
//	seen by              functions on this node       all nodes with this URL      all nodes with this URL
//	get after set        the value, on this node      the value                    the value; a replicated bucket: soon
//	batches              all or nothing               all or nothing               any part, as the standard has it
//	after an answer      on disk (fdatasync)          as the server is set up      written; synced as the server is set up
//	quota                exact                        exactly the same             exact in the bytes that JetStream counts
//	a page of keys       by key                       by last change               by last change
//
// Increments and swaps are atomic in all of them.
//
// With the embedded backend each node has data of its own. A function that runs on several nodes sees on each what was
// stored there, and after it has moved, nothing: so it is for single nodes, caches, and functions that are pinned to a
// node (weft deploy --require). Clusters want a server.
//
// A swap (compare and swap) is by version, not by value: it fails if the key was changed in between, even if it has the same
// value again. A key that is absent has no version: if it was made and deleted in between, the swap is made.
//
// # When the backend is away
//
// A node starts without it. Operations end within [OperationTime] with an *[UnavailableError], which a guest sees as the error
// "other". Of a change it is not known then whether it was made; nothing is tried again here, so none is made twice. Backends
// connect again by themselves. The node logs when the backend goes and comes back, not each failure.
//
// # Bounds
//
// Keys have 1 to 512 bytes of UTF-8, values up to 1,000,000 bytes, names of buckets up to 64 characters; a batch has 1,000 keys
// and values of 2 MiB together; a page of keys has 1,000. A function may store what --keyvalue-quota says (64 MiB), where a pair
// counts its key, its value, the name of its bucket, and 64 bytes ([Cost]).
package keyvalue
