// Command main places an order at a shop whose functions are in five languages: go run . ADDRESS
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/grpc/status"

	weft "github.com/weft-run/weft/clients/go"

	checkoutv1 "weft.internal/demo/checkout/v1"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	err := run(ctx, os.Args[1])
	cancel()
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, address string) error {
	client, err := weft.Connect(address)
	if err != nil {
		return err
	}
	defer client.Close()
	checkout := checkoutv1.NewCheckoutClient(client.Conn())
	placed, err := checkout.Place(ctx, order(5))
	if err != nil {
		return err
	}
	receipt := placed.GetValue()
	fmt.Printf("receipt %s: %d cents, %d saved\n", receipt.GetNumber(), receipt.GetTotal(), receipt.GetSaved())

	_, err = checkout.Place(ctx, order(500))
	for _, detail := range status.Convert(err).Details() {
		if refusal, ok := detail.(*checkoutv1.Refusal); ok {
			for _, short := range refusal.GetOutOfStock().GetItems() {
				fmt.Printf("refused: %d x %s, there are %d\n", short.GetWanted(), short.GetSku(), short.GetAvailable())
			}
		}
	}
	return nil
}

func order(quantity uint32) *checkoutv1.PlaceRequest {
	return &checkoutv1.PlaceRequest{Basket: &checkoutv1.Basket{
		Customer: "Ada",
		Items:    []*checkoutv1.Item{{Sku: "yarn-indigo", Quantity: quantity}, {Sku: "book-loom", Quantity: 1}},
		Coupons:  []string{"FIVER"},
	}}
}
