package gateway

import (
	"testing"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/mem"
)

// bytesCodec is a client's: *[]byte in and out.
type bytesCodec struct{}

func (bytesCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}

func (bytesCodec) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

func (bytesCodec) Name() string { return "proto" }

func TestCodecPassesBytesAndEncodesMessages(t *testing.T) {
	given := raw{mem.SliceBuffer("abc")}
	data, err := codec{}.Marshal(given)
	if err != nil || string(data.Materialize()) != "abc" {
		t.Errorf("raw bytes became %q, %v", data.Materialize(), err)
	}
	data, err = codec{}.Marshal(&healthpb.HealthCheckRequest{Service: "x"})
	if err != nil {
		t.Fatal(err)
	}
	var back healthpb.HealthCheckRequest
	if err := (codec{}).Unmarshal(data, &back); err != nil || back.GetService() != "x" {
		t.Errorf("a message became %v, %v", &back, err)
	}
	if _, err := (codec{}).Marshal(42); err == nil {
		t.Error("a number was encoded")
	}
}
