//go:build !weft_grpc_go

package gateway

import "net"

// take serves a connection of a client.
func (g *Gateway) take(nc net.Conn) { g.accepted.Go(func() { g.lean.Serve(nc) }) }
