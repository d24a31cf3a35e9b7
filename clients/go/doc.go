// Package weft is the Go client of weft: it deploys functions, tells about them and calls them.
//
//	client, err := weft.Connect("127.0.0.1:7070")
//	...
//	answer, err := client.Call(ctx, "demo.orders.v1.Orders/Find", []byte(`{"sku": "book-loom"}`))
//
// A program that has generated stubs of a function's services needs none of this for its calls: it passes
// [Client.Conn], or any connection of its own, to the stubs. Requests and responses of weft's own API are the
// generated messages of package weftv1.
//
// Whatever a server refuses is an [*Error]; [status.FromError] understands it too.
//
// [status.FromError]: https://pkg.go.dev/google.golang.org/grpc/status#FromError
package weft
