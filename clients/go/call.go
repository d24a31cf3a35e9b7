package weft

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"
)

// CallOption configures one call of a function.
type CallOption func(*callOptions)

type callOptions struct {
	metadata metadata.MD
	header   *metadata.MD
	trailer  *metadata.MD
}

// OfFunction has the call answered by a function other than the owner of the service.
func OfFunction(name string) CallOption {
	return func(o *callOptions) { o.metadata.Set("weft-function", name) }
}

// OfRevision has the call answered by a revision other than the current one.
func OfRevision(number uint32) CallOption {
	return func(o *callOptions) { o.metadata.Set("weft-revision", strconv.FormatUint(uint64(number), 10)) }
}

// WithMetadata sends metadata along with the call.
func WithMetadata(md metadata.MD) CallOption {
	return func(o *callOptions) {
		for k, v := range md {
			o.metadata.Append(k, v...)
		}
	}
}

// ReceiveMetadata stores the metadata that comes before and after the response. Either may be nil.
func ReceiveMetadata(header, trailer *metadata.MD) CallOption {
	return func(o *callOptions) { o.header, o.trailer = header, trailer }
}

// Call calls a method with a request in JSON and returns its response in JSON. It looks the method up as
// [Client.Method] does; who calls one method often looks it up once.
func (c *Client) Call(ctx context.Context, method string, request []byte, opts ...CallOption) ([]byte, error) {
	m, err := c.Method(ctx, method)
	if err != nil {
		return nil, err
	}
	return m.Call(ctx, request, opts...)
}

// Invoke calls a method, "demo.orders.v1.Orders/Place", with a request in protobuf's wire format and returns the
// response in the same. It does not look the method up.
func (c *Client) Invoke(ctx context.Context, method string, request []byte, opts ...CallOption) ([]byte, error) {
	var o callOptions
	o.metadata = metadata.MD{}
	for _, opt := range opts {
		opt(&o)
	}
	ctx = c.outgoing(ctx)
	given, _ := metadata.FromOutgoingContext(ctx)
	ctx = metadata.NewOutgoingContext(ctx, metadata.Join(given, o.metadata))
	call := []grpc.CallOption{grpc.ForceCodecV2(rawCodec{})}
	if o.header != nil {
		call = append(call, grpc.Header(o.header))
	}
	if o.trailer != nil {
		call = append(call, grpc.Trailer(o.trailer))
	}
	var response []byte
	err := c.conn.Invoke(ctx, "/"+method, &request, &response, call...)
	return response, wrap(err)
}

// Call calls the method with a request in JSON and returns its response in JSON, in one line, fields in the order of
// their numbers, with those that have their default but without options that are not set. An empty request stands for
// {}. The details of an [*Error] have their JSON.
func (m *Method) Call(ctx context.Context, request []byte, opts ...CallOption) ([]byte, error) {
	if m.descriptor.IsStreamingClient() || m.descriptor.IsStreamingServer() {
		return nil, &Error{Code: codes.Unimplemented, Message: m.Name() + " is a stream; a call is one request and one response"}
	}
	in := dynamicpb.NewMessage(m.descriptor.Input())
	if len(bytes.TrimSpace(request)) > 0 {
		if err := (protojson.UnmarshalOptions{Resolver: m.types.types}).Unmarshal(request, in); err != nil {
			return nil, fmt.Errorf("request of %s: %w", m.Name(), err)
		}
	}
	message, err := proto.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("request of %s: %w", m.Name(), err)
	}
	answer, err := m.client.Invoke(ctx, m.Name(), message, opts...)
	if err != nil {
		return nil, m.explain(ctx, err)
	}
	out := dynamicpb.NewMessage(m.descriptor.Output())
	if err := proto.Unmarshal(answer, out); err != nil {
		return nil, fmt.Errorf("response of %s: %w", m.Name(), err)
	}
	return marshal(out, m.types.types)
}

// explain adds the JSON of an error's details, as far as their types are known here or to the server.
func (m *Method) explain(ctx context.Context, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	for i, d := range e.Details {
		if t := m.detailType(ctx, d.Type); t != nil {
			detail := t.New().Interface()
			if proto.Unmarshal(d.Value, detail) == nil {
				e.Details[i].JSON, _ = marshal(detail, m.types.types)
			}
		}
	}
	return e
}

// detailType looks a type up among those of the method, those of this program and those of the server, in this order.
func (m *Method) detailType(ctx context.Context, name string) protoreflect.MessageType {
	full := protoreflect.FullName(name)
	if t, err := m.types.types.FindMessageByName(full); err == nil {
		return t
	}
	if t, err := protoregistry.GlobalTypes.FindMessageByName(full); err == nil {
		return t
	}
	// The call's own context may be over: that may be what the error says.
	ctx, cancel := m.client.bound(context.WithoutCancel(ctx))
	defer cancel()
	r, err := m.client.reflect(ctx)
	if err != nil {
		return nil
	}
	defer r.close()
	if d, err := r.find(name); err == nil {
		if md, ok := d.(protoreflect.MessageDescriptor); ok {
			return dynamicpb.NewMessageType(md)
		}
	}
	return nil
}

// marshal gives JSON without the random spaces that protojson adds.
func marshal(m proto.Message, types *dynamicpb.Types) (json.RawMessage, error) {
	data, err := protojson.MarshalOptions{Resolver: types, EmitDefaultValues: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.ProtoReflect().Descriptor().FullName(), err)
	}
	var out bytes.Buffer
	if err := json.Compact(&out, data); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// rawCodec passes message bytes through. Its name is protobuf's, since that is what the bytes are.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	message, ok := v.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("weft: %T is no message bytes", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(*message)}, nil
}

func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	message, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("weft: %T is no message bytes", v)
	}
	*message = data.Materialize()
	return nil
}
