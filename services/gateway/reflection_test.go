package gateway

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/failure"
)

// reflector asks over one stream of reflection v1.
type reflector struct {
	t      *testing.T
	stream reflectionv1.ServerReflection_ServerReflectionInfoClient
}

func reflect(ctx context.Context, t *testing.T, conn *grpc.ClientConn, pairs ...string) *reflector {
	t.Helper()
	ctx = metadata.AppendToOutgoingContext(ctx, pairs...)
	stream, err := reflectionv1.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return &reflector{t: t, stream: stream}
}

func (r *reflector) ask(request *reflectionv1.ServerReflectionRequest) *reflectionv1.ServerReflectionResponse {
	r.t.Helper()
	if err := r.stream.Send(request); err != nil {
		r.t.Fatal(err)
	}
	response, err := r.stream.Recv()
	if err != nil {
		r.t.Fatal(err)
	}
	return response
}

func (r *reflector) services() []string {
	r.t.Helper()
	var names []string
	for _, s := range r.ask(&reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{},
	}).GetListServicesResponse().GetService() {
		names = append(names, s.GetName())
	}
	return names
}

// symbol gives the files that tell about a name; nil if there are none.
func (r *reflector) symbol(name string) []*descriptorpb.FileDescriptorProto {
	r.t.Helper()
	return r.files(&reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: name},
	})
}

func (r *reflector) file(path string) []*descriptorpb.FileDescriptorProto {
	r.t.Helper()
	return r.files(&reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_FileByFilename{FileByFilename: path},
	})
}

