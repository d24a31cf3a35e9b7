package gateway

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"

	"google.golang.org/grpc/codes"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/weft-run/weft/services/failure"
)

// reflections answers grpc.reflection. Every question is answered from the catalog as it is then, also in a stream that began
// before a deploy. grpc-go's own implementation encodes files for each answer, which let one client keep all cores busy.
type reflections struct {
	reflectionv1.UnimplementedServerReflectionServer
	gateway *Gateway
	// working bounds how many questions are answered at once, of all streams: they wait here rather than for a core, where calls would wait with them.
	working chan struct{}
}

// maxAnswering is how many questions are answered at once.
const maxAnswering = 2

func (g *Gateway) registerReflection() {
	r := &reflections{gateway: g, working: make(chan struct{}, maxAnswering)}
	g.register(&reflectionv1.ServerReflection_ServiceDesc, r, openMessage)
	alpha := reflectionv1.ServerReflection_ServiceDesc
	alpha.ServiceName = reflectionv1alpha.ServerReflection_ServiceDesc.ServiceName // The older version has the same messages, by other names.
	g.register(&alpha, r, openMessage)
}

// maxSent is how many files a stream remembers to have sent.
const maxSent = 1000

func (r *reflections) ServerReflectionInfo(stream reflectionv1.ServerReflection_ServerReflectionInfoServer) error {
	sent := map[string]bool{}
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(sent) > maxSent {
			clear(sent)
		}
		response, err := r.answer(stream.Context(), request, sent)
		if err != nil {
			return err
		}
		if err := stream.Send(response); err != nil {
			return err
		}
	}
}

// answer answers one question.
func (r *reflections) answer(
	ctx context.Context, request *reflectionv1.ServerReflectionRequest, sent map[string]bool,
) (*reflectionv1.ServerReflectionResponse, error) {
	select {
	case r.working <- struct{}{}:
		defer func() { <-r.working }()
	case <-ctx.Done():
		if r.gateway.Draining() {
			return nil, errDraining()
		}
		return nil, readError(ctx, ctx.Err())
	}
	namespace := namespaceIn(ctx)
	known := r.gateway.schemas.in(namespace)
	response := &reflectionv1.ServerReflectionResponse{ValidHost: request.GetHost(), OriginalRequest: request}
	var file protoreflect.FileDescriptor
	var err error
	switch q := request.GetMessageRequest().(type) {
	case *reflectionv1.ServerReflectionRequest_FileByFilename:
		file, err = known.FindFileByPath(q.FileByFilename)
	case *reflectionv1.ServerReflectionRequest_FileContainingSymbol:
		file, err = known.fileOf(q.FileContainingSymbol)
	case *reflectionv1.ServerReflectionRequest_FileContainingExtension:
		file, err = known.fileOfExtension(q.FileContainingExtension)
	case *reflectionv1.ServerReflectionRequest_AllExtensionNumbersOfType:
		var numbers []int32
		numbers, err = known.extensions(q.AllExtensionNumbersOfType)
		response.MessageResponse = &reflectionv1.ServerReflectionResponse_AllExtensionNumbersResponse{
			AllExtensionNumbersResponse: &reflectionv1.ExtensionNumberResponse{BaseTypeName: q.AllExtensionNumbersOfType, ExtensionNumber: numbers},
		}
	case *reflectionv1.ServerReflectionRequest_ListServices:
		response.MessageResponse = &reflectionv1.ServerReflectionResponse_ListServicesResponse{
			ListServicesResponse: &reflectionv1.ListServiceResponse{Service: r.services(namespace)},
		}
	default:
		return nil, failure.New(codes.InvalidArgument, failure.MalformedRequest, "the request asks nothing")
	}
	if file != nil && err == nil {
		var files [][]byte
		files, err = known.encoded(file, sent)
		response.MessageResponse = &reflectionv1.ServerReflectionResponse_FileDescriptorResponse{
			FileDescriptorResponse: &reflectionv1.FileDescriptorResponse{FileDescriptorProto: files},
		}
	}
	if err != nil {
		response.MessageResponse = &reflectionv1.ServerReflectionResponse_ErrorResponse{
			ErrorResponse: &reflectionv1.ErrorResponse{ErrorCode: int32(codes.NotFound), ErrorMessage: err.Error()},
		}
	}
	return response, nil
}

// services lists the services of a namespace and weft's own.
func (r *reflections) services(namespace string) []*reflectionv1.ServiceResponse {
	names := r.gateway.serviceNames(namespace)
	slices.Sort(names)
	services := make([]*reflectionv1.ServiceResponse, len(names))
	for i, name := range names {
		services[i] = &reflectionv1.ServiceResponse{Name: name}
	}
	return services
}

// fileOf gives the file that has a name.
func (r resolver) fileOf(name string) (protoreflect.FileDescriptor, error) {
	found, err := r.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		return nil, err
	}
	return found.ParentFile(), nil
}

// fileOfExtension gives the file that has an extension. Contracts have none, so it is linked into weft.
func (r resolver) fileOfExtension(q *reflectionv1.ExtensionRequest) (protoreflect.FileDescriptor, error) {
	found, err := protoregistry.GlobalTypes.FindExtensionByNumber(
		protoreflect.FullName(q.GetContainingType()), protoreflect.FieldNumber(q.GetExtensionNumber()))
	if err != nil || !public(found.TypeDescriptor().ParentFile()) {
		return nil, protoregistry.NotFound
	}
	return found.TypeDescriptor().ParentFile(), nil
}

// extensions gives the numbers of what extends a type.
func (r resolver) extensions(name string) ([]int32, error) {
	if _, err := r.FindDescriptorByName(protoreflect.FullName(name)); err != nil {
		return nil, err
	}
	var numbers []int32
	protoregistry.GlobalTypes.RangeExtensionsByMessage(protoreflect.FullName(name), func(e protoreflect.ExtensionType) bool {
		if public(e.TypeDescriptor().ParentFile()) {
			numbers = append(numbers, int32(e.TypeDescriptor().Number()))
		}
		return true
	})
	slices.Sort(numbers)
	return numbers, nil
}

// encoded gives a file, and all that it imports and that was not sent yet. Files that do not exist are left out.
func (r resolver) encoded(file protoreflect.FileDescriptor, sent map[string]bool) ([][]byte, error) {
	var all [][]byte
	seen := map[string]bool{}
	for line := []protoreflect.FileDescriptor{file}; len(line) > 0; line = line[1:] {
		next := line[0]
		if next.IsPlaceholder() || seen[next.Path()] {
			continue
		}
		seen[next.Path()] = true
		if len(all) == 0 || !sent[next.Path()] {
			data, err := r.encode(next)
			if err != nil {
				return nil, err
			}
			sent[next.Path()] = true
			all = append(all, data)
		}
		for i := range next.Imports().Len() {
			line = append(line, next.Imports().Get(i).FileDescriptor)
		}
	}
	return all, nil
}

// serviceNames gives weft's own services and those that functions of a namespace export.
func (g *Gateway) serviceNames(namespace string) []string {
	names := slices.Sorted(maps.Keys(g.own))
	for name := range g.config.Catalog.View().Services(namespace) {
		names = append(names, name)
	}
	return names
}

func namespaceIn(ctx context.Context) string {
	return namespaceOf(metadataOf(ctx))
}
