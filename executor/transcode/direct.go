package transcode

import (
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
)

// Returns is what a direct method returns, in the engine's words; ok is false for a method that is not direct. A direct
// method has nothing but bytes, list<u8> and string, as parameters, in its result and in the cases of that if it is a
// result. The engine passes them as they are, to what a component exports ([wasmtime.Instance.CallBytes]): Arguments takes them out
// of the request, and Answer puts them into the response; and from what it imports ([wasmtime.Linker.DefineBytes]): Request makes
// the request of them, and Result and Detail take them out of what came back.
func (p *Plan) Returns() (returns wasmtime.Returns, ok bool) { return p.returns, p.direct }

// setDirect finds out whether the method is direct.
func (p *Plan) setDirect() {
	if len(p.request.fields) > wasmtime.MaxBytes || !allBytes(p.request) || !allBytes(p.response) {
		return
	}
	ok := len(p.response.fields) > 0
	switch {
	case !p.fallible && ok:
		p.returns = wasmtime.ReturnsBytes
	case !p.fallible:
		p.returns = wasmtime.ReturnsNothing
	case p.failure == nil && ok:
		p.returns = wasmtime.ReturnsOK
	case p.failure == nil:
		p.returns = wasmtime.ReturnsNeither
	case p.failure.detail == nil || !allBytes(p.failure.detail):
		return
	case ok:
		p.returns = wasmtime.ReturnsEither
	default:
		p.returns = wasmtime.ReturnsErr
	}
	p.direct = true
}

// allBytes tells whether the fields of a message are bytes and strings, and neither optional nor lists of them.
func allBytes(n *node) bool {
	for _, f := range n.fields {
		if f.label != contract.Single || f.node.message || f.node.kind != wit.List && f.node.kind != wit.String {
			return false
		}
	}
	return true
}

// Arguments gives the arguments of a call of a direct method, which are parts of the message. Its errors are those of Decode.
func (p *Plan) Arguments(message []byte) ([][]byte, error) {
	d, err := newDecoder(message, nil, p.request)
	if err != nil {
		return nil, err
	}
	args, err := d.parts(p.request)
	d.release()
	if err != nil {
		return nil, err
	}
	return args, nil
}

// parts gives what the fields of a message of bytes hold.
func (d *decoder) parts(n *node) ([][]byte, *Error) {
	slots := d.push(n)
	if _, err := d.walk(n, slots, span{end: int32(len(d.buf))}); err != nil {
		return nil, err
	}
	out := make([][]byte, len(n.fields))
	for i := range n.fields {
		out[i] = d.buf[slots[i].off:slots[i].end]
		if f := &n.fields[i]; f.node.kind == wit.String && !utf8.Valid(out[i]) {
			return nil, errorf("not UTF-8").in(f.name)
		}
	}
	return out, nil
}

// Answer makes the response of a direct method out of the bytes that it returned, which are those of an err where failed is
// true. They are not kept. Its errors are those of Encode.
func (p *Plan) Answer(bytes []byte, failed bool, limit int) ([]byte, error) {
	n := p.response
	if failed {
		if p.failure == nil {
			return nil, p.Failed(nil)
		}
		n = p.failure.detail
	}
	if len(bytes) > limit {
		return nil, ErrTooLarge
	}
	var message []byte
	if len(bytes) > 0 {
		// The first bytes have room of their own, so that nothing is cleared that is then written.
		message = protowire.AppendTag(make([]byte, 0, 16), n.fields[0].number, protowire.BytesType)
		message = append(protowire.AppendVarint(message, uint64(len(bytes))), bytes...)
	}
	switch {
	case len(message) > limit:
		return nil, ErrTooLarge
	case failed:
		return nil, p.Failed(message)
	}
	return message, nil
}
