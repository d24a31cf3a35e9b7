package executor

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/weft-run/weft/executor/wasmtime"
)

// directText is a component with functions of bytes, and one of a list that is none.
var directText = largeText(`
	(func $echo (param "v" (list u8)) (result (list u8))
		(canon lift (core func $i "same") (memory $i "memory") (realloc (func $i "realloc"))))
	(func $text (param "v" string) (result string)
		(canon lift (core func $i "same") (memory $i "memory") (realloc (func $i "realloc"))))
	(func $fail (param "v" (list u8)) (result (result (list u8) (error string)))
		(canon lift (core func $i "fail") (memory $i "memory") (realloc (func $i "realloc"))))
	(func $boom (param "v" (list u8))
		(canon lift (core func $i "boom") (memory $i "memory") (realloc (func $i "realloc"))))
	(func $numbers (param "v" (list u32)) (result (list u32))
		(canon lift (core func $i "same") (memory $i "memory") (realloc (func $i "realloc")))) `,
	`(export "echo" (func $echo)) (export "text" (func $text)) (export "fail" (func $fail)) (export "boom" (func $boom))
	(export "numbers" (func $numbers))`, 0)

// TestDirect calls functions of bytes with those, and by the plain path.
func TestDirect(t *testing.T) {
	g := bulkOf(t, Config{}, directText, Limits{})
	for name, tt := range map[string]struct {
		method  string
		message []byte
		reason  Reason
	}{
		"bytes":             {"Echo", []byte("\x0a\x04\x00\xffab"), ""},
		"many bytes":        {"Echo", append([]byte("\x0a\x80\x80\x10"), make([]byte, 256<<10)...), ""},
		"no bytes":          {"Echo", nil, ""},
		"the last counts":   {"Echo", []byte("\x0a\x01a\x7a\x01x\x0a\x01b"), ""},
		"a text":            {"Text", []byte("\x0a\x05wörd"), ""},
		"not UTF-8":         {"Text", []byte("\x0a\x01\xff"), MalformedRequest},
		"another wire type": {"Echo", []byte("\x08\x01"), MalformedRequest},
		"truncated":         {"Echo", []byte("\x0a\x05wör"), MalformedRequest},
		"an error":          {"Fail", []byte("\x0a\x01a"), ""},
		"a trap":            {"Boom", []byte("\x0a\x01a"), Trap},
		"more than memory":  {"Echo", append([]byte("\x0a\x80\x80\xc0\x01"), make([]byte, 3<<20)...), ""},
	} {
		t.Run(name, func(t *testing.T) {
			method := g.loaded().method("demo.bulk.Api", tt.method)
			if method.direct != wasmtime.HasBytes {
				t.Fatalf("%s is direct: %v", tt.method, method.direct)
			}
			call := func() ([]byte, error) {
				r, err := g.Call(t.Context(), Request{Key: g.rev.Key, Service: "demo.bulk.Api", Method: tt.method, Message: tt.message})
				return r.Message, err
			}
			got, gotErr := call()
			method.direct = false
			defer func() { method.direct = wasmtime.HasBytes }()
			want, wantErr := call()
			if !bytes.Equal(got, want) {
				t.Errorf("the answers are %.100x, and by the plain path %.100x", got, want)
			}
			if diff := cmp.Diff(told(wantErr), told(gotErr)); diff != "" {
				t.Error(diff)
			}
			if reason := told(gotErr).Reason; reason != tt.reason {
				t.Errorf("the reason is %q, want %q", reason, tt.reason)
			}
		})
	}
}

// TestDirectNeedsNoTranscoder expects a transcoder for the other methods only.
func TestDirectNeedsNoTranscoder(t *testing.T) {
	g := bulkOf(t, Config{}, directText, Limits{})
	got := DescribeTranscoding(g.rev, "")
	if !wasmtime.HasBytes {
		if len(got.Direct)+len(got.Methods) > 0 || got.Reason == "" {
			t.Errorf("an engine without calls of bytes has %v", got)
		}
		return
	}
	want := []string{"demo.bulk.Api/Boom", "demo.bulk.Api/Echo", "demo.bulk.Api/Fail", "demo.bulk.Api/Text"}
	slices.Sort(got.Direct)
	if diff := cmp.Diff(want, got.Direct); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"demo.bulk.Api/Numbers"}, got.Methods); diff != "" {
		t.Error(diff)
	}
}

// BenchmarkDirect echoes bytes directly, and by the plain path.
func BenchmarkDirect(b *testing.B) {
	g := bulkOf(b, Config{}, directText, Limits{})
	method := g.loaded().method("demo.bulk.Api", "Echo")
	for _, size := range []int{16, 1 << 10, 64 << 10, 1 << 20} {
		message := protowire.AppendBytes([]byte{0x0a}, make([]byte, size))
		for _, direct := range []bool{true, false} {
			if direct && !wasmtime.HasBytes {
				continue
			}
			b.Run(fmt.Sprintf("%d/direct=%v", size, direct), func(b *testing.B) {
				method.direct = direct
				b.SetBytes(int64(size))
				for b.Loop() {
					if _, err := g.Call(b.Context(), Request{Key: g.rev.Key, Service: "demo.bulk.Api", Method: "Echo", Message: message}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