func (r *reflector) files(request *reflectionv1.ServerReflectionRequest) []*descriptorpb.FileDescriptorProto {
	r.t.Helper()
	response := r.ask(request)
	if e := response.GetErrorResponse(); e != nil {
		if codes.Code(e.GetErrorCode()) != codes.NotFound {
			r.t.Errorf("%v: %v", request, e)
		}
		return nil
	}
	var files []*descriptorpb.FileDescriptorProto
	for _, data := range response.GetFileDescriptorResponse().GetFileDescriptorProto() {
		file := new(descriptorpb.FileDescriptorProto)
		if err := proto.Unmarshal(data, file); err != nil {
			r.t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

func TestReflectionFollowsDeploys(t *testing.T) {
	f := start(t, echo)
	r := reflect(t.Context(), t, f.dial())
	own := []string{
		"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
	}
	if got, want := r.services(), append([]string{ordersService}, own...); !slices.Equal(got, want) {
		t.Errorf("services %v; want %v", got, want)
	}
	files := r.symbol(ordersService + ".Place")
	if len(files) != 1 || files[0].GetName() != "demo/orders/v1/orders.proto" || len(files[0].GetService()[0].GetMethod()) != 2 {
		t.Fatalf("files %v", files)
	}
	f.deploy("default", "orders", 0, contractOf("demo.orders.v1", "orders", "Orders", "Place", "Cancel", "Refund"), ordersService)
	if files := r.symbol("demo.orders.v1.RefundRequest"); len(files) != 1 || len(files[0].GetService()[0].GetMethod()) != 3 {
		t.Errorf("after a deploy, in the same stream: %v", files)
	}
	f.remove("default", "orders")
	if got := r.services(); !slices.Equal(got, own) {
		t.Errorf("after deletion: %v", got)
	}
	if files := r.symbol(ordersService); len(files) != 1 {
		t.Error("the contract is gone with the function")
	}
	f.apply(&catalogv1.Command{Action: &catalogv1.Command_ForgetContract{
		ForgetContract: &catalogv1.ForgetContract{Namespace: "default", Package: "demo.orders.v1"},
	}})
	if files := r.symbol(ordersService); files != nil {
		t.Errorf("after forget: %v", files)
	}
}

func TestReflectionKnowsNamespaces(t *testing.T) {
	f := start(t, echo)
	f.deploy("shop", "other", 0, contractOf("demo.orders.v1", "orders", "Orders", "Sell"), ordersService)
	f.deploy("shop", "third", 0, contractOf("demo.shop.v1", "shop", "Shop", "Open"), "demo.shop.v1.Shop")
	conn := f.dial()
	here, there := reflect(t.Context(), t, conn), reflect(t.Context(), t, conn, "weft-namespace", "shop")
	if here.symbol("demo.shop.v1.Shop") != nil || there.symbol("demo.shop.v1.Shop") == nil {
		t.Error("a service is seen from the wrong namespace")
	}
	if m := there.symbol(ordersService)[0].GetService()[0].GetMethod()[0].GetName(); m != "Sell" {
		t.Errorf("the method there is %s", m)
	}
	if !slices.Contains(there.services(), "demo.shop.v1.Shop") || slices.Contains(here.services(), "demo.shop.v1.Shop") {
		t.Errorf("services: here %v, there %v", here.services(), there.services())
	}
	if here.file("demo/shop/v1/shop.proto") != nil || there.file("demo/shop/v1/shop.proto") == nil {
		t.Error("a file is seen from the wrong namespace")
	}
}

func TestReflectionResolvesWhatIsLinked(t *testing.T) {
	f := start(t, echo)
	r := reflect(t.Context(), t, f.dial())
	for _, name := range []string{
		"google.protobuf.Empty", "google.rpc.ErrorInfo", "google.rpc.BadRequest.FieldViolation", "google.rpc.Status",
		"grpc.health.v1.Health.Watch", "weft.v1.Contract",
	} {
		if r.symbol(name) == nil {
			t.Errorf("%s is not found", name)
		}
	}
	for _, name := range []string{
		"weft.catalog.v1.Command", "bench.records.v1.Records", "demo", "", "demo.orders.v1", "demo.orders.v1.Nothing",
		"demo.orders.v1.Orders.Nothing", strings.Repeat("a.", maxName) + "b", "..", "\x00",
	} {
		if files := r.symbol(name); files != nil {
			t.Errorf("%.40q is found in %s", name, files[0].GetName())
		}
	}
	for _, path := range []string{"", "/", "..", "demo/orders/v1/nothing.proto", "weft/catalog/v1/catalog.proto", strings.Repeat("a/", maxName)} {
		if r.file(path) != nil {
			t.Errorf("file %.40q is found", path)
		}
	}
}

func TestReflectionFollowsImports(t *testing.T) {
	f := start(t, echo)
	f.deploy("default", "types", 0, contractOf("demo.types.v1", "types", "Types", "Get"), "demo.types.v1.Types")
	importing := contractOf("demo.user.v1", "user", "User", "Use")
	file := importing.GetFiles()[0]
	file.Dependency = []string{"demo/types/v1/types.proto", "google/protobuf/empty.proto"}
	file.MessageType[0].Field = append(file.MessageType[0].Field, &descriptorpb.FieldDescriptorProto{
		Name: new("got"), Number: new(int32(2)), TypeName: new(".demo.types.v1.GetResponse"),
		Type:  descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum(),
		Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
	}, &descriptorpb.FieldDescriptorProto{
		Name: new("nothing"), Number: new(int32(3)), TypeName: new(".google.protobuf.Empty"),
		Type:  descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum(),
		Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
	})
	f.deploy("default", "user", 0, importing, "demo.user.v1.User")
	files := reflect(t.Context(), t, f.dial()).symbol("demo.user.v1.User")
	if _, err := protodesc.NewFiles(&descriptorpb.FileDescriptorSet{File: files}); err != nil || len(files) != 3 {
		t.Errorf("%d files, %v", len(files), err)
	}
}

// TestContractsThatDoNotHoldTogether can't be deployed; if one is there all the same, it is not found.
func TestContractsThatDoNotHoldTogether(t *testing.T) {
	f := start(t, echo)
	missing := contractOf("demo.missing.v1", "missing", "Missing", "Get")
	missing.GetFiles()[0].Dependency = []string{"demo/nowhere/v1/nowhere.proto"}
	self := contractOf("demo.self.v1", "self", "Self", "Get")
	self.GetFiles()[0].Dependency = []string{"demo/self/v1/self.proto"}
	wrong := contractOf("demo.wrong.v1", "wrong", "Wrong", "Get")
	wrong.GetFiles()[0].MessageType[0].Field[0].Type = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum()
	for name, contract := range map[string]*weftv1.Contract{"Missing": missing, "Self": self, "Wrong": wrong} {
		service := contract.GetPackage() + "." + name
		f.deploy("default", strings.ToLower(name), 0, contract, service)
		if files := reflect(t.Context(), t, f.dial()).symbol(service); files != nil {
			t.Errorf("%s is found", service)
		}
	}
	if reflect(t.Context(), t, f.dial()).symbol(ordersService) == nil {
		t.Error("others are not found either")
	}
}

//nolint:staticcheck // It is deprecated, and served because clients use it.
func TestReflectionV1Alpha(t *testing.T) {
	f := start(t, echo)
	stream, err := reflectionv1alpha.NewServerReflectionClient(f.dial()).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, request := range []*reflectionv1alpha.ServerReflectionRequest{
		{MessageRequest: &reflectionv1alpha.ServerReflectionRequest_ListServices{}},
		{MessageRequest: &reflectionv1alpha.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: ordersService}},
	} {
		if err := stream.Send(request); err != nil {
			t.Fatal(err)
		}
		response, err := stream.Recv()
		if err != nil || response.GetErrorResponse() != nil {
			t.Errorf("%v: %v, %v", request, response, err)
		}
	}
}

// TestReflectionOfManyPackages expects an answer for every service of hundreds, and few of them to be kept.
func TestReflectionOfManyPackages(t *testing.T) {
	f := start(t, echo)
	const count = maxSchemas + 50
	service := func(i int) string { return fmt.Sprintf("demo.f%d.v1.S", i) }
	for i := range count {
		f.deploy("default", fmt.Sprint("f", i), 0, contractOf(fmt.Sprintf("demo.f%d.v1", i), "s", "S", "Get"), service(i))
	}
	r := reflect(t.Context(), t, f.dial())
	for range 2 {
		for i := range count {
			if files := r.symbol(service(i) + ".Get"); len(files) != 1 {
				t.Fatalf("%s: files %v", service(i), files)
			}
		}
	}
	if n := f.schemas.state.Load().packages.Len(); n > maxSchemas {
		t.Errorf("%d packages are kept", n)
	}
}

// BenchmarkSchema is what a question costs the first time after a deploy, with 10,000 packages in the namespace.
func BenchmarkSchema(b *testing.B) {
	f := start(b, echo)
	for i := range 10_000 {
		name := "f" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + strings.Repeat("y", i/26%50) + strings.Repeat("z", i/1300)
		f.deploy("default", name, 0, contractOf("demo."+name+".v1", "s", "S", "Get"), "demo."+name+".v1.S")
	}
	view := f.catalog.View()
	b.ResetTimer()
	for b.Loop() {
		fresh := newSchemas(fixed{view})
		if _, err := fresh.in("default").FindDescriptorByName(ordersService); err != nil {
			b.Fatal(err)
		}
	}
}

// fixed is a catalog that does not change.
type fixed struct{ view *catalog.View }

func (f fixed) View() *catalog.View { return f.view }

// TestReflectionThatNobodyReads asks over many streams and reads no answer: they are held within Config.Memory, and refused beyond.
func TestReflectionThatNobodyReads(t *testing.T) {
	const streams, memory = 100, 64 << 10
	const held = memory / 2 * 3 / 2 / leastAnswer
	f := start(t, echo, func(c *Config) { c.Memory = memory })
	question, err := proto.Marshal(&reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: ordersService},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := f.dialRaw(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
	for i := range uint32(streams) {
		c.headers(2*i+1, false, ":path", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
		c.data(2*i+1, false, frame(0, question))
	}
	for range streams - held {
		if _, st := c.ended(); st.Code() != codes.ResourceExhausted {
			t.Fatal(st)
		}
	}
	if n := f.memory.inUse(); n != held*leastAnswer {
		t.Errorf("%d bytes are held", n)
	}
}

// TestQuestionsWaitForOthers: few questions are answered at once, and those that wait end with their streams.
func TestQuestionsWaitForOthers(t *testing.T) {
	r := &reflections{gateway: start(t, echo).Gateway, working: make(chan struct{}, 1)}
	list := &reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}
	for range 2 {
		if _, err := r.answer(t.Context(), list, nil); err != nil {
			t.Error(err)
		}
	}
	r.working <- struct{}{}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := r.answer(gone, list, nil)
	expect(t, err, codes.Canceled, failure.Canceled)
}

func TestFilesAreEncodedOnce(t *testing.T) {
	f := start(t, echo)
	for _, name := range []string{ordersService, "grpc.health.v1.Health"} {
		file, err := f.schemas.in("default").fileOf(name)
		if err != nil {
			t.Fatal(err)
		}
		first, err := f.schemas.in("default").encode(file)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := f.schemas.in("default").encode(file); err != nil || &again[0] != &first[0] {
			t.Errorf("%s is encoded for each answer, %v", name, err)
		}
	}
}

func TestReflectionOfExtensions(t *testing.T) {
	r := reflect(t.Context(), t, start(t, echo).dial())
	numbers := func(name string) *reflectionv1.ServerReflectionResponse {
		return r.ask(&reflectionv1.ServerReflectionRequest{
			MessageRequest: &reflectionv1.ServerReflectionRequest_AllExtensionNumbersOfType{AllExtensionNumbersOfType: name},
		})
	}
	if got := numbers("google.protobuf.Empty"); got.GetErrorResponse() != nil || len(got.GetAllExtensionNumbersResponse().GetExtensionNumber()) != 0 {
		t.Errorf("a type without extensions: %v", got)
	}
	if got := numbers("demo.Nothing"); codes.Code(got.GetErrorResponse().GetErrorCode()) != codes.NotFound {
		t.Errorf("a type that does not exist: %v", got)
	}
	if files := r.files(&reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_FileContainingExtension{
			FileContainingExtension: &reflectionv1.ExtensionRequest{ContainingType: "google.protobuf.Empty", ExtensionNumber: 1},
		},
	}); files != nil {
		t.Errorf("an extension that does not exist is in %v", files)
	}
}
