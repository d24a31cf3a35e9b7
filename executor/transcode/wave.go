package transcode

import (
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
)

// maxText bounds the message of a Failure.
const maxText = 1 << 10

// describe sets the case and the message of a failure.
func (f *failure) describe(payload wasmtime.Value, out *Failure) {
	n := f.shape
	if f.label == contract.Single {
		switch n.kind {
		case wit.String:
			out.Message = string(cut(payload.Bytes()))
			return
		case wit.Enum:
			if i := payload.Enum(n.names); i >= 0 {
				out.Case = n.words[i]
			}
		case wit.Variant:
			i, inner, has := payload.Variant(n.names)
			if i >= 0 {
				out.Case = n.words[i]
			}
			if has && inner.Kind() == wasmtime.KindString {
				out.Message = string(cut(inner.Bytes()))
				return
			}
		}
	}
	w := &wave{}
	w.labeled(n, f.label, payload)
	out.Message = string(cut(w.text))
}

// cut shortens text to maxText bytes, between characters.
func cut(text []byte) []byte {
	if len(text) <= maxText {
		return text
	}
	end := maxText
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// wave writes the text of values in the WebAssembly Value Encoding, as the README of the wasm-wave crate specifies it.
// It stops soon after maxText bytes.
type wave struct{ text []byte }

func (w *wave) full() bool { return len(w.text) > maxText }

func (w *wave) put(s string) { w.text = append(w.text, s...) }

// labeled writes the value of a field: a list, an option, or the value itself.
func (w *wave) labeled(n *node, label contract.Label, v wasmtime.Value) {
	switch label {
	case contract.Repeated:
		w.row("[", "]", v.List(), func(_ int, e wasmtime.Value) { w.value(n, e) })
	case contract.Optional:
		payload, some := v.Option()
		if !some {
			w.put("none")
			return
		}
		w.put("some(")
		w.value(n, payload)
		w.put(")")
	default:
		w.value(n, v)
	}
}

func (w *wave) field(f *field, v wasmtime.Value) { w.labeled(f.node, f.label, v) }

// row writes values between two brackets.
func (w *wave) row(open, end string, values wasmtime.Values, write func(int, wasmtime.Value)) {
	w.put(open)
	for i := 0; i < values.Len() && !w.full(); i++ {
		if i > 0 {
			w.put(", ")
		}
		write(i, values.At(i))
	}
	w.put(end)
}

func (w *wave) value(n *node, v wasmtime.Value) {
	if w.full() {
		return
	}
	switch n.kind {
	case wit.Record:
		w.record(n, v.Fields())
	case wit.Tuple:
		w.row("(", ")", v.Tuple(), func(i int, e wasmtime.Value) { w.field(&n.fields[i], e) })
	case wit.Flags:
		separator := "{"
		v.Flags(n.names, func(i int) {
			if i >= 0 {
				w.put(separator + n.words[i])
				separator = ", "
			}
		})
		if separator == "{" {
			w.put("{")
		}
		w.put("}")
	case wit.Variant:
		i, payload, has := v.Variant(n.names)
		if i >= 0 {
			w.label(n.words[i])
			w.payload(&n.fields[i], payload, has)
		}
	case wit.Result:
		payload, has, ok := v.Result()
		if ok {
			w.put("ok")
			w.payload(&n.fields[0], payload, has)
		} else {
			w.put("err")
			w.payload(&n.fields[1], payload, has)
		}
	case wit.List:
		if n.message {
			w.field(&n.fields[0], v)
			return
		}
		w.row("[", "]", v.List(), func(_ int, e wasmtime.Value) { w.text = strconv.AppendUint(w.text, uint64(e.U8()), 10) })
	case wit.Option:
		w.field(&n.fields[0], v)
	default:
		w.scalar(n, v)
	}
}

// record leaves out the fields that are none, as the specification allows.
func (w *wave) record(n *node, values wasmtime.Values) {
	separator := "{"
	for i := 0; i < values.Len() && !w.full(); i++ {
		v := values.At(i)
		if v.Kind() == wasmtime.KindOption {
			if _, some := v.Option(); !some {
				continue
			}
		}
		w.put(separator + n.words[i] + ": ")
		separator = ", "
		w.field(&n.fields[i], v)
	}
	if separator == "{" {
		w.put("{:")
	}
	w.put("}")
}

func (w *wave) payload(f *field, v wasmtime.Value, has bool) {
	if has {
		w.put("(")
		w.field(f, v)
		w.put(")")
	}
}

// label writes the name of a case. The keywords of WAVE get a percent sign.
func (w *wave) label(name string) {
	switch name {
	case "true", "false", "inf", "nan", "some", "none", "ok", "err":
		w.put("%")
	}
	w.put(name)
}

func (w *wave) scalar(n *node, v wasmtime.Value) {
	switch n.kind {
	case wit.Bool:
		w.text = strconv.AppendBool(w.text, v.Bool())
	case wit.U8:
		w.text = strconv.AppendUint(w.text, uint64(v.U8()), 10)
	case wit.U16:
		w.text = strconv.AppendUint(w.text, uint64(v.U16()), 10)
	case wit.U32:
		w.text = strconv.AppendUint(w.text, uint64(v.U32()), 10)
	case wit.U64:
		w.text = strconv.AppendUint(w.text, v.U64(), 10)
	case wit.S8:
		w.text = strconv.AppendInt(w.text, int64(v.S8()), 10)
	case wit.S16:
		w.text = strconv.AppendInt(w.text, int64(v.S16()), 10)
	case wit.S32:
		w.text = strconv.AppendInt(w.text, int64(v.S32()), 10)
	case wit.S64:
		w.text = strconv.AppendInt(w.text, v.S64(), 10)
	case wit.F32:
		w.float(float64(v.F32()), 32)
	case wit.F64:
		w.float(v.F64(), 64)
	case wit.Enum:
		if i := v.Enum(n.names); i >= 0 {
			w.label(n.words[i])
		}
	case wit.Char:
		w.put("'")
		w.char(v.Char())
		w.put("'")
	case wit.String:
		w.put(`"`)
		text := v.Bytes()
		for len(text) > 0 && !w.full() {
			r, size := utf8.DecodeRune(text)
			w.char(r)
			text = text[size:]
		}
		w.put(`"`)
	}
}

func (w *wave) float(f float64, size int) {
	switch {
	case math.IsNaN(f):
		w.put("nan")
	case math.IsInf(f, 1):
		w.put("inf")
	case math.IsInf(f, -1):
		w.put("-inf")
	case f != 0 && (math.Abs(f) < 1e-6 || math.Abs(f) >= 1e21):
		w.text = strconv.AppendFloat(w.text, f, 'e', -1, size)
	default:
		w.text = strconv.AppendFloat(w.text, f, 'f', -1, size)
	}
}

// char writes one character of a string or char.
func (w *wave) char(r rune) {
	switch r {
	case '\'', '"', '\\':
		w.text = append(w.text, '\\', byte(r))
	case '\t':
		w.put(`\t`)
	case '\n':
		w.put(`\n`)
	case '\r':
		w.put(`\r`)
	default:
		if strconv.IsPrint(r) {
			w.text = utf8.AppendRune(w.text, r)
			return
		}
		w.put(`\u{`)
		w.text = strconv.AppendInt(w.text, int64(r), 16)
		w.put("}")
	}
}
