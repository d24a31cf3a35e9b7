package conformance

import (
	"bytes"
	"encoding/json"
	"image/png"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
)

const order = `{"order": {"customer": "Ada", "items": [{"sku": "yarn-indigo", "quantity": 4}, {"sku": "book-loom", "quantity": 1}],
	"delivery": {"parcel": {"name": "Ada", "street": "Jacquardstr. 1", "city": "Chemnitz", "country": "DE"}},
	"discounts": [{"percent": 10}, {"coupon": "FIVER"}]}}`

var orders = []call{
	// 4 x 8.90 + 24.50 = 60.10; 10% and 5.00 off: 11.01. Of the rest 29.08 at 19% and 20.01 at 7%; shipping of 1.18 kg
	// 6.10 at 19%.
	{"demo.orders.v1.Orders/Quote", order, `{"value": {
		"lines": [
			{"sku": "yarn-indigo", "name": "Wool yarn, indigo, 100 g", "quantity": 4, "price": 890, "total": 3560},
			{"sku": "book-loom", "name": "The Loom: A History", "quantity": 1, "price": 2450, "total": 2450}],
		"goods": 6010, "discount": 1101, "shipping": 610, "tax": 809, "total": 6328}}`},
	{"demo.orders.v1.Orders/Find", `{"sku": "card-25"}`,
		`{"value": {"sku": "card-25", "name": "Gift card 25.00", "price": 2500, "tax": "TAX_CLASS_EXEMPT", "stock": 1000}}`},
	{"demo.orders.v1.Orders/Check", `{"order": {"customer": " ", "items": [{"sku": "yarn-madder", "quantity": 1}, {"sku": "x"}],
		"delivery": {"email": "nobody"}, "discounts": [{"percent": 101}]}}`, `{"value": [
		{"invalidArgument": {"field": "customer", "reason": "must not be empty"}},
		{"invalidArgument": {"field": "items[1].quantity", "reason": "must be at least 1"}},
		{"notFound": "x"},
		{"outOfStock": {"sku": "yarn-madder", "wanted": 1}},
		{"invalidArgument": {"field": "delivery.email", "reason": "must be an address"}},
		{"invalidArgument": {"field": "items[0].sku", "reason": "can not be sent by mail: it has weight"}},
		{"invalidArgument": {"field": "discounts[0]", "reason": "must be 1 to 100 percent"}}]}`},
}

var texts = []call{
	{"demo.text.v1.Text/Markdown", `{"source": "# A *b*\n\nc ~~d~~ <e>", "extensions": {"strikethrough": true}}`, `{"value": {
		"html": "<h1>A <em>b</em></h1>\n<p>c <del>d</del> &lt;e&gt;</p>", "title": "A b",
		"headings": [{"level": 1, "text": "A b", "anchor": "a-b"}], "words": 5}}`},
	{"demo.text.v1.Text/Fill", `{"template": "{{name}}:{{#goods}} {{.}}{{/goods}}{{^paid}} unpaid{{/paid}}", "escaping": "ESCAPING_HTML",
		"bindings": [{"name": "name", "value": {"text": "A&B"}}, {"name": "goods", "value": {"items": {"items": ["x", "y"]}}},
			{"name": "paid", "value": {"condition": false}}]}`, `{"value": "A&amp;B: x y unpaid"}`},
	{"demo.text.v1.Text/Csv", `{"source": "a;b\n1;\"x\n\"\"y\"\n", "dialect": {"delimiter": ";", "header": true}}`,
		`{"value": {"header": {"items": ["a", "b"]}, "rows": [{"items": ["1", "x\n\"y"]}]}}`},
	{"demo.text.v1.Text/Slug", `{"title": "Crème brûlée, twice!", "limit": 12}`, `{"value": "creme-brulee"}`},
}

