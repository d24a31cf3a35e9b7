package transcode

import (
	"fmt"

	"github.com/weft-run/weft/executor/wasmtime"
)

// EncodeArgs turns the arguments of an imported function into the bytes of a request, at most limit of them. The error is
// ErrTooLarge for more, and something else only if the arguments are not of the method's types, which is a fault of weft.
func (p *Plan) EncodeArgs(args wasmtime.Values, limit int) (message []byte, err error) {
	if args.Len() != len(p.request.fields) {
		return nil, fmt.Errorf("transcode: %d arguments, not %d", args.Len(), len(p.request.fields))
	}
	defer takeKindError(&err)
	return encode(limit, func(e *encoder) { e.fields(p.request, args) })
}

// DecodeResult sets v, a value of arena, to what an imported function returns, given the response to its call. It leaves v
// alone where the function returns nothing. An error is an *Error. The message is not kept.
func (p *Plan) DecodeResult(message []byte, arena *wasmtime.Arena, v wasmtime.Value) error {
	if p.fallible {
		v = arena.SetResult(v, true, len(p.response.fields) > 0)
	}
	return decodeOnly(p.response, message, arena, v)
}

// DecodeFailure sets v, a value of arena, to the err of an imported function's result, given the detail of the error that
// its call ended with. An error is an *Error: the function returns no result, or the detail is not of its error's type.
func (p *Plan) DecodeFailure(detailType string, detail []byte, arena *wasmtime.Arena, v wasmtime.Value) error {
	if err := p.HoldsFailure(detailType); err != nil {
		return err
	}
	if p.failure == nil {
		arena.SetResult(v, false, false)
		return nil
	}
	payload := arena.SetResult(v, false, true)
	if p.failure.detail != nil {
		return decodeOnly(p.failure.detail, detail, arena, payload)
	}
	d, err := newDecoder(detail, arena, p.failure.shape)
	if err != nil {
		return err
	}
	defer d.release()
	if err := d.message(p.failure.shape, payload, span{end: int32(len(detail))}); err != nil {
		return err
	}
	return nil
}

// HoldsFailure tells whether an imported function can return an error that has such a detail. The error is an *Error.
func (p *Plan) HoldsFailure(detailType string) error {
	switch {
	case !p.fallible:
		return errorf("the import's function returns no result that could hold an error")
	case p.failure != nil && detailType != p.failure.message:
		return errorf("the error is a %q, and the import's is a %q", detailType, p.failure.message)
	}
	return nil
}

// decodeOnly sets v to the one field of a message, if it has one.
func decodeOnly(n *node, message []byte, arena *wasmtime.Arena, v wasmtime.Value) error {
	d, err := newDecoder(message, arena, n)
	if err != nil {
		return err
	}
	defer d.release()
	at := span{end: int32(len(message))}
	slots := d.push(n)
	if _, err = d.walk(n, slots, at); err == nil && len(n.fields) > 0 {
		err = d.only(n, slots, v, at)
	}
	if err != nil {
		return err
	}
	return nil
}
