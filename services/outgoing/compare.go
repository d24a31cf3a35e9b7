package outgoing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/weft-run/weft/wit/contract"
)

const (
	// compareTime bounds a comparison: a deploy waits for it.
	compareTime = 5 * time.Second
	// maxFiles bounds what reflection may send.
	maxFiles = 1000
)

// Allowed refuses an address that functions may not call.
func (c *Caller) Allowed(address string) error { return c.config.Allow.Check(address) }

// Compare asks the service at an address for its schema, by server reflection, and compares it with that of an import: its
// error names the method, or the type and field, that is not there or is another one. A service that offers no reflection,
// or that can't be reached within 5 s, is not compared: what does not fit shows when it is called.
func (c *Caller) Compare(ctx context.Context, address string, imported *contract.Service, schema *descriptorpb.FileDescriptorSet) error {
	if err := c.config.Allow.Check(address); err != nil {
		return err
	}
	conn, done, err := c.outside.use(address)
	if err != nil {
		return err
	}
	defer done()
	ctx, cancel := context.WithTimeout(ctx, compareTime)
	defer cancel()
	theirs, err := reflected(ctx, conn, imported.Name)
	switch {
	case errors.Is(err, errNoService):
		return fmt.Errorf("it serves no %s", imported.Name)
	case errors.Is(err, errTooMuch):
		return err
	case err != nil:
		c.config.Logger.Info("a service outside could not be compared with its import", "address", address, "service", imported.Name, "error", err)
		return nil
	}
	files, err := protodesc.NewFiles(schema)
	if err != nil {
		return fmt.Errorf("the contract of %s: %w", imported.Name, err)
	}
	found, err := files.FindDescriptorByName(protoreflect.FullName(imported.Name))
	if err != nil {
		return fmt.Errorf("the contract of %s: %w", imported.Name, err)
	}
	ours, ok := found.(protoreflect.ServiceDescriptor)
	if !ok {
		return fmt.Errorf("the contract of %s has no service of that name", imported.Name)
	}
	return compareServices(ours, theirs, imported)
}

var (
	errNoService = errors.New("no such service")
	errTooMuch   = fmt.Errorf("its reflection sends more than %d files", maxFiles)
)

// ask sends one request to reflection and gives the files of the answer.
type ask func(*reflectionv1.ServerReflectionRequest) (*reflectionv1.ServerReflectionResponse, error)

// reflected gives a service as the server at the other end describes it.
func reflected(ctx context.Context, conn *grpc.ClientConn, service string) (protoreflect.ServiceDescriptor, error) {
	stream, err := reflectionv1.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	if err != nil {
		return nil, err
	}
	found, err := gather(func(r *reflectionv1.ServerReflectionRequest) (*reflectionv1.ServerReflectionResponse, error) {
		if err := stream.Send(r); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		return stream.Recv()
	}, service)
	if status.Code(err) != codes.Unimplemented {
		return found, err
	}
	older, err := reflectionv1alpha.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	if err != nil {
		return nil, err
	}
	return gather(func(r *reflectionv1.ServerReflectionRequest) (*reflectionv1.ServerReflectionResponse, error) {
		// The two versions have the same messages under other names.
		request, response := new(reflectionv1alpha.ServerReflectionRequest), new(reflectionv1.ServerReflectionResponse) //nolint:staticcheck // it is for servers that have only this
		if err := convert(r, request); err != nil {
			return nil, err
		}
		if err := older.Send(request); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		answer, err := older.Recv()
		if err != nil {
			return nil, err
		}
		return response, convert(answer, response)
	}, service)
}

func convert(from, to proto.Message) error {
	b, err := proto.Marshal(from)
	if err != nil {
		return err
	}
	return proto.Unmarshal(b, to)
}