var stats = []call{
	{"demo.stats.v1.Stats/Summarize", `{"series": [4, 1, 2, 2, 6]}`, `{"value": {"count": 5, "range": {"lowest": 1, "highest": 6},
		"mean": 3, "median": 2, "quartiles": {"f0": 2, "f1": 2, "f2": 4}, "deviation": 2, "mode": 2}}`},
	{"demo.stats.v1.Stats/Summarize", `{"series": [4]}`, `{"value": {"count": 1, "range": {"lowest": 4, "highest": 4},
		"mean": 4, "median": 4, "quartiles": {"f0": 4, "f1": 4, "f2": 4}}}`},
	{"demo.stats.v1.Stats/Histogram", `{"series": [0, 1, 2, 3, 4], "bins": 2}`, `{"value": [
		{"range": {"lowest": 0, "highest": 2}, "count": 2}, {"range": {"lowest": 2, "highest": 4}, "count": 3}]}`},
	{"demo.stats.v1.Stats/Fit", `{"points": [{"f0": 0, "f1": 1}, {"f0": 2, "f1": 5}]}`,
		`{"value": {"slope": 2, "intercept": 1, "correlation": 1}}`},
	{"demo.stats.v1.Stats/Outliers", `{"series": [12, 14, 13, 98, 13], "rule": {"fences": 1.5}}`, `{"value": [{"f0": 3, "f1": 98}]}`},
	{"demo.stats.v1.Stats/Unpack", `{"data": "AQACAP//", "encoding": "ENCODING_INT16"}`, `{"value": [1, 2, -1]}`},
}

// sales is "city,price\nKiel,8\nUlm,9\nKiel,1\n", and a line of JSON.
const sales = `{"name": "north", "format": "FORMAT_CSV", "data": "Y2l0eSxwcmljZQpLaWVsLDgKVWxtLDkKS2llbCwxCg=="},
	{"name": "south", "format": "FORMAT_JSON_LINES", "data": "eyJjaXR5IjoiVWxtIiwicHJpY2UiOjIuNX0K"}`

var reports = []call{
	{"demo.report.v1.Report/Query", `{"sources": [` + sales + `], "steps": [
		{"keep": {"column": "price", "is": "COMPARISON_GREATER", "value": "1"}},
		{"group": {"by": ["city"], "values": [{"function": "FUNCTION_COUNT", "name": "n"},
			{"column": "price", "function": "FUNCTION_SUM", "name": "total"}]}},
		{"sort": {"f0": "total", "f1": "ORDER_DESCENDING"}}]}`,
		`{"value": {"columns": ["city", "n", "total"], "rows": [{"items": ["Ulm", "2", "11.5"]}, {"items": ["Kiel", "1", "8"]}]}}`},
	{"demo.report.v1.Report/Render", `{"template": "{{range .Rows}}{{.city}}: {{.price}}, {{end}}all {{sum \"price\" .Rows}}", "table": {
		"columns": ["city", "price"], "rows": [{"items": ["Kiel", "8"]}, {"items": ["Ulm", "9"]}]}}`, `{"value": "Kiel: 8, Ulm: 9, all 17"}`},
}

var checksums = []call{
	// The check values of the algorithms: of the bytes "123456789".
	{"demo.checksum.v1.Checksum/Sum", `{"data": "MTIzNDU2Nzg5", "algorithm": "ALGORITHM_CRC32"}`, `{"value": "3421780262"}`},
	{"demo.checksum.v1.Checksum/Sum", `{"data": "MTIzNDU2Nzg5", "algorithm": "ALGORITHM_CRC32C"}`, `{"value": "3808858755"}`},
	{"demo.checksum.v1.Checksum/Sum", `{"data": "MTIzNDU2Nzg5", "algorithm": "ALGORITHM_ADLER32"}`, `{"value": "152961502"}`},
	{"demo.checksum.v1.Checksum/Sums", `{"parts": ["", "YQ=="], "algorithm": "ALGORITHM_FNV1A"}`,
		`{"value": ["14695981039346656037", "12638187200555641996"]}`},
	{"demo.checksum.v1.Checksum/Sha256", `{"data": "YWJj"}`, `{"value": "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="}`},
	{"demo.checksum.v1.Checksum/Verify", `{"data": "YWJj", "expected": {"sha256": "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="}}`, `{}`},
}

