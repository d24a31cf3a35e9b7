package conformance

import (
	"encoding/json"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
)

// TestShop calls functions in five languages that call one another. Each is right by itself, and so is what they are together.
func TestShop(t *testing.T) {
	client := start(t, // whoever is called before its callers
		deployment{name: "barcode", wit: "examples/shop/barcode/wit"},
		deployment{name: "receipts", wit: "examples/shop/receipts/wit"},
		deployment{name: "stock", wit: "examples/shop/stock/wit"},
		deployment{name: "pricing", wit: "examples/shop/pricing/wit"},
		deployment{name: "checkout", wit: "examples/shop/checkout/wit"},
	)
	for _, c := range []call{
		// The check character: the start, 105, and the pair, 42, modulo 103.
		{"demo.barcode.v1.Barcode/Code128", `{"text": "42"}`, `{"value": {"check": 44, "modules": 46,
			"widths": "AgEBAgMCAQECAQMDAQMCAQMBAgMDAQEBAg=="}}`},
		{"demo.stock.v1.Stock/Pick", `{"items": [{"sku": "shuttle-oak", "quantity": 9}]}`, `{"value": [
			{"sku": "shuttle-oak", "name": "Boat shuttle, oak", "category": "CATEGORY_TOOL", "price": 3900, "available": 9}]}`},
		// Of the two rules of the tier, that of the trade takes off more than 8%.
		{"demo.pricing.v1.Pricing/Price", `{"basket": {"tier": "TIER_TRADE", "coupons": ["FIVER"], "lines": [
			{"sku": "shuttle-oak", "category": "tool", "quantity": 6, "price": 3900},
			{"sku": "yarn-weld", "category": "yarn", "quantity": 4, "price": 890}]}}`, `{"value": {"goods": 26960, "total": 20890, "tax": 3335,
			"discounts": [{"reason": "every fourth yarn-weld is free", "amount": 890}, {"reason": "20% on tools for the trade", "amount": 4680},
				{"reason": "coupon FIVER", "amount": 500}]}}`},
		// No basket costs less than nothing.
		{"demo.pricing.v1.Pricing/Price", `{"basket": {"tier": "TIER_GUEST", "coupons": ["LOOM10"], "lines": [
			{"sku": "heddle-wire", "category": "tool", "quantity": 2, "price": 95}]}}`,
			`{"value": {"goods": 190, "discounts": [{"reason": "coupon LOOM10", "amount": 190}]}}`},
	} {
		t.Run(c.method, func(t *testing.T) {
			m := method(t, client, c.method)
			got, err := m.Call(t.Context(), []byte(c.request))
			if err != nil {
				t.Fatal(err)
			}
			equal(t, m, got, []byte(c.response))
		})
	}
	place := method(t, client, "demo.checkout.v1.Checkout/Place")
	for form, want := range map[string][]string{
		"FORM_TEXT": {
			"\n5 x Wool yarn, indigo                      44.50\n", "\nevery fourth yarn-indigo is free           -8.90\n",
			"\nTotal                                      55.10\n", "1134510507",
		},
		"FORM_HTML": {"<h1>The Loom</h1>", "<tr><td>coupon FIVER<td>−5.00", `<path d="M10 0h2v40h-2z`, "1134510507"},
	} {
		t.Run(form, func(t *testing.T) {
			got, err := place.Call(t.Context(), []byte(`{"basket": {"customer": "Ada", "coupons": ["FIVER"], "form": "`+form+`", "items": [
				{"sku": "yarn-indigo", "quantity": 5}, {"sku": "book-loom", "quantity": 1}]}}`))
			if err != nil {
				t.Fatal(err)
			}
			var answer struct {
				Value struct {
					Total    string `json:"total"`
					Saved    string `json:"saved"`
					Document string `json:"document"`
				} `json:"value"`
			}
			if err := json.Unmarshal(got, &answer); err != nil {
				t.Fatal(err)
			}
			if answer.Value.Total != "5510" || answer.Value.Saved != "1390" {
				t.Errorf("total %s, saved %s; want 5510 and 1390", answer.Value.Total, answer.Value.Saved)
			}
			for _, words := range want {
				if !strings.Contains(answer.Value.Document, words) {
					t.Errorf("no %q in\n%s", words, answer.Value.Document)
				}
			}
		})
	}
	for _, r := range []struct {
		basket, detail string
		code           codes.Code
	}{
		{`"items": []`, `{"invalidArgument":"items: a basket has at least one"}`, codes.InvalidArgument},
		{`"items": [{"sku": "gold", "quantity": 1}]`, `{"notFound":"gold"}`, codes.NotFound},
		{`"items": [{"sku": "yarn-weld", "quantity": 1}], "coupons": ["X"]`, `{"notFound":"X"}`, codes.NotFound},
		{`"items": [{"sku": "yarn-weld", "quantity": 70}, {"sku": "yarn-weld", "quantity": 6}]`,
			`{"outOfStock":{"items":[{"sku":"yarn-weld","wanted":76,"available":75}]}}`, codes.FailedPrecondition},
	} {
		t.Run(r.detail, func(t *testing.T) {
			got := fails(t, place, `{"basket": {"customer": "Ada", `+r.basket+`}}`)
			if got.Code != r.code || len(got.Details) != 1 || string(got.Details[0].JSON) != r.detail {
				t.Errorf("%v %+v, want %v with %s", got.Code, got.Details, r.code, r.detail)
			}
		})
	}
}
