//go:build weft_grpc_go

package gateway

import "net"

// take has grpc-go serve a connection of a client, and all of its streams. It is there to measure what package lean gains: make bench.
func (g *Gateway) take(nc net.Conn) { g.others.put(nc) }
