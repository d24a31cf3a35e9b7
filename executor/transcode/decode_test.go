package transcode_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/weft-run/weft/executor/transcode"
	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit/wittest"
)

const shop = `
	package demo:shop@1.0.0 { interface shop {
		enum level { low, high }
		flags perms { read, write }
		record point { x: s32, y: s32 }
		variant shape { rect(tuple<point, point>), label(string), none-at-all, codes(list<u8>) }
		record item { name: string, at: point, level: level, perms: perms, kids: list<shape>, initial: char }
		place: func(v: item) -> bool;
		numbers: func(a: u8, b: s8, c: u16, d: s16, e: u32, f: s64, g: bool, h: f32);
		lists: func(bytes: list<u8>, small: list<u8>, words: list<u16>, floats: list<f64>, names: list<string>,
			grid: list<list<s32>>, levels: list<level>, chars: list<char>);
		maybe: func(a: option<option<u8>>, b: option<list<string>>, r: result<u8, string>);
	} }
	world w { export demo:shop/shop@1.0.0; }`

// TestRefused sends what protobuf or the types do not allow.
func TestRefused(t *testing.T) {
	b := bind(t, wittest.MustParse(shop))
	defer b.plans.Close()
	good := item("\x0a\x01n", "\x12\x00", "\x18\x01", "\x32\x01i")
	for _, c := range []struct {
		name, method, message, want string
	}{
		{"no message", "Place", "", "v: required"},
		{"no protobuf", "Place", "hello", "not protobuf"},
		{"truncated tag", "Place", "\x80", "not protobuf: truncated at byte 1"},
		{"truncated length", "Place", "\x0a", "v: not protobuf: truncated at byte 1"},
		{"length over the end", "Place", "\x0a\x05abc", "v: not protobuf: a length of 5 at byte 1, where 3 bytes are left"},
		{"length of 2^63", "Place", "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "v: not protobuf: a length of"},
		{"endless varint", "Numbers", "\x08" + strings.Repeat("\xff", 11), "a: not protobuf: the varint at byte 1 is longer than 64 bits"},
		{"field number 0", "Place", "\x00\x00", "not protobuf: field number 0"},
		{"field number 2^29", "Place", "\x80\x80\x80\x80\x10\x00", "not protobuf: field number 536870912"},
		{"wire type 6", "Numbers", "\x7e\x00", "not protobuf: wire type 6"},
		{"wire type of another type", "Place", "\x08\x01", "v: wire type 0 (a varint), where its type has 2 (length-delimited)"},
		{"wire type in a list", "Lists", "\x1d\x01\x00\x00\x00", "words: wire type 5"},
		{"group for a message", "Place", "\x0b\x0c", "v: wire type 3 (a group)"},
		{"end of no group", "Place", "\x7c", "not protobuf: a group ends at byte 1 that never began"},
		{"end of another group", "Place", "\x7b\x74", "not protobuf: group 15 ends as 14"},
		{"1,000 groups", "Place", strings.Repeat("\x7b", 1000) + strings.Repeat("\x7c", 1000), "not accepted: more than 100 groups"},
		{"truncated group", "Place", "\x7b\x08\x01", "not protobuf: truncated"},

		{"no record", "Place", item("\x0a\x01n", "\x18\x01", "\x32\x01i"), "v.at: required, and not there"},
		{"no enum", "Place", item("\x12\x00", "\x32\x01i"), "v.level: required, and not there"},
		{"enum of 0", "Place", item("\x12\x00", "\x18\x00", "\x32\x01i"), "v.level: the enum is unspecified"},
		{"unknown enum", "Place", item("\x12\x00", "\x18\x07", "\x32\x01i"), "v.level: 7 is no number of the enum"},
		{"negative enum", "Place", item("\x12\x00", "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\x32\x01i"), "v.level: -1 is no number of the enum"},
		{"no char", "Place", item("\x12\x00", "\x18\x01"), "v.initial: required, and not there"},
		{"char of two", "Place", item("\x12\x00", "\x18\x01", "\x32\x02ab"), "v.initial: a char is a string of exactly one character, not of 2"},
		{"char of none", "Place", item("\x12\x00", "\x18\x01", "\x32\x00"), "v.initial: a char is a string of exactly one character, not of 0"},
		{"char not UTF-8", "Place", item("\x12\x00", "\x18\x01", "\x32\x01\xff"), "v.initial: not UTF-8"},
		{"surrogate", "Place", item("\x12\x00", "\x18\x01", "\x32\x03\xed\xa0\x80"), "v.initial: not UTF-8"},
		{"string not UTF-8", "Place", item("\x0a\x02a\xff", "\x12\x00", "\x18\x01", "\x32\x01i"), "v.name: not UTF-8"},
		{"unset oneof", "Place", item("\x12\x00", "\x18\x01", "\x2a\x00", "\x32\x01i"), "v.kids[0]: no case is set"},
		{"deep in a list", "Place", item("\x12\x00", "\x18\x01", "\x2a\x02\x1a\x00\x2a\x02\x12\x00\x2a\x04\x0a\x02\x12\x00", "\x32\x01i"),
			"v.kids[2].rect.f0: required, and not there"},
		{"payload of a case without", "Place", item("\x12\x00", "\x18\x01", "\x2a\x03\x1a\x01\xff", "\x32\x01i"), "v.kids[0].none_at_all: not protobuf"},

		{"u8 of 256", "Numbers", "\x08\x80\x02", "a: 256 is no u8"},
		{"s8 of 128", "Numbers", "\x10\x80\x01", "b: 128 is no s8"},
		{"s8 of -129", "Numbers", "\x10\xff\xfe\xff\xff\xff\xff\xff\xff\xff\x01", "b: -129 is no s8"},
		{"u16 of 65536", "Numbers", "\x18\x80\x80\x04", "c: 65536 is no u16"},
		{"s16 of 32768", "Numbers", "\x20\x80\x80\x02", "d: 32768 is no s16"},
		{"u16 in a list", "Lists", "\x1a\x04\x01\x80\x80\x04", "words[1]: 65536 is no u16"},
		{"truncated packed list", "Lists", "\x1a\x02\x01\x80", "words: not protobuf: truncated at byte 4"},
		{"half a double", "Lists", "\x22\x04\x01\x02\x03\x04", "floats: not protobuf: 4 bytes at byte 2 do not hold values of 8 bytes"},
		{"list of lists", "Lists", "\x32\x02\x0a\x00\x32\x02\x08\x80", "grid[1].items: not protobuf: truncated"},
		{"enum in a list", "Lists", "\x3a\x02\x01\x00", "levels[1]: the enum is unspecified"},
		{"char in a scattered list", "Lists", "\x42\x01a\x0a\x00\x42\x02ab", "chars[1]: a char is"},
		{"unset result", "Maybe", "\x1a\x00", "r: no case is set"},
		{"after a good field", "Place", good + "\x0a\x02\x18\x09", "v.level: 9 is no number"},
	} {
		t.Run(c.name, func(t *testing.T) {
			arena := wasmtime.NewArena()
			defer arena.Free()
			plan := b.plans.Method("demo.shop.v1.Shop", c.method)
			_, err := plan.Decode([]byte(c.message), arena)
			var refused *transcode.Error
			if !errors.As(err, &refused) || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("error is %v, want %s", err, c.want)
			}
			if _, err := plan.Decode([]byte(goodFor[c.method](good)), arena); err != nil {
				t.Errorf("the next request: %v", err)
			}
		})
	}
}

