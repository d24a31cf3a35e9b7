package main

import (
	"context"
	"fmt"
)

// example is a component and the calls that show it.
type example struct {
	name, language string
	// weft and grpcurl are one method each, with a request in JSON.
	weft, grpcurl request
}

type request struct{ method, json string }

var examples = []example{
	{
		name:     "orders",
		language: "Rust",
		weft: request{"demo.orders.v1.Orders/Quote", `{
  "order": {
    "customer": "Ada",
    "items": [{"sku": "yarn-indigo", "quantity": 4}, {"sku": "book-loom", "quantity": 1}],
    "delivery": {"parcel": {"name": "Ada", "street": "Jacquardstr. 1", "city": "Chemnitz", "country": "DE"}},
    "discounts": [{"percent": 10}, {"coupon": "FIVER"}]
  }
}`},
		grpcurl: request{"demo.orders.v1.Orders/Place", `{
  "order": {
    "customer": "Ada",
    "items": [{"sku": "card-25", "quantity": 2}],
    "delivery": {"email": "ada@example.org"},
    "note": "Happy birthday!"
  }
}`},
	},
	{
		name:     "text",
		language: "JavaScript",
		weft: request{"demo.text.v1.Text/Markdown", `{
  "source": "# weft\n\nTyped functions, ~~somewhere~~ **anywhere**.",
  "extensions": {"anchors": true, "strikethrough": true}
}`},
		grpcurl: request{"demo.text.v1.Text/Fill", `{
  "template": "Dear {{name}},\n{{#goods}}- {{.}}\n{{/goods}}are on their way.",
  "bindings": [
    {"name": "name", "value": {"text": "Ada"}},
    {"name": "goods", "value": {"items": {"items": ["indigo yarn", "a loom"]}}}
  ],
  "escaping": "ESCAPING_NONE"
}`},
	},
	{
		name:     "stats",
		language: "Python",
		weft: request{"demo.stats.v1.Stats/Outliers", `{
  "series": [12, 14, 13, 15, 14, 98, 13],
  "rule": {"fences": 1.5}
}`},
		grpcurl: request{"demo.stats.v1.Stats/Unpack", `{
  "data": "AQACAAMA/38=",
  "encoding": "ENCODING_INT16"
}`},
	},
}

func (e example) deploy() []string {
	return []string{
		"weft", "deploy", fmt.Sprintf("build/components/%s.wasm", e.name), "--name", e.name,
		"--wit", fmt.Sprintf("examples/%s/wit", e.name),
	}
}

func (e example) call(ctx context.Context, shell *shell) error {
	if err := shell.run(ctx, "weft", "call", e.weft.method, e.weft.json); err != nil {
		return err
	}
	return shell.run(ctx, "grpcurl", "-plaintext", "-d", e.grpcurl.json, shell.addr, e.grpcurl.method)
}
