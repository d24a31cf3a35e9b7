// Command caller calls the three example functions with the stubs that protoc generated from their schemas.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	ordersv1 "weft.internal/demo/orders/v1"
	statsv1 "weft.internal/demo/stats/v1"
	textv1 "weft.internal/demo/text/v1"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "caller:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, addr string) error {
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := orders(ctx, ordersv1.NewOrdersClient(conn)); err != nil {
		return err
	}
	if err := text(ctx, textv1.NewTextClient(conn)); err != nil {
		return err
	}
	return stats(ctx, statsv1.NewStatsClient(conn))
}

func orders(ctx context.Context, client ordersv1.OrdersClient) error {
	order := &ordersv1.Order{
		Customer:  "Grace",
		Items:     []*ordersv1.Item{{Sku: "shuttle-oak", Quantity: 2}},
		Delivery:  &ordersv1.Delivery{Kind: &ordersv1.Delivery_Pickup{}},
		Discounts: []*ordersv1.Discount{{Kind: &ordersv1.Discount_Percent{Percent: 25}}},
	}
	placed, err := client.Place(ctx, &ordersv1.PlaceRequest{Order: order})
	if err != nil {
		return err
	}
	receipt := placed.GetValue()
	fmt.Printf("Place      %s: %d cents for %s\n", receipt.GetId(), receipt.GetBill().GetTotal(), receipt.GetCustomer())

	// An error of the function is a status with a typed detail.
	order.Items[0].Quantity = 50
	_, err = client.Place(ctx, &ordersv1.PlaceRequest{Order: order})
	refused := status.Convert(err)
	if refused.Code() != codes.FailedPrecondition {
		return fmt.Errorf("50 shuttles: %w", err)
	}
	for _, detail := range refused.Details() {
		if refusal, ok := detail.(*ordersv1.Refusal); ok {
			short := refusal.GetOutOfStock()
			fmt.Printf("Place      %s: %s out of stock, %d wanted, %d there\n",
				refused.Code(), short.GetSku(), short.GetWanted(), short.GetAvailable())
		}
	}
	return nil
}

func text(ctx context.Context, client textv1.TextClient) error {
	table, err := client.Csv(ctx, &textv1.CsvRequest{
		Source:  "name;born\nAda; 1815\n\"Hopper; Grace\"; 1906\n",
		Dialect: &textv1.Dialect{Delimiter: ";", Header: true, Trim: true},
	})
	if err != nil {
		return err
	}
	for _, row := range table.GetValue().GetRows() {
		fmt.Printf("Csv        %q\n", row.GetItems())
	}
	return nil
}

func stats(ctx context.Context, client statsv1.StatsClient) error {
	series := []float64{3, 1, 4, 1, 5, 9, 2, 6, 5, 3}
	summary, err := client.Summarize(ctx, &statsv1.SummarizeRequest{Series: series})
	if err != nil {
		return err
	}
	value := summary.GetValue()
	fmt.Printf("Summarize  mean %.2f, deviation %.2f, median %v\n", value.GetMean(), value.GetDeviation(), value.GetMedian())

	chart, err := client.Chart(ctx, &statsv1.ChartRequest{
		Series: series,
		Size:   &statsv1.ChartRequest_Size{F0: 160, F1: 90},
		Style:  statsv1.Style_STYLE_BARS,
	})
	if err != nil {
		return err
	}
	fmt.Printf("Chart      %d bytes of PNG\n", len(chart.GetValue()))
	return nil
}
