package weft

import (
	"context"
	"fmt"

	"google.golang.org/grpc/codes"
	rpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// reflector asks a server for its types, over one stream of grpc.reflection.v1.
type reflector struct {
	stream rpb.ServerReflection_ServerReflectionInfoClient
	cancel context.CancelFunc
	// protos are the files received so far, files those that are complete.
	protos map[string]*descriptorpb.FileDescriptorProto
	files  *protoregistry.Files
	// entered are the files whose imports were looked at.
	entered map[string]bool
	types   *dynamicpb.Types
}

// reflect opens a reflector, to be closed after use.
func (c *Client) reflect(ctx context.Context) (*reflector, error) {
	ctx, cancel := context.WithCancel(c.outgoing(ctx))
	stream, err := rpb.NewServerReflectionClient(c.conn).ServerReflectionInfo(ctx)
	if err != nil {
		cancel()
		return nil, wrap(err)
	}
	files := new(protoregistry.Files)
	return &reflector{
		stream:  stream,
		cancel:  cancel,
		entered: map[string]bool{},
		protos:  map[string]*descriptorpb.FileDescriptorProto{},
		files:   files,
		types:   dynamicpb.NewTypes(files),
	}, nil
}

func (r *reflector) close() { r.cancel() }

// services lists the full names of all services.
func (r *reflector) services() ([]string, error) {
	answer, err := r.ask(&rpb.ServerReflectionRequest{
		MessageRequest: &rpb.ServerReflectionRequest_ListServices{},
	})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range answer.GetListServicesResponse().GetService() {
		names = append(names, s.GetName())
	}
	return names, nil
}

// find returns the descriptor of a symbol, with everything it needs.
func (r *reflector) find(symbol string) (protoreflect.Descriptor, error) {
	if d, err := r.files.FindDescriptorByName(protoreflect.FullName(symbol)); err == nil {
		return d, nil
	}
	name, err := r.receive(&rpb.ServerReflectionRequest{
		MessageRequest: &rpb.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: symbol},
	})
	if err != nil {
		return nil, err
	}
	if err := r.complete(name); err != nil {
		return nil, err
	}
	return r.files.FindDescriptorByName(protoreflect.FullName(symbol))
}

// complete registers a file after all that it imports.
func (r *reflector) complete(name string) error {
	if _, err := r.files.FindFileByPath(name); err == nil {
		return nil
	}
	file := r.protos[name]
	if file == nil {
		if _, err := r.receive(&rpb.ServerReflectionRequest{
			MessageRequest: &rpb.ServerReflectionRequest_FileByFilename{FileByFilename: name},
		}); err != nil {
			return err
		}
		if file = r.protos[name]; file == nil {
			return fmt.Errorf("weft: reflection did not give %s", name)
		}
	}
	if r.entered[name] {
		return fmt.Errorf("weft: reflection gave a broken %s: it imports itself", name)
	}
	r.entered[name] = true
	for _, imported := range file.GetDependency() {
		if err := r.complete(imported); err != nil {
			return err
		}
	}
	built, err := protodesc.NewFile(file, r.files)
	if err != nil {
		return fmt.Errorf("weft: reflection gave a broken %s: %w", name, err)
	}
	return r.files.RegisterFile(built)
}

// receive asks for files, keeps what comes, and returns the name of the first.
func (r *reflector) receive(request *rpb.ServerReflectionRequest) (string, error) {
	answer, err := r.ask(request)
	if err != nil {
		return "", err
	}
	var first string
	for _, data := range answer.GetFileDescriptorResponse().GetFileDescriptorProto() {
		file := new(descriptorpb.FileDescriptorProto)
		if err := proto.Unmarshal(data, file); err != nil {
			return "", fmt.Errorf("weft: reflection gave a broken file: %w", err)
		}
		if first == "" {
			first = file.GetName()
		}
		r.protos[file.GetName()] = file
	}
	if first == "" {
		return "", fmt.Errorf("weft: reflection gave no file")
	}
	return first, nil
}

func (r *reflector) ask(request *rpb.ServerReflectionRequest) (*rpb.ServerReflectionResponse, error) {
	// A failed Send is explained by the Recv that follows.
	_ = r.stream.Send(request)
	answer, err := r.stream.Recv()
	if err != nil {
		return nil, wrap(err)
	}
	if e := answer.GetErrorResponse(); e != nil {
		return nil, wrap(status.Error(codes.Code(e.GetErrorCode()), e.GetErrorMessage()))
	}
	return answer, nil
}
