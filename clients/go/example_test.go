package weft_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// addr is the address of a server, started by TestMain. Yours has 127.0.0.1:7070.
var addr string

func Example() {
	client, err := weft.Connect(addr)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()

	// Functions are called like this method of weft's own: "demo.orders.v1.Orders/Place", or "Orders/Place".
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	answer, err := client.Call(ctx, "weft.v1.FunctionService/Get", []byte(`{"name": "orders"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(answer))
	// Output:
	// {"function":{"namespace":"","name":"orders","revision":0,"revisions":[],"services":[],"calls":[],"callers":[],"secrets":[]}}
}

func ExampleClient_Deploy() {
	client, err := weft.Connect(addr, weft.WithNamespace("staging"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()

	component := strings.NewReader("\x00asm\x0d\x00\x01\x00") // usually an *os.File
	spec := &weftv1.DeploySpec{
		Name:   "orders",
		Limits: &weftv1.Limits{MemoryBytes: 128 << 20, Timeout: durationpb.New(5 * time.Second)},
	}
	response, err := client.Deploy(context.Background(), component, spec, func(sent int64) {
		fmt.Println(sent, "bytes sent")
	})
	if err != nil {
		fmt.Println(err) // a *weft.Error, if the server refuses
		return
	}
	fmt.Println("revision", response.GetFunction().GetRevision())
	// Output:
	// 8 bytes sent
	// revision 1
}

func ExampleClient_Logs() {
	client, err := weft.Connect(addr)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()

	for line, err := range client.Logs(context.Background(), "orders", weft.LogOptions{Follow: true}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(line.GetMessage())
		if line.GetMessage() == "three" {
			break
		}
	}
	// Output:
	// one
	// two
	// three
}
