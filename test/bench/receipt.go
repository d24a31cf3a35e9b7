package main

import (
	"fmt"
	"strconv"

	"google.golang.org/protobuf/proto"

	receiptv1 "github.com/weft-run/weft/test/bench/proto/bench/receipt/v1"
)

// receipt is what the function in every language is asked.
var receipt = &receiptv1.RingUpRequest{Percent: 19, Lines: []*receiptv1.Line{
	{Sku: "book-loom", Cents: 1999, Count: 2},
	{Sku: "pen", Cents: 120, Count: 3},
	{Sku: "notebook-a5", Cents: 450, Count: 10},
	{Sku: "tea-earl-grey", Cents: 899, Count: 1},
	{Sku: "stamp", Cents: 85, Count: 20},
}}

// receiptAnswer is what all of them must say: total, tax and text, as the programs print it.
const receiptAnswer = `13634 2177
2 book-loom 39.98
3 pen 3.60
10 notebook-a5 45.00
1 tea-earl-grey 8.99
20 stamp 17.00
tax 19% 21.77
total 136.34

`

// receiptArguments are the request as the arguments of a program.
func receiptArguments() []string {
	args := []string{strconv.FormatUint(uint64(receipt.GetPercent()), 10)}
	for _, l := range receipt.GetLines() {
		args = append(args, fmt.Sprintf("%s:%d:%d", l.GetSku(), l.GetCents(), l.GetCount()))
	}
	return args
}

// checkMessage checks the answer of a function.
func checkMessage(message []byte) error {
	var response receiptv1.RingUpResponse
	if err := proto.Unmarshal(message, &response); err != nil {
		return err
	}
	r := response.GetValue()
	return checkText(fmt.Sprintf("%d %d\n%s\n", r.GetTotal(), r.GetTax(), r.GetText()))
}

// checkText checks the answer of a program.
func checkText(text string) error {
	if text != receiptAnswer {
		return fmt.Errorf("the answer is %q; it should be %q", text, receiptAnswer)
	}
	return nil
}
