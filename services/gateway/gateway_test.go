package gateway

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/router"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	ordersService = "demo.orders.v1.Orders"
	place         = "/demo.orders.v1.Orders/Place"
)

// caller is an executor that answers as a test says.
type caller func(context.Context, executor.Request) (executor.Response, error)

func (c caller) Call(ctx context.Context, r executor.Request) (executor.Response, error) {
	return c(ctx, r)
}

// Start implements router.Starter: it answers from a goroutine of its own.
func (c caller) Start(ctx context.Context, r executor.Request, to executor.Recipient) executor.Started {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		to.Answer(c(ctx, r))
	}()
	return abandonable(cancel)
}

// abandonable is a call that was started.
type abandonable context.CancelFunc

// Abandon implements executor.Started.
func (a abandonable) Abandon() { a() }

// echo answers with the request.
func echo(_ context.Context, r executor.Request) (executor.Response, error) {
	return executor.Response{Message: slices.Clone(r.Message)}, nil
}

// placements says that everything is ready, but for what was taken away.
type placements struct {
	mu      sync.Mutex
	away    map[executor.Key]bool
	changed chan struct{}
}

func newPlacements() *placements {
	return &placements{away: map[executor.Key]bool{}, changed: make(chan struct{})}
}

func (p *placements) Ready(k executor.Key) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.away[k]
}

func (p *placements) Ensure(_ context.Context, k executor.Key) error {
	return fmt.Errorf("load %s: it is away", k)
}

func (p *placements) set(k executor.Key, ready bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away[k] = !ready
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *placements) Changed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changed
}

// fixture is a gateway on loopback with a catalog, in which the function orders is deployed.
type fixture struct {
	*Gateway
	t          testing.TB
	catalog    *catalog.Catalog
	placements *placements
	address    string
	index      atomic.Uint64
}

// start starts a gateway. What configure leaves empty is filled in.
func start(t testing.TB, answer caller, configure ...func(*Config)) *fixture {
	t.Helper()
	f := &fixture{t: t, catalog: catalog.New(), placements: newPlacements()}
	calls := router.New(router.Config{Catalog: f.catalog, Placements: f.placements, Executor: answer})
	config := Config{
		Caller:  calls,
		Catalog: f.catalog,
		Router:  calls,
		Placed:  f.placements.Changed,
		Logger:  slog.New(slog.DiscardHandler),
	}
	for _, c := range configure {
		c(&config)
	}
	g, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	f.Gateway = g
	f.deploy("default", "orders", 0, contractOf("demo.orders.v1", "orders", "Orders", "Place", "Cancel"), ordersService)
	f.address = f.listen()
	return f
}

func (f *fixture) listen() string {
	f.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- f.Serve(listener) }()
	f.t.Cleanup(func() {
		f.Stop()
		if err := <-served; err != nil {
			f.t.Errorf("Serve: %v", err)
		}
	})
	return listener.Addr().String()
}

// apply applies a command to the catalog.
func (f *fixture) apply(command *catalogv1.Command) *catalogv1.Result {
	f.t.Helper()
	index := f.index.Add(1)
	command.RequestId = fmt.Sprint(index)
	result := f.catalog.Apply(index, command)
	if refusal := result.GetRefusal(); refusal != nil {
		f.t.Fatalf("apply %v: %v", command, refusal)
	}
	return result
}

// deploy puts a revision of a function that exports services. The contract may be nil; message is the limit.
func (f *fixture) deploy(namespace, name string, message uint64, contract *weftv1.Contract, services ...string) uint32 {
	f.t.Helper()
	digest := sha256.Sum256([]byte(name))
	put := &catalogv1.PutRevision{
		Namespace: namespace, Name: name,
		Revision: &catalogv1.Revision{Digest: digest[:], Services: services, MessageBytes: message},
	}
	if contract != nil {
		version := f.catalog.View().ContractVersion(namespace, contract.GetPackage())
		contract.Version = version + 1
		put.Contracts = []*weftv1.Contract{contract}
		put.BaseVersions = map[string]uint64{contract.GetPackage(): version}
		put.Revision.Packages = []string{contract.GetPackage()}
	}
	return f.apply(&catalogv1.Command{Action: &catalogv1.Command_PutRevision{PutRevision: put}}).GetRevision()
}

func (f *fixture) remove(namespace, name string) {
	f.t.Helper()
	f.apply(&catalogv1.Command{Action: &catalogv1.Command_DeleteFunction{
		DeleteFunction: &catalogv1.DeleteFunction{Namespace: namespace, Name: name},
	}})
}

// dial connects a client.
func (f *fixture) dial(options ...grpc.DialOption) *grpc.ClientConn {
	f.t.Helper()
	options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.NewClient("passthrough:///"+f.address, options...)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// contractOf makes the contract of a package with one service in one file. Each method takes and gives a message with
// one field of bytes.
func contractOf(pkg, file, service string, methods ...string) *weftv1.Contract {
	path := ""
	for _, c := range pkg {
		if c == '.' {
			c = '/'
		}
		path += string(c)
	}
	described := &descriptorpb.FileDescriptorProto{
		Name: new(path + "/" + file + ".proto"), Package: new(pkg), Syntax: new("proto3"),
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: new(service)}},
	}
	for _, method := range methods {
		for _, suffix := range []string{"Request", "Response"} {
			described.MessageType = append(described.MessageType, &descriptorpb.DescriptorProto{
				Name: new(method + suffix),
				Field: []*descriptorpb.FieldDescriptorProto{{
					Name: new("value"), Number: new(int32(1)), JsonName: new("value"),
					Type:  descriptorpb.FieldDescriptorProto_TYPE_BYTES.Enum(),
					Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
				}},
			})
		}
		described.Service[0].Method = append(described.Service[0].Method, &descriptorpb.MethodDescriptorProto{
			Name: new(method), InputType: new("." + pkg + "." + method + "Request"),
			OutputType: new("." + pkg + "." + method + "Response"),
		})
	}
	return &weftv1.Contract{Package: pkg, Files: []*descriptorpb.FileDescriptorProto{described}}
}

// answer is what a call gave.
type answer struct {
	message []byte
	header  metadata.MD
	trailer metadata.MD
	err     error
}

// call makes a unary call with bytes, and metadata as pairs.
func (f *fixture) call(conn *grpc.ClientConn, method string, message []byte, pairs ...string) answer {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return callWith(metadata.AppendToOutgoingContext(ctx, pairs...), conn, method, message)
}

func callWith(ctx context.Context, conn *grpc.ClientConn, method string, message []byte, options ...grpc.CallOption) answer {
	var a answer
	options = append(options, grpc.ForceCodecV2(bytesCodec{}), grpc.Header(&a.header), grpc.Trailer(&a.trailer),
		grpc.MaxCallRecvMsgSize(1<<30), grpc.MaxCallSendMsgSize(1<<30))
	a.err = conn.Invoke(ctx, method, &message, &a.message, options...)
	return a
}
