// Package receipt makes receipts. It is plain Go, without WebAssembly.
package receipt

import (
	"fmt"
	"strings"
)

// Line is something that was bought.
type Line struct {
	SKU          string
	Cents, Count uint32
}

// Receipt is what is to be paid, in cents, and how it is printed.
type Receipt struct {
	Total, Tax uint64
	Text       string
}

// RingUp adds up what was bought, with a tax in percent.
func RingUp(lines []Line, percent uint32) Receipt {
	var text strings.Builder
	var net uint64
	for _, l := range lines {
		price := uint64(l.Cents) * uint64(l.Count)
		net += price
		fmt.Fprintf(&text, "%d %s %s\n", l.Count, l.SKU, money(price))
	}
	tax := (net*uint64(percent) + 50) / 100
	fmt.Fprintf(&text, "tax %d%% %s\ntotal %s\n", percent, money(tax), money(net+tax))
	return Receipt{Total: net + tax, Tax: tax, Text: text.String()}
}

func money(cents uint64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }
