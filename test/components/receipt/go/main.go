// Command receipt is the component: what bench:receipt/till exports.
package main

import (
	"github.com/weft-run/weft/test/components/receipt/go/gen/bench/receipt/till"
	"github.com/weft-run/weft/test/components/receipt/go/receipt"
)

func init() { till.Export(component{}) }

func main() {}

type component struct{}

func (component) RingUp(bought []till.Line, percent uint32) till.Receipt {
	lines := make([]receipt.Line, len(bought))
	for i, l := range bought {
		lines[i] = receipt.Line{SKU: l.Sku, Cents: l.Cents, Count: l.Count}
	}
	r := receipt.RingUp(lines, percent)
	return till.Receipt{Total: r.Total, Tax: r.Tax, Text: r.Text}
}
