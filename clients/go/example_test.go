package weft_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

func Example() {
	client, err := weft.Connect("127.0.0.1:7070")
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	answer, err := client.Call(ctx, "demo.orders.v1.Orders/Place", []byte(`{"order":{"id":"a1"}}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", answer)
}

func ExampleClient_Deploy() {
	client, err := weft.Connect("127.0.0.1:7070", weft.WithNamespace("staging"))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	component, err := os.Open("orders.wasm")
	if err != nil {
		log.Fatal(err)
	}
	defer component.Close()
	spec := &weftv1.DeploySpec{
		Name:   "orders",
		Limits: &weftv1.Limits{MemoryBytes: 128 << 20, Timeout: durationpb.New(5 * time.Second)},
	}
	response, err := client.Deploy(context.Background(), component, spec, func(sent int64) {
		log.Printf("%d bytes sent", sent)
	})
	var refused *weft.Error
	if errors.As(err, &refused) && refused.Reason == "BREAKING_CHANGE" {
		for _, change := range refused.Changes() {
			log.Printf("%s: %s", change.GetPath(), change.GetDescription())
		}
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(response.GetFunction().GetRevision())
}

func ExampleClient_Logs() {
	client, err := weft.Connect("127.0.0.1:7070")
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	for line, err := range client.Logs(context.Background(), "orders", weft.LogOptions{Follow: true, Tail: 10}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(line.GetStream(), line.GetMessage())
	}
}
