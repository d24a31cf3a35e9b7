package gateway

import (
	"errors"
	"path"
	"strings"
	"sync"
	"sync/atomic"

	lru "github.com/hashicorp/golang-lru"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	_ "google.golang.org/protobuf/types/known/emptypb" // what contracts import

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/services/near"
	"github.com/weft-run/weft/services/router"
)

// schemas gives descriptors: those of the contracts in a namespace, and behind them those of weft's own API and of what
// both import. A package is built when somebody asks for it, once per state of the catalog as long as it is one of the last few
// that were asked for: descriptors take many times the room of what the catalog has.
type schemas struct {
	catalog Catalog
	state   atomic.Pointer[built]
}

// built are the packages that somebody asked for in one view. It holds only packages that exist.
type built struct {
	view     *catalog.View
	packages *lru.Cache // packageName → *schema
	files    *lru.Cache // protoreflect.FileDescriptor → []byte
}

type packageName struct{ namespace, name string }

// schema is one package with all that it imports. It is built by whoever asks first.
type schema struct {
	once  sync.Once
	files *protoregistry.Files
	err   error
}

func newSchemas(c Catalog) *schemas { return &schemas{catalog: c} }

// in gives the descriptors of a namespace as the catalog has them now.
func (s *schemas) in(namespace string) resolver {
	view := s.catalog.View()
	b := s.state.Load()
	if b == nil || b.view != view {
		b = &built{view: view, packages: newCache(maxSchemas), files: newCache(maxSchemas)}
		s.state.Store(b)
	}
	return resolver{built: b, namespace: namespace}
}

func newCache(size int) *lru.Cache {
	cache, err := lru.New(size)
	if err != nil {
		panic(err) // the size is positive
	}
	return cache
}

// resolver finds descriptors in one namespace of one view. It is a protodesc.Resolver.
type resolver struct {
	*built
	namespace string
}

// maxSchemas is how many packages are kept built, and how many files encoded.
const maxSchemas = 256

// maxName bounds the names that callers may ask for.
const maxName = 1024

// FindFileByPath finds the file of a contract ("demo/orders/v1/orders.proto"), or one that is linked into weft.
func (r resolver) FindFileByPath(name string) (protoreflect.FileDescriptor, error) {
	if len(name) > maxName {
		return nil, protoregistry.NotFound
	}
	if files := r.find(strings.ReplaceAll(path.Dir(name), "/", ".")); files != nil {
		if file, err := files.FindFileByPath(name); err == nil {
			return file, nil
		}
	}
	file, err := protoregistry.GlobalFiles.FindFileByPath(name)
	if err != nil || !public(file) {
		return nil, protoregistry.NotFound
	}
	return file, nil
}

// FindDescriptorByName finds whatever has a full name in a contract, or in a file that is linked into weft.
func (r resolver) FindDescriptorByName(name protoreflect.FullName) (protoreflect.Descriptor, error) {
	if len(name) > maxName {
		return nil, protoregistry.NotFound
	}
	for pkg := name.Parent(); pkg != ""; pkg = pkg.Parent() {
		if files := r.find(string(pkg)); files != nil {
			if found, err := files.FindDescriptorByName(name); err == nil {
				return found, nil
			}
		}
	}
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
	if err != nil || !public(found.ParentFile()) {
		return nil, protoregistry.NotFound
	}
	return found, nil
}

// public tells whether a linked file is for callers: weft's API, what it and the statuses of calls use, and gRPC's own
// services. What weft stores is not.
func public(file protoreflect.FileDescriptor) bool {
	pkg := string(file.Package())
	return pkg == "weft.v1" || strings.HasPrefix(pkg, "google.") || strings.HasPrefix(pkg, "grpc.")
}

// find gives the files of a package; nil if the namespace has no contract of that name, or one that does not hold
// together.
func (r resolver) find(pkg string) *protoregistry.Files {
	if r.view.ContractVersion(r.namespace, pkg) == 0 {
		return nil
	}
	name := packageName{r.namespace, pkg}
	found, ok := r.packages.Get(name)
	if !ok {
		made := new(schema)
		if found, ok, _ = r.packages.PeekOrAdd(name, made); !ok {
			found = made
		}
	}
	s := found.(*schema) //nolint:forcetypeassert // nothing else is put in
	s.once.Do(func() { s.files, s.err = r.build(pkg) })
	return s.files
}