// gather fetches the file of a service and all that it imports.
func gather(ask ask, service string) (protoreflect.ServiceDescriptor, error) {
	known := map[string]*descriptorpb.FileDescriptorProto{}
	fetch := func(r *reflectionv1.ServerReflectionRequest) error {
		response, err := ask(r)
		if err != nil {
			return err
		}
		if fault := response.GetErrorResponse(); fault != nil {
			if codes.Code(fault.GetErrorCode()) == codes.NotFound {
				return fmt.Errorf("%w: %s", errNoService, fault.GetErrorMessage())
			}
			return status.Error(codes.Code(fault.GetErrorCode()), fault.GetErrorMessage())
		}
		for _, b := range response.GetFileDescriptorResponse().GetFileDescriptorProto() {
			f := new(descriptorpb.FileDescriptorProto)
			if err := proto.Unmarshal(b, f); err != nil {
				return err
			}
			known[f.GetName()] = f
		}
		if len(known) > maxFiles {
			return errTooMuch
		}
		return nil
	}
	if err := fetch(&reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: service},
	}); err != nil {
		return nil, err
	}
	for name := missing(known); name != ""; name = missing(known) {
		err := fetch(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_FileByFilename{FileByFilename: name}})
		if err != nil {
			return nil, fmt.Errorf("file %s: %v", name, err) //nolint:errorlint // a file that is not there is another matter than a service
		}
		if known[name] == nil {
			return nil, fmt.Errorf("file %s is not what reflection sent for it", name)
		}
	}
	set := &descriptorpb.FileDescriptorSet{}
	for _, f := range known {
		set.File = append(set.File, f)
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		return nil, err
	}
	found, err := files.FindDescriptorByName(protoreflect.FullName(service))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoService, err)
	}
	if s, ok := found.(protoreflect.ServiceDescriptor); ok {
		return s, nil
	}
	return nil, errNoService
}

// missing names a file that a known one imports and that is not there yet.
func missing(known map[string]*descriptorpb.FileDescriptorProto) string {
	for _, f := range known {
		for _, name := range f.GetDependency() {
			if known[name] == nil {
				return name
			}
		}
	}
	return ""
}

// compareServices wants all of the methods that the import has, with at least its fields.
func compareServices(ours, theirs protoreflect.ServiceDescriptor, imported *contract.Service) error {
	seen := map[[2]protoreflect.FullName]bool{}
	for _, m := range imported.Methods {
		our, their := ours.Methods().ByName(protoreflect.Name(m.Name)), theirs.Methods().ByName(protoreflect.Name(m.Name))
		switch {
		case our == nil:
			return fmt.Errorf("the contract of %s has no method %s", imported.Name, m.Name)
		case their == nil:
			return fmt.Errorf("function %s: it has no method %s", m.Function.Name, m.Name)
		case their.IsStreamingClient() || their.IsStreamingServer():
			return fmt.Errorf("function %s: its method %s is a stream, which functions can't call", m.Function.Name, m.Name)
		}
		if err := compareMessages(our.Input(), their.Input(), seen); err != nil {
			return fmt.Errorf("function %s, request: %w", m.Function.Name, err)
		}
		if err := compareMessages(our.Output(), their.Output(), seen); err != nil {
			return fmt.Errorf("function %s, response: %w", m.Function.Name, err)
		}
	}
	return nil
}

func compareMessages(our, their protoreflect.MessageDescriptor, seen map[[2]protoreflect.FullName]bool) error {
	pair := [2]protoreflect.FullName{our.FullName(), their.FullName()}
	if seen[pair] {
		return nil
	}
	seen[pair] = true
	for i := range our.Fields().Len() {
		f := our.Fields().Get(i)
		other := their.Fields().ByNumber(f.Number())
		switch {
		case other == nil:
			return fmt.Errorf("type %s, field %s: its %s has no field %d", our.Name(), f.Name(), their.FullName(), f.Number())
		case f.Name() != other.Name():
			return fmt.Errorf("type %s, field %s: field %d of its %s is %s", our.Name(), f.Name(), f.Number(), their.FullName(), other.Name())
		case f.Kind() != other.Kind() || f.IsList() != other.IsList() || f.IsMap() != other.IsMap():
			return fmt.Errorf("type %s, field %s: it is %s, and %s in its %s", our.Name(), f.Name(), kind(f), kind(other), their.FullName())
		case f.Message() != nil:
			if err := compareMessages(f.Message(), other.Message(), seen); err != nil {
				return err
			}
		case f.Enum() != nil:
			if err := compareEnums(f.Enum(), other.Enum()); err != nil {
				return err
			}
		}
	}
	return nil
}

func compareEnums(our, their protoreflect.EnumDescriptor) error {
	for i := range our.Values().Len() {
		v := our.Values().Get(i)
		if their.Values().ByNumber(v.Number()) == nil {
			return fmt.Errorf("type %s, case %s: its %s has no value %d", our.Name(), v.Name(), their.FullName(), v.Number())
		}
	}
	return nil
}

func kind(f protoreflect.FieldDescriptor) string {
	text := f.Kind().String()
	switch {
	case f.IsMap():
		return "a map"
	case f.IsList():
		return "repeated " + text
	}
	return text
}
