package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// part is a function of the shop in examples/shop.
type part struct{ name, language string }

// shop is all of them. Whoever is called comes before its callers.
var shop = []part{{"barcode", "C"}, {"receipts", "TypeScript"}, {"stock", "Rust"}, {"pricing", "Python"}, {"checkout", "Go"}}

// The order that everybody places, and what comes of it. The programs in examples/shop/clients place one of 500 skeins too.
const (
	checkoutOrder = `{"basket": {
  "customer": "Ada",
  "items": [{"sku": "yarn-indigo", "quantity": 5}, {"sku": "book-loom", "quantity": 1}],
  "coupons": ["FIVER"]
}}`
	receiptNumber = "1134510507"
	clientsSay    = "receipt " + receiptNumber + ": 5510 cents, 1390 saved\nrefused: 500 x yarn-indigo, there are 240\n"
)

// polyglot shows one service that is made of functions in five languages.
func polyglot(ctx context.Context, scratch string) (err error) {
	title("A node: one process for all languages")
	node, err := startNode(ctx, "demo", filepath.Join(scratch, "data"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, node.stop()) }()
	shell := &shell{addr: node.grpc}

	for _, p := range shop {
		title("%s: a component written in %s, deployed", p.name, p.language)
		if err := shell.run(ctx, "weft", "deploy", "build/components/"+p.name+".wasm", "--name", p.name,
			"--wit", "examples/shop/"+p.name+"/wit", "--wait", "1m"); err != nil {
			return err
		}
	}
	title("Who calls whom, by the imports")
	if err := shell.run(ctx, "weft", "describe", "checkout"); err != nil {
		return err
	}
	for _, language := range []string{"go", "python", "typescript", "java"} {
		title("An order from %s: stubs by weft sdk, and the client in clients/%s", language, language)
		if err := shell.order(ctx, language, filepath.Join(scratch, language)); err != nil {
			return err
		}
	}
	title("The way of one call through five languages")
	if err := shell.trace(ctx); err != nil {
		return err
	}
	title("A function that others call stays")
	return shell.refuses(ctx, "checkout", "weft", "delete", "stock")
}

// order has the program in a language place its orders, and checks what it says.
func (s *shell) order(ctx context.Context, language, dir string) error {
	args := []string{"examples/shop/clients/run.sh", language, dir}
	prompt(args)
	said, err := s.output(ctx, args...)
	if err != nil {
		return err
	}
	fmt.Print(said)
	if said != clientsSay {
		return fmt.Errorf("the program in %s says %q, not %q", language, said, clientsSay)
	}
	return nil
}

// refuses runs a command that has to fail, with a message that has a word.
func (s *shell) refuses(ctx context.Context, word string, args ...string) error {
	prompt(args)
	var said strings.Builder
	err := s.separately(ctx, os.Stdout, &said, "", args...)
	fmt.Print(said.String())
	if err == nil || !strings.Contains(said.String(), word) {
		return fmt.Errorf("%s is not refused for %s", strings.Join(args, " "), word)
	}
	return nil
}

// step is a call between functions, as weft call --trace tells of it.
type step struct {
	caller, callee string
	took           time.Duration
}

var (
	stepLine = regexp.MustCompile(`(?m)^ +\S+/(\S+)@\d+ > \S+/(\S+)@\d+ .*\btook=(\d+us)`)
	ranLine  = regexp.MustCompile(`(?m)^checkout@\d+ .*\brun=(\d+us)`)
)

// trace places the order, and prints the receipt, which functions made it, and in which time.
func (s *shell) trace(ctx context.Context) error {
	args := []string{"weft", "call", "--trace", "demo.checkout.v1.Checkout/Place", checkoutOrder}
	prompt(args)
	var out, said strings.Builder
	if err := s.separately(ctx, &out, &said, "", args...); err != nil {
		return fmt.Errorf("%w\n%s", err, said.String())
	}
	var answer struct {
		Value struct {
			Number   string `json:"number"`
			Document string `json:"document"`
		} `json:"value"`
	}
	if err := json.Unmarshal([]byte(out.String()), &answer); err != nil {
		return err
	}
	fmt.Printf("%s\n%s\n", said.String(), answer.Value.Document)
	if answer.Value.Number != receiptNumber {
		return fmt.Errorf("the receipt is %s, not %s", answer.Value.Number, receiptNumber)
	}
	steps, err := steps(said.String())
	if err != nil {
		return err
	}
	var way []string
	for _, st := range steps[1:] {
		way = append(way, st.caller+" > "+st.callee)
	}
	want := []string{"checkout > stock", "checkout > pricing", "checkout > receipts", "receipts > barcode"}
	if !slices.Equal(way, want) {
		return fmt.Errorf("the call went %v, not %v", way, want)
	}
	draw(steps, "", "")
	return nil
}

// draw prints the steps that a function is called in, and below each those that it makes.
func draw(steps []step, caller, indent string) {
	for _, st := range steps {
		if st.caller != caller {
			continue
		}
		i := slices.IndexFunc(shop, func(p part) bool { return p.name == st.callee })
		fmt.Printf("%-16s%-12s%7.2f ms\n", indent+st.callee, shop[i].language, float64(st.took.Microseconds())/1000)
		draw(steps, st.callee, indent+"  ")
	}
}

// steps reads them from a trace, that of checkout itself first.
func steps(trace string) ([]step, error) {
	ran := ranLine.FindStringSubmatch(trace)
	if ran == nil {
		return nil, errors.New("the trace does not tell how long checkout ran")
	}
	lines := append([][]string{{"", "", "checkout", ran[1]}}, stepLine.FindAllStringSubmatch(trace, -1)...)
	all := make([]step, len(lines))
	for i, m := range lines {
		took, err := time.ParseDuration(m[3])
		if err != nil {
			return nil, err
		}
		all[i] = step{caller: m[1], callee: m[2], took: took}
	}
	return all, nil
}