var formulas = []call{
	{"demo.formulas.v1.Formulas/Evaluate", `{"cells": [{"name": "A4", "source": "=SUM(A1:A3) & \" EUR\""}, {"name": "A1", "source": "12.5"},
		{"name": "A2", "source": "=A1 * 2"}, {"name": "A3", "source": "=IF(A2 > A1, ROUND(10 / 3, 2), A1 / 0)"},
		{"name": "B1", "source": "=A4 + 1"}, {"name": "B2", "source": "=B1 = 1"}, {"name": "B3", "source": "=A2 <> A1"}]}`, `{"value": [
		{"name": "A4", "value": {"text": "40.83 EUR"}}, {"name": "A1", "value": {"number": 12.5}}, {"name": "A2", "value": {"number": 25}},
		{"name": "A3", "value": {"number": 3.33}}, {"name": "B1", "value": {"error": "\"40.83 EUR\" is no number"}},
		{"name": "B2", "value": {"error": "\"40.83 EUR\" is no number"}}, {"name": "B3", "value": {"logical": true}}]}`},
	{"demo.formulas.v1.Formulas/Reads", `{"formula": "=SUM(Z1:AA2) + b7 * Z1"}`, `{"value": ["Z1", "AA1", "Z2", "AA2", "B7"]}`},
}

