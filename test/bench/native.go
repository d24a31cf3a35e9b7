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

// native is the rival: the same services written by hand on grpc-go's generated code.
type native struct {
	recordsv1.UnimplementedRecordsServer
	recordsv1.UnimplementedBytesServer
}

func (native) Touch(_ context.Context, request *recordsv1.TouchRequest) (*recordsv1.TouchResponse, error) {
	customer := request.GetCustomer()
	customer.Score++
	return &recordsv1.TouchResponse{Value: customer}, nil
}

func (native) TouchAll(_ context.Context, request *recordsv1.TouchAllRequest) (*recordsv1.TouchAllResponse, error) {
	for _, customer := range request.GetCustomers() {
		customer.Score++
	}
	return &recordsv1.TouchAllResponse{Value: request.GetCustomers()}, nil
}

func (native) Echo(_ context.Context, request *recordsv1.EchoRequest) (*recordsv1.EchoResponse, error) {
	return &recordsv1.EchoResponse{Value: request.GetData()}, nil
}

// nativeName makes this program the rival.
const nativeName = "native"

// serveNative serves the rival until it is told to end, on grpc-go's defaults, but for messages of up to 8 MiB, or with its stream workers.
func serveNative(workers bool) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	options := []grpc.ServerOption{grpc.MaxRecvMsgSize(8 << 20)}
	if workers {
		options = append(options, grpc.NumStreamWorkers(64))
	}
	server := grpc.NewServer(options...)
	recordsv1.RegisterRecordsServer(server, native{})
	recordsv1.RegisterBytesServer(server, native{})
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	context.AfterFunc(ctx, server.Stop)
	fmt.Printf("ready grpc=%s\n", listener.Addr())
	return server.Serve(listener)
}
