package transcode

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// Params is how many parameters the method has.
func (p *Plan) Params() int { return len(p.request.fields) }

// Request makes the request of a call of a direct method, at most limit bytes, out of its arguments, so many as Params; strings among
// them are UTF-8. The error is [ErrTooLarge].
func (p *Plan) Request(args [][]byte, limit int) ([]byte, error) {
	size := 0
	for _, a := range args {
		size += len(a)
	}
	if size > limit {
		return nil, ErrTooLarge
	}
	var message []byte
	for _, i := range slices.Backward(p.request.order) {
		if len(args[i]) == 0 {
			continue
		}
		if message == nil {
			// The first bytes have room of their own, so that nothing is cleared that is then written.
			message = make([]byte, 0, 16)
		}
		message = protowire.AppendTag(message, p.request.fields[i].number, protowire.BytesType)
		message = append(protowire.AppendVarint(message, uint64(len(args[i]))), args[i]...)
	}
	if len(message) > limit {
		return nil, ErrTooLarge
	}
	return message, nil
}

// Result gives what a direct method returns, which is part of the response to a call of it. Its errors are those of DecodeResult.
func (p *Plan) Result(response []byte) ([]byte, error) { return only(p.response, response) }

// Detail gives what the err of a direct method holds, which is part of the detail of the error that a call of it ended with. Its errors
// are those of DecodeFailure.
func (p *Plan) Detail(detailType string, detail []byte) ([]byte, error) {
	if err := p.HoldsFailure(detailType); err != nil || p.failure == nil {
		return nil, err
	}
	return only(p.failure.detail, detail)
}

// Fault gives what the err of a direct method holds that tells of a call that failed, as SetFault does. It is false where the error
// has no place for that.
func (p *Plan) Fault(text string) ([]byte, bool) {
	if !p.fault.text {
		return nil, false
	}
	return faultText(text), true
}

// only gives what the one field of a message of bytes holds, if it has one.
func only(n *node, message []byte) ([]byte, error) {
	d, err := newDecoder(message, nil, n)
	if err != nil {
		return nil, err
	}
	parts, err := d.parts(n)
	d.release()
	if err != nil {
		return nil, err
	}
	if len(parts) == 0 {
		return nil, nil
	}
	return parts[0], nil
}
