// Package peer lets the services of this node talk to those of other nodes, over the cluster port: gRPC between two
// nodes that have proved to each other who they are.
//
// A service registers with [Peers], which is a grpc.ServiceRegistrar, and learns from [From] which node calls. It reaches
// another node through [Peers.Conn], by the node's ID, wherever that is now. Calls of functions do not go this way: package
// link carries those.
package peer