// goodFor has a good request for each method.
var goodFor = map[string]func(string) string{
	"Place":   func(good string) string { return good },
	"Numbers": func(string) string { return "" },
	"Lists":   func(string) string { return "" },
	"Maybe":   func(string) string { return "\x1a\x02\x08\x07" },
}

// item makes a PlaceRequest out of the fields of its item.
func item(fields ...string) string {
	return string(protowire.AppendString([]byte("\x0a"), strings.Join(fields, "")))
}

// TestAmplification sends few bytes that would become many values.
func TestAmplification(t *testing.T) {
	var fields strings.Builder
	for i := range 200 {
		fmt.Fprintf(&fields, "f%d: u8,", i)
	}
	b := bind(t, wittest.MustParse(`package demo:wide { interface wide { record wide { `+fields.String()+` } take: func(v: list<wide>); bytes: func(v: list<u8>); } }
		world w { export demo:wide/wide; }`))
	defer b.plans.Close()
	arena := wasmtime.NewArena()
	defer arena.Free()
	const limit = 64<<20 + 64<<20
	_, err := b.plans.Method("demo.wide.Wide", "Take").Decode(bytes.Repeat([]byte("\x0a\x00"), 1<<19), arena)
	if err == nil || !strings.Contains(err.Error(), "more values than fit 128 MiB") || !strings.HasPrefix(err.Error(), "v[") {
		t.Errorf("error is %v", err)
	}
	if arena.Size() > limit+limit/8 {
		t.Errorf("the values of a request of 1 MiB take %d MiB", arena.Size()>>20)
	}
	arena.Reset()
	content := make([]byte, 4<<20)
	message := protowire.AppendBytes([]byte("\x0a"), content)
	if _, err := b.plans.Method("demo.wide.Wide", "Bytes").Decode(message, arena); err != nil {
		t.Errorf("4 MiB of bytes: %v", err)
	}
}

// TestScatteredPieces has a message in a million pieces, deep down: neither time nor memory may explode.
func TestScatteredPieces(t *testing.T) {
	types := "record r0 { a: u8, b: list<u8> }\n"
	for i := 1; i <= 30; i++ {
		types += fmt.Sprintf("record r%d { a: r%d, b: option<r%d>, l: list<u16> }\n", i, i-1, i-1)
	}
	b := bind(t, wittest.MustParse("package demo:deep { interface deep { "+types+" take: func(v: r30); } } world w { export demo:deep/deep; }"))
	defer b.plans.Close()
	message := []byte("\x08\x01")
	for range 31 { // each level in two pieces, and the same again
		piece := protowire.AppendBytes([]byte("\x0a"), message)
		message = append(append([]byte("\x0a\x00"), piece...), "\x1a\x01\x01\x20\x00\x18\x02"...)
	}
	arena := wasmtime.NewArena()
	defer arena.Free()
	plan := b.plans.Method("demo.deep.Deep", "Take")
	message = message[:len(message)-7] // no list in the request itself
	args, err := plan.Decode(message, arena)
	if err != nil {
		t.Fatal(err)
	}
	v := args.At(0)
	for range 30 {
		if n := v.Fields().At(2).List().Len(); n != 2 {
			t.Fatalf("a list has %d elements, want 2", n)
		}
		v = v.Fields().At(0)
	}
	if got := v.Fields().At(0).U8(); got != 1 {
		t.Errorf("the innermost value is %d, want 1", got)
	}
	if _, err := plan.Decode(bytes.Repeat([]byte("\x0a\x02\x0a\x00"), 1<<18), arena); err == nil {
		t.Error("a message without its innermost value was accepted")
	}
}
