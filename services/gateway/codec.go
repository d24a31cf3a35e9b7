package gateway

import (
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// raw is the response of a function, as bytes. The buffers are freed once they are sent.
type raw mem.BufferSlice

// codec passes raw on as it is, and leaves the messages of weft's own services to grpc-go's codec.
type codec struct{}

var standard = encoding.GetCodecV2(proto.Name)

func (codec) Marshal(message any) (mem.BufferSlice, error) {
	if bytes, ok := message.(raw); ok {
		return mem.BufferSlice(bytes), nil
	}
	return standard.Marshal(message)
}

func (codec) Unmarshal(data mem.BufferSlice, message any) error {
	return standard.Unmarshal(data, message)
}

func (codec) Name() string { return proto.Name }
