package main

import (
	"errors"
	"reflect"
	"testing"

	"example.com/checkout/gen/demo/checkout/checkout"
	"example.com/checkout/gen/demo/pricing/pricing"
	"example.com/checkout/gen/demo/receipts/receipts"
	"example.com/checkout/gen/demo/stock/stock"
)

// A shop with one article, which is half price.
var half = shop{
	pick: func(items []stock.Item) ([]stock.Article, error) {
		if items[0].Quantity > 8 {
			return nil, stock.RefusalOutOfStock{Value: []stock.Shortage{{Sku: items[0].Sku, Wanted: items[0].Quantity, Available: 8}}}
		}
		return []stock.Article{{Sku: items[0].Sku, Name: "A loom", Category: stock.CategoryTool, Price: 400}}, nil
	},
	price: func(b pricing.Basket) (pricing.Quote, error) {
		goods := uint64(b.Lines[0].Quantity) * uint64(b.Lines[0].Price)
		return pricing.Quote{Goods: goods, Total: goods / 2, Discounts: []pricing.Discount{{Reason: b.Tier.String(), Amount: goods / 2}}}, nil
	},
	print: func(sale receipts.Sale, form receipts.Form) (string, error) {
		return form.String() + " for " + sale.Customer + ", " + sale.Discounts[0].F0, nil
	},
}

func TestPlace(t *testing.T) {
	trade, html := checkout.TierTrade, checkout.FormHTML
	basket := checkout.Basket{Customer: "Ada", Tier: &trade, Form: &html, Items: []checkout.Item{{Sku: "loom", Quantity: 3}}}
	got, err := half.place(basket)
	want := checkout.Receipt{Number: got.Number, Total: 600, Saved: 600, Document: "html for Ada, trade"}
	if err != nil || got != want || len(got.Number) != 10 {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	again, err := half.place(basket)
	if err != nil || again != got {
		t.Errorf("%+v, %v the second time", again, err)
	}
}

func TestRefusals(t *testing.T) {
	for want, basket := range map[string]checkout.Basket{
		"invalid-argument: customer: must not be empty":           {},
		"invalid-argument: items: a basket has at least one":      {Customer: "Ada"},
		"invalid-argument: items[0].quantity: must be at least 1": {Customer: "Ada", Items: []checkout.Item{{Sku: "loom"}}},
		"out-of-stock: [{Sku:loom Wanted:9 Available:8}]":         {Customer: "Ada", Items: []checkout.Item{{Sku: "loom", Quantity: 9}}},
	} {
		_, err := half.place(basket)
		if err == nil {
			t.Errorf("%+v is sold; want %s", basket, want)
			continue
		}
		if got := refusal(err).Error(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestWhatPartsSay(t *testing.T) {
	for err, want := range map[error]checkout.Refusal{
		stock.RefusalNotFound{Value: "x"}:       checkout.RefusalNotFound{Value: "x"},
		pricing.ProblemNotFound{Value: "x"}:     checkout.RefusalNotFound{Value: "x"},
		stock.RefusalUnavailable{Value: "x"}:    checkout.RefusalUnavailable{Value: "x"},
		pricing.ProblemUnavailable{Value: "x"}:  checkout.RefusalUnavailable{Value: "x"},
		receipts.ProblemUnavailable{Value: "x"}: checkout.RefusalUnavailable{Value: "x"},
	} {
		if got := refusal(err); !reflect.DeepEqual(got, want) {
			t.Errorf("%v becomes %v, want %v", err, got, want)
		}
	}
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, receipts.ProblemInvalidArgument{Value: "x"}) {
			t.Error("a receipt that can't be printed is not the caller's fault")
		}
	}()
	_ = refusal(receipts.ProblemInvalidArgument{Value: "x"})
}