// encode gives a file as reflection sends it. It must not be changed.
func (r resolver) encode(file protoreflect.FileDescriptor) ([]byte, error) {
	if found, ok := r.files.Get(file); ok {
		return found.([]byte), nil //nolint:forcetypeassert // nothing else is put in
	}
	data, err := proto.Marshal(protodesc.ToFileDescriptorProto(file))
	if err == nil {
		r.files.Add(file, data)
	}
	return data, err
}

// build makes descriptors of a contract and of those that it imports.
func (r resolver) build(pkg string) (*protoregistry.Files, error) {
	b := builder{resolver: r, protos: map[string]*descriptorpb.FileDescriptorProto{}, files: new(protoregistry.Files)}
	for _, file := range b.load(pkg).GetFiles() {
		if err := b.add(file.GetName()); err != nil {
			return nil, err
		}
	}
	return b.files, nil
}

// builder puts files together, imports first.
type builder struct {
	resolver
	protos map[string]*descriptorpb.FileDescriptorProto // all files of the packages loaded so far, by path
	files  *protoregistry.Files
}

// load takes in the files of a package.
func (b *builder) load(pkg string) *weftv1.Contract {
	c := b.view.Contract(b.namespace, pkg)
	for _, file := range c.GetFiles() {
		b.protos[file.GetName()] = file
	}
	return c
}

var errImport = errors.New("gateway: a contract imports a file that does not exist, or itself")

// add builds the file of a path, unless that is done. While it is at work on a file, protos holds nil for it.
func (b *builder) add(name string) error {
	if _, err := b.files.FindFileByPath(name); err == nil {
		return nil
	}
	file, begun := b.protos[name]
	if !begun {
		b.load(strings.ReplaceAll(path.Dir(name), "/", "."))
		file = b.protos[name]
	}
	if file == nil {
		if _, err := protoregistry.GlobalFiles.FindFileByPath(name); err == nil && !begun {
			return nil
		}
		return errImport
	}
	b.protos[name] = nil
	for _, dependency := range file.GetDependency() {
		if err := b.add(dependency); err != nil {
			return err
		}
	}
	made, err := protodesc.NewFile(file, linked{b.files})
	if err != nil {
		return err
	}
	return b.files.RegisterFile(made)
}

// linked finds what is built already, and what is linked into weft.
type linked struct{ files *protoregistry.Files }

func (l linked) FindFileByPath(name string) (protoreflect.FileDescriptor, error) {
	if file, err := l.files.FindFileByPath(name); err == nil {
		return file, nil
	}
	return protoregistry.GlobalFiles.FindFileByPath(name)
}

func (l linked) FindDescriptorByName(name protoreflect.FullName) (protoreflect.Descriptor, error) {
	if found, err := l.files.FindDescriptorByName(name); err == nil {
		return found, nil
	}
	return protoregistry.GlobalFiles.FindDescriptorByName(name)
}

// unknownMethod says that a service has no such method, or not in this revision.
func (s *schemas) unknownMethod(target router.Target, method string, key executor.Key) error {
	found, err := s.in(target.Namespace).FindDescriptorByName(protoreflect.FullName(target.Service))
	service, ok := found.(protoreflect.ServiceDescriptor)
	if err != nil || !ok {
		return failure.Newf(codes.Unimplemented, failure.UnknownMethod, "%s has no method %s in service %s", key, method, target.Service)
	}
	methods := service.Methods()
	if methods.ByName(protoreflect.Name(method)) != nil {
		return failure.Newf(codes.Unimplemented, failure.UnknownMethod,
			"%s has no method %s in service %s; another revision or function has", key, method, target.Service)
	}
	names := func(yield func(string) bool) {
		for i := range methods.Len() {
			if !yield(string(methods.Get(i).Name())) {
				return
			}
		}
	}
	return failure.Newf(codes.Unimplemented, failure.UnknownMethod, "service %s has no method %s%s",
		target.Service, method, near.Hint(near.Names(method, names)))
}
