package executor

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/weft-run/weft/executor/wasmtime"
)

// largeText is a component on the core module of testdata/bulk.wat whose functions all do the same: lifted is that function, $f, and
// exports is what else it exports.
func largeText(lifted, exports string, functions int) string {
	core, _, _ := strings.Cut(bulkText, "  (func $same")
	var b strings.Builder
	b.WriteString(core + lifted + "(instance $api " + exports)
	for n := range functions {
		fmt.Fprintf(&b, "(export \"f%d\" (func $f)) ", n)
	}
	b.WriteString(`) (export "demo:bulk/api" (instance $api)))`)
	return b.String()
}

// recordText is a component with a function of a record, of so many fields of a type after one that is a list.
func recordText(fields int, typ string) string {
	var b strings.Builder
	b.WriteString(`(type $r (record (field "all" (list string)) `)
	for n := range fields {
		fmt.Fprintf(&b, "(field \"v%d\" %s) ", n, typ)
	}
	b.WriteString(`)) (func $f (param "v" $r) (result $r)
		(canon lift (core func $i "record") (memory $i "memory") (realloc (func $i "realloc")))) `)
	return largeText(b.String(), `(export "r" (type $r)) `, 1)
}

// TestBulkLarge has components for which much code would be written. What is written is bounded, and both forms say the same.
func TestBulkLarge(t *testing.T) {
	const same = `(func $f (param "v" (list string)) (result (list string))
		(canon lift (core func $i "same") (memory $i "memory") (realloc (func $i "realloc")))) `
	words := bytes.Repeat([]byte("\x0a\x05wörd"), 100)
	record := protowire.AppendBytes([]byte("\x0a"), append(words, "\x10\x05\x98\xb8\x02\x07"...))
	for name, tt := range map[string]struct {
		text    string
		message []byte
	}{
		"100 functions":                 {largeText(same, "", 100), words},
		"1,000 functions":               {largeText(same, "", 1000), words},
		"5,000 fields that are numbers": {recordText(5000, "u32"), record},
		"5,000 fields that are lists":   {recordText(5000, "(list string)"), []byte("\x0a\x07\x0a\x05wörd")},
	} {
		t.Run(name, func(t *testing.T) {
			g := bulkOf(t, Config{}, tt.text, Limits{})
			plainCode := g.loaded().code
			form := g.loaded().bulk.Load()
			if form != nil && form.code > plainCode+8<<20 {
				t.Errorf("the code has %d KiB, and with a transcoder %d KiB", plainCode>>10, form.code>>10)
			}
			if got := DescribeTranscoding(g.rev, ""); (form != nil) != (len(got.Methods) > 0) {
				t.Errorf("a second form: %v; %d methods have a transcoder, %s", form != nil, len(got.Methods), got.Reason)
			}
			for _, message := range [][]byte{tt.message, append(bytes.Clone(tt.message), "\x0a\x05wörd"...), append(bytes.Clone(tt.message), 0x0a)} {
				plain, transcoded, plainErr, transcodedErr := g.ways("F0", message)
				if good := len(message) == len(tt.message); good && plainErr != nil {
					t.Error(plainErr)
				}
				if !bytes.Equal(plain, transcoded) {
					t.Errorf("the answers are %.100x and %.100x", plain, transcoded)
				}
				if diff := cmp.Diff(told(plainErr), told(transcodedErr)); diff != "" {
					t.Error(diff)
				}
			}
			if !wasmtime.HasBytes && form != nil {
				t.Error("an engine without calls of bytes has a second form")
			}
		})
	}
}