func TestExamples(t *testing.T) {
	client := start(t,
		deployment{name: "orders", wit: "examples/orders/wit"},
		deployment{name: "text", wit: "examples/text/wit"},
		deployment{name: "formulas", wit: "examples/formulas/wit"},
		deployment{name: "stats", wit: "examples/stats/wit"},
		deployment{name: "report", wit: "examples/report/wit"},
		deployment{name: "checksum", wit: "examples/checksum/wit"},
	)
	for _, table := range [][]call{orders, texts, formulas, stats, reports, checksums} {
		for _, c := range table {
			t.Run(c.method, func(t *testing.T) {
				m := method(t, client, c.method)
				got, err := m.Call(t.Context(), []byte(c.request))
				if err != nil {
					t.Fatal(err)
				}
				equal(t, m, got, []byte(c.response))
			})
		}
	}
	t.Run("an example has one service", func(t *testing.T) {
		for name, service := range map[string]string{
			"orders": "demo.orders.v1.Orders", "text": "demo.text.v1.Text", "stats": "demo.stats.v1.Stats",
			"formulas": "demo.formulas.v1.Formulas", "report": "demo.report.v1.Report", "checksum": "demo.checksum.v1.Checksum",
		} {
			f, err := client.Get(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			if s := f.GetFunction().GetServices(); len(s) != 1 || s[0].GetName() != service {
				t.Errorf("%s has %v, want %s alone", name, s, service)
			}
		}
	})
	refused := []struct {
		call

		code codes.Code
	}{
		{call{"demo.orders.v1.Orders/Place", strings.ReplaceAll(order, "yarn-indigo", "yarn-gold"), `{"notFound":"yarn-gold"}`},
			codes.NotFound},
		{call{"demo.orders.v1.Orders/Place", strings.ReplaceAll(order, "yarn-indigo", "yarn-madder"),
			`{"outOfStock":{"sku":"yarn-madder","wanted":4,"available":0}}`}, codes.FailedPrecondition},
		{call{"demo.text.v1.Text/Fill", `{"template": "{{a}}", "escaping": "ESCAPING_NONE"}`, `{"notFound":"a"}`}, codes.NotFound},
		{call{"demo.text.v1.Text/Csv", `{"source": "a\nb,c", "dialect": {"delimiter": ","}}`,
			`{"uneven":{"f0":2,"f1":1,"f2":2}}`}, codes.FailedPrecondition},
		{call{"demo.formulas.v1.Formulas/Evaluate", `{"cells": [{"name": "A1", "source": "=A2"}, {"name": "A2", "source": "=-A1"}]}`,
			`{"circular":{"items":["A1","A2","A1"]}}`}, codes.FailedPrecondition},
		{call{"demo.formulas.v1.Formulas/Evaluate", `{"cells": [{"name": "A1", "source": "=2 +"}]}`,
			`{"invalidArgument":{"cell":"A1","position":4,"reason":"something is missing"}}`}, codes.InvalidArgument},
		{call{"demo.stats.v1.Stats/Histogram", `{"series": [1], "bins": 1001}`,
			`{"outOfRange":{"f0":"bins","f1":{"lowest":1,"highest":1000}}}`}, codes.OutOfRange},
		{call{"demo.report.v1.Report/Query", `{"sources": [` + sales + `], "steps": [{"sort": {"f0": "weight", "f1": "ORDER_ASCENDING"}}]}`,
			`{"notFound":"weight"}`}, codes.NotFound},
		{call{"demo.report.v1.Report/Query", `{"sources": [` + sales + `], "steps": [{"group": {"values": [
			{"column": "city", "function": "FUNCTION_MEAN", "name": "x"}]}}]}`, `{"notANumber":{"f0":"city","f1":"Kiel"}}`},
			codes.FailedPrecondition},
		{call{"demo.checksum.v1.Checksum/Verify", `{"data": "YWJj", "expected": {"sum": {"f0": "ALGORITHM_ADLER32", "f1": "1"}}}`,
			`{"dataLoss":"24d0127"}`}, codes.DataLoss},
		{call{"demo.checksum.v1.Checksum/Verify", `{"expected": {"sha256": "AA=="}}`,
			`{"invalidArgument":"a SHA-256 has 32 bytes, not 1"}`}, codes.InvalidArgument},
		{call{"demo.stats.v1.Stats/Unpack", `{"data": "AQAC", "encoding": "ENCODING_INT16"}`, `{"truncated":1}`},
			codes.FailedPrecondition},
	}
	for _, r := range refused {
		t.Run(r.method+" refused", func(t *testing.T) {
			got := fails(t, method(t, client, r.method), r.request)
			if got.Code != r.code || len(got.Details) != 1 || string(got.Details[0].JSON) != r.response {
				t.Errorf("%v %+v, want %v with %s", got.Code, got.Details, r.code, r.response)
			}
		})
	}
	t.Run("placing an order twice gives one receipt", func(t *testing.T) {
		m := method(t, client, "demo.orders.v1.Orders/Place")
		first, err := m.Call(t.Context(), []byte(order))
		if err != nil {
			t.Fatal(err)
		}
		second, err := m.Call(t.Context(), []byte(order))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, second) {
			t.Errorf("%s, then %s", first, second)
		}
	})
	t.Run("a chart is an image", func(t *testing.T) {
		for _, style := range []string{"LINES", "BARS", "DOTS"} {
			m := method(t, client, "demo.stats.v1.Stats/Chart")
			got, err := m.Call(t.Context(), []byte(`{"series": [3, 1, 4, 1, 5], "size": {"f0": 64, "f1": 32}, "style": "STYLE_`+style+`",
				"color": {"f0": 255}}`))
			if err != nil {
				t.Fatal(err)
			}
			var answer struct {
				Value []byte `json:"value"`
			}
			if err := json.Unmarshal(got, &answer); err != nil {
				t.Fatal(err)
			}
			image, err := png.Decode(bytes.NewReader(answer.Value))
			if err != nil {
				t.Fatal(err)
			}
			if size := image.Bounds().Size(); size.X != 64 || size.Y != 32 {
				t.Errorf("%s: %v, want 64x32", style, size)
			}
			if r, g, _, _ := image.At(62, 1).RGBA(); r != 0xffff || g != 0 {
				t.Errorf("%s: the highest value, at the right, is not drawn", style)
			}
		}
	})
}
