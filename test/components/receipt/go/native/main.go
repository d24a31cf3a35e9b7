// Command native is the same as a program: native PERCENT SKU:CENTS:COUNT...
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/weft-run/weft/test/components/receipt/go/receipt"
)

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	var lines []receipt.Line
	for _, argument := range os.Args[2:] {
		fields := strings.Split(argument, ":")
		if len(fields) != 3 {
			usage()
		}
		lines = append(lines, receipt.Line{SKU: fields[0], Cents: number(fields[1]), Count: number(fields[2])})
	}
	r := receipt.RingUp(lines, number(os.Args[1]))
	fmt.Printf("%d %d\n%s\n", r.Total, r.Tax, r.Text)
}

func number(text string) uint32 {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		usage()
	}
	return uint32(n)
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: native PERCENT SKU:CENTS:COUNT...")
	os.Exit(2)
}
