package lean

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is a server on loopback.
type fixture struct {
	*Server
	address string
}

// start starts a server.
func start(t testing.TB, handler Handler, other func(net.Conn), configure ...func(*Config)) *fixture {
	t.Helper()
	config := Config{
		Handler: handler, Other: other, Small: 4 << 10, Streams: 100, HeaderList: 16 << 10, Window: 64 << 10, ConnectionWindow: 1 << 20, Unread: 8 << 20,
		Handshake: 10 * time.Second, Idle: time.Minute, Alive: time.Minute, PingInterval: 10 * time.Second,
	}
	for _, c := range configure {
		c(&config)
	}
	f := &fixture{Server: New(config)}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.address = listener.Addr().String()
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			nc, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { f.Serve(nc) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		f.Stop()
		serving.Wait()
	})
	return f
}

// grpcOther has a server of grpc-go serve what is relayed.
func grpcOther(t testing.TB, server *grpc.Server) func(net.Conn) {
	t.Helper()
	conns := make(queue)
	served := make(chan error, 1)
	go func() { served <- server.Serve(conns) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Errorf("grpc-go: %v", err)
		}
	})
	return func(nc net.Conn) { conns <- nc }
}

// queue is a listener of connections that are put in.
type queue chan net.Conn

func (q queue) Accept() (net.Conn, error) {
	if nc, ok := <-q; ok {
		return nc, nil
	}
	return nil, net.ErrClosed
}

func (q queue) Close() error {
	close(q)
	return nil
}

func (queue) Addr() net.Addr { return &net.UnixAddr{Name: "test", Net: "memory"} }

// httpOther has a server of net/http serve what is relayed. Without a handler, it answers with what it gets.
func httpOther(t testing.TB, handlers ...http.HandlerFunc) func(net.Conn) {
	t.Helper()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "hello")
		_, _ = io.Copy(w, r.Body)
	})
	for _, h := range handlers {
		handler = h
	}
	server := &http.Server{Handler: handler, HTTP2: &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 10}, Protocols: new(http.Protocols)}
	server.Protocols.SetUnencryptedHTTP2(true)
	conns := make(queue)
	served := make(chan error, 1)
	go func() { served <- server.Serve(conns) }()
	t.Cleanup(func() {
		_ = server.Close() // The connections are closed already.
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("net/http: %v", err)
		}
	})
	return func(nc net.Conn) { conns <- nc }
}

// echo answers with the request, whatever the method.
type echo struct{}

var echoHeader = NewHeader("application/grpc", nil)

func (echo) Takes(h *Head) bool { return h.Metadata["content-type"] != nil }

func (echo) Start(s *Stream, message []byte) bool {
	s.Answer(echoHeader, mem.SliceBuffer(message), nil)
	return true
}

func (echo) Serve(s *Stream) {
	data, err := readAll(s)
	if err != nil {
		s.Fail(statusOf(err), nil)
		return
	}
	s.Answer(echoHeader, mem.SliceBuffer(data), nil)
}

// readAll reads the only message of a request.
func readAll(s *Stream) ([]byte, error) {
	var header [prefix]byte
	if err := s.ReadMessageHeader(header[:]); err != nil {
		return nil, err
	}
	data, err := s.Read(int(binary.BigEndian.Uint32(header[1:]) % (1 << 24)))
	if err != nil {
		return nil, err
	}
	defer data.Free()
	if err := s.ReadMessageHeader(header[:]); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("after the message: %w", err)
	}
	return data.Materialize(), nil
}

func statusOf(err error) *status.Status {
	if errors.Is(err, context.DeadlineExceeded) {
		return status.New(codes.DeadlineExceeded, err.Error())
	}
	return status.New(codes.Unknown, err.Error())
}

var _ context.Context = (*Stream)(nil)
