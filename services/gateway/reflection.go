package gateway

import (
	"context"
	"maps"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/reflection"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// reflections answers both versions of grpc.reflection. Every question is answered from the catalog as it is then, also
// in a stream that began before a deploy.
type reflections struct {
	reflectionv1.UnimplementedServerReflectionServer
	gateway *Gateway
}

// reflectionsAlpha is reflections for clients that know only the older version.
type reflectionsAlpha struct {
	reflectionv1alpha.UnimplementedServerReflectionServer
	gateway *Gateway
}

func (g *Gateway) registerReflection() {
	g.register(&reflectionv1.ServerReflection_ServiceDesc, &reflections{gateway: g}, openMessage)
	g.register(&reflectionv1alpha.ServerReflection_ServiceDesc, &reflectionsAlpha{gateway: g}, openMessage)
}

func (r *reflections) ServerReflectionInfo(stream reflectionv1.ServerReflection_ServerReflectionInfoServer) error {
	return reflection.NewServerV1(r.gateway.reflected(stream.Context())).ServerReflectionInfo(stream)
}

func (r *reflectionsAlpha) ServerReflectionInfo(stream reflectionv1alpha.ServerReflection_ServerReflectionInfoServer) error {
	return reflection.NewServer(r.gateway.reflected(stream.Context())).ServerReflectionInfo(stream)
}

// reflected says where the answers of one stream come from.
func (g *Gateway) reflected(ctx context.Context) reflection.ServerOptions {
	return reflection.ServerOptions{
		Services:           listing{gateway: g, namespace: namespaceIn(ctx)},
		DescriptorResolver: latest{schemas: g.schemas, namespace: namespaceIn(ctx)},
	}
}

// listing names the services of a namespace and weft's own.
type listing struct {
	gateway   *Gateway
	namespace string
}

func (l listing) GetServiceInfo() map[string]grpc.ServiceInfo {
	info := map[string]grpc.ServiceInfo{}
	for _, name := range l.gateway.serviceNames(l.namespace) {
		info[name] = grpc.ServiceInfo{}
	}
	return info
}

// latest is the resolver of a namespace in the view of the moment.
type latest struct {
	schemas   *schemas
	namespace string
}

func (l latest) FindFileByPath(path string) (protoreflect.FileDescriptor, error) {
	return l.schemas.in(l.namespace).FindFileByPath(path)
}

func (l latest) FindDescriptorByName(name protoreflect.FullName) (protoreflect.Descriptor, error) {
	return l.schemas.in(l.namespace).FindDescriptorByName(name)
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
