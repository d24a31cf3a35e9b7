package outgoing

import (
	"context"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	reflectionv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
)

// serveHealth serves gRPC's health service, with reflection as it is registered.
func serveHealth(t *testing.T, reflect func(*grpc.Server)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	healthv1.RegisterHealthServer(server, health.NewServer())
	reflect(server)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // it ends with Stop
	}()
	t.Cleanup(func() {
		server.Stop()
		<-done
	})
	return "grpc+insecure://" + listener.Addr().String()
}

func TestCompare(t *testing.T) {
	alpha := func(s *grpc.Server) {
		reflectionv1alpha.RegisterServerReflectionServer(s, reflection.NewServer(reflection.ServerOptions{Services: s}))
	}
	allowed, err := ParseAllow("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	c := caller(t, newFake(t, "grpc://tax.example:443"), Config{Allow: allowed})
	for name, reflect := range map[string]func(*grpc.Server){"v1": func(s *grpc.Server) { reflection.RegisterV1(s) }, "v1alpha": alpha} {
		t.Run(name, func(t *testing.T) { compareHealth(t, c, serveHealth(t, reflect)) })
	}
	t.Run("none", func(t *testing.T) {
		address := serveHealth(t, func(*grpc.Server) {})
		if err := c.Compare(t.Context(), address, imported("grpc.health.v1.Health", "Check"), schema(nil)); err != nil {
			t.Error(err)
		}
	})
	t.Run("nobody", func(t *testing.T) {
		if err := c.Compare(t.Context(), "grpc+insecure://127.0.0.1:1", imported("grpc.health.v1.Health", "Check"), schema(nil)); err != nil {
			t.Error(err)
		}
	})
	t.Run("forbidden", func(t *testing.T) {
		err := c.Compare(context.Background(), "grpc://pay.example:1", imported("grpc.health.v1.Health", "Check"), schema(nil))
		if err == nil || !strings.Contains(err.Error(), "--allow-host") {
			t.Error(err)
		}
	})
}

// imported is an import that has a method.
func imported(service, method string) *contract.Service {
	return &contract.Service{Name: service, Methods: []*contract.Method{{Name: method, Function: &wit.Function{Name: strings.ToLower(method)}}}}
}

// schema is that of the health service, changed.
func schema(change func(*descriptorpb.FileDescriptorProto)) *descriptorpb.FileDescriptorSet {
	f := proto.CloneOf(protodesc.ToFileDescriptorProto(healthv1.File_grpc_health_v1_health_proto))
	if change != nil {
		change(f)
	}
	return &descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{f}}
}

func compareHealth(t *testing.T, c *Caller, address string) {
	t.Helper()
	request := func(f *descriptorpb.FileDescriptorProto) *descriptorpb.DescriptorProto {
		for _, m := range f.GetMessageType() {
			if m.GetName() == "HealthCheckRequest" {
				return m
			}
		}
		t.Fatal("the health service has changed")
		return nil
	}
	for _, tt := range []struct {
		name, method, want string
		change             func(*descriptorpb.FileDescriptorProto)
	}{
		{"the same", "Check", "", nil},
		{"a stream", "Watch", "function watch: its method Watch is a stream", nil},
		{"another type", "Check", "function check, request: type HealthCheckRequest, field service: it is uint32, and string", func(f *descriptorpb.FileDescriptorProto) {
			request(f).Field[0].Type = descriptorpb.FieldDescriptorProto_TYPE_UINT32.Enum()
		}},
		{"another number", "Check", "field service: its grpc.health.v1.HealthCheckRequest has no field 7", func(f *descriptorpb.FileDescriptorProto) {
			request(f).Field[0].Number = proto.Int32(7)
		}},
		{"another name", "Check", "field of_what: field 1 of its grpc.health.v1.HealthCheckRequest is service", func(f *descriptorpb.FileDescriptorProto) {
			request(f).Field[0].Name, request(f).Field[0].JsonName = proto.String("of_what"), nil
		}},
		{"a list", "Check", "it is repeated string, and string", func(f *descriptorpb.FileDescriptorProto) {
			request(f).Field[0].Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
		}},
		{"a method of ours", "Mend", "function mend: it has no method Mend", func(f *descriptorpb.FileDescriptorProto) {
			f.Service[0].Method[0].Name = proto.String("Mend")
		}},
	} {
		err := c.Compare(t.Context(), address, imported("grpc.health.v1.Health", tt.method), schema(tt.change))
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if err := c.Compare(t.Context(), address, imported("demo.pay.v1.Api", "Charge"), schema(nil)); err == nil || err.Error() != "it serves no demo.pay.v1.Api" {
		t.Error(err)
	}
}
