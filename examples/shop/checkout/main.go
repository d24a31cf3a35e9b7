// Command checkout is the component: what demo:checkout/checkout exports. The rest of the shop are functions of their own, in
// whatever language they are in.
package main

import (
	"example.com/checkout/gen/demo/checkout/checkout"
	"example.com/checkout/gen/demo/pricing/pricing"
	"example.com/checkout/gen/demo/receipts/receipts"
	"example.com/checkout/gen/demo/stock/stock"
)

func init() { checkout.Export(component{}) }

func main() {}

type component struct{}

func (component) Place(basket checkout.Basket) (checkout.Receipt, error) {
	receipt, err := shop{stock.Pick, pricing.Price, receipts.Print}.place(basket)
	if err != nil {
		return checkout.Receipt{}, refusal(err)
	}
	return receipt, nil
}

// refusal tells the caller of checkout what the parts of the shop say. What they should not say ends the call.
func refusal(err error) checkout.Refusal {
	switch e := err.(type) {
	case checkout.Refusal:
		return e
	case stock.RefusalNotFound:
		return checkout.RefusalNotFound{Value: e.Value}
	case stock.RefusalOutOfStock:
		return checkout.RefusalOutOfStock{Value: shortages(e.Value)}
	case stock.RefusalUnavailable:
		return checkout.RefusalUnavailable{Value: e.Value}
	case pricing.ProblemNotFound:
		return checkout.RefusalNotFound{Value: e.Value}
	case pricing.ProblemUnavailable:
		return checkout.RefusalUnavailable{Value: e.Value}
	case receipts.ProblemUnavailable:
		return checkout.RefusalUnavailable{Value: e.Value}
	default:
		panic(err)
	}
}

func shortages(list []stock.Shortage) []checkout.Shortage {
	out := make([]checkout.Shortage, len(list))
	for i, s := range list {
		out[i] = checkout.Shortage(s)
	}
	return out
}
