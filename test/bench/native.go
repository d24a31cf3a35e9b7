package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	"google.golang.org/grpc"

	recordsv1 "github.com/weft-run/weft/test/bench/proto/bench/records/v1"
)

// native is the rival: the same service written by hand on grpc-go's generated code.
type native struct {
	recordsv1.UnimplementedRecordsServer
}

func (native) Touch(_ context.Context, request *recordsv1.TouchRequest) (*recordsv1.TouchResponse, error) {
	customer := request.GetCustomer()
	customer.Score++
	return &recordsv1.TouchResponse{Value: customer}, nil
}

// serveNative serves the rival until it is told to end. The number of stream workers is grpc-go's option; 0 is its default.
func serveNative(workers uint32) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var options []grpc.ServerOption
	if workers > 0 {
		options = append(options, grpc.NumStreamWorkers(workers))
	}
	server := grpc.NewServer(options...)
	recordsv1.RegisterRecordsServer(server, native{})
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	context.AfterFunc(ctx, server.Stop)
	fmt.Printf("ready grpc=%s\n", listener.Addr())
	return server.Serve(listener)
}
