package main

import (
	"fmt"
	"hash/fnv"
	"strings"

	"example.com/checkout/gen/demo/checkout/checkout"
	"example.com/checkout/gen/demo/pricing/pricing"
	"example.com/checkout/gen/demo/receipts/receipts"
	"example.com/checkout/gen/demo/stock/stock"
	"example.com/checkout/gen/guest"
)

// shop is what a checkout stands on: functions that somebody else wrote and that run somewhere.
type shop struct {
	pick  func([]stock.Item) ([]stock.Article, error)
	price func(pricing.Basket) (pricing.Quote, error)
	print func(receipts.Sale, receipts.Form) (string, error)
}

// place sells a basket: picks the articles, asks what they cost, and has the receipt printed.
func (s shop) place(basket checkout.Basket) (checkout.Receipt, error) {
	if err := check(basket); err != nil {
		return checkout.Receipt{}, err
	}
	items := make([]stock.Item, len(basket.Items))
	for i, item := range basket.Items {
		items[i] = stock.Item(item)
	}
	articles, err := s.pick(items)
	if err != nil {
		return checkout.Receipt{}, err
	}
	quote, err := s.price(priced(basket, articles))
	if err != nil {
		return checkout.Receipt{}, err
	}
	sale := printed(basket, articles, quote)
	form := receipts.FormText
	if basket.Form != nil {
		form = receipts.Form(*basket.Form)
	}
	document, err := s.print(sale, form)
	if err != nil {
		return checkout.Receipt{}, err
	}
	return checkout.Receipt{Number: sale.Number, Total: quote.Total, Saved: quote.Goods - quote.Total, Document: document}, nil
}

func check(basket checkout.Basket) error {
	switch {
	case strings.TrimSpace(basket.Customer) == "":
		return checkout.RefusalInvalidArgument{Value: "customer: must not be empty"}
	case len(basket.Items) == 0:
		return checkout.RefusalInvalidArgument{Value: "items: a basket has at least one"}
	}
	for i, item := range basket.Items {
		if item.Quantity == 0 {
			return checkout.RefusalInvalidArgument{Value: fmt.Sprintf("items[%d].quantity: must be at least 1", i)}
		}
	}
	return nil
}

// priced is the basket as the rules for prices see it.
func priced(basket checkout.Basket, articles []stock.Article) pricing.Basket {
	b := pricing.Basket{Coupons: basket.Coupons}
	if basket.Tier != nil {
		b.Tier = pricing.Tier(*basket.Tier)
	}
	for i, a := range articles {
		b.Lines = append(b.Lines, pricing.Line{
			Sku: a.Sku, Category: a.Category.String(), Quantity: basket.Items[i].Quantity, Price: a.Price,
		})
	}
	return b
}

// printed is the sale as the receipt shows it.
func printed(basket checkout.Basket, articles []stock.Article, quote pricing.Quote) receipts.Sale {
	sale := receipts.Sale{Customer: basket.Customer, Total: quote.Total, Tax: quote.Tax}
	for i, a := range articles {
		quantity := basket.Items[i].Quantity
		sale.Lines = append(sale.Lines, receipts.Line{Name: a.Name, Quantity: quantity, Total: uint64(quantity) * uint64(a.Price)})
	}
	for _, d := range quote.Discounts {
		sale.Discounts = append(sale.Discounts, guest.Tuple2[string, uint64]{F0: d.Reason, F1: d.Amount})
	}
	sale.Number = number(sale)
	return sale
}

// number makes ten digits of what is sold: the same sale has the same one, so that repeating a call makes no second sale.
func number(sale receipts.Sale) string {
	hash := fnv.New64a()
	_, _ = fmt.Fprintf(hash, "%+v", sale)
	return fmt.Sprintf("%010d", hash.Sum64()%1e10)
}
