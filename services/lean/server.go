package lean

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-run/weft/internal/calls"
)

// Handler answers the calls that it takes.
type Handler interface {
	// Takes tells whether the handler answers a request; otherwise it is relayed. The head is shared by all requests that
	// look the same, and may be given a Note. It is called by the goroutine that reads, and must not wait.
	Takes(*Head) bool
	// Start answers a request whose message is small and here whole, or begins to: it must not wait. The message stays as it
	// is for good. If it is false, Serve gets the stream.
	Start(s *Stream, message []byte) bool
	// Serve answers a request, which it reads from the stream. It has a goroutine for itself.
	Serve(*Stream)
}

// Config configures a Server.
type Config struct {
	Handler Handler
	// Other serves a connection with the streams that Handler does not take, and returns at once. It closes the connection
	// when it is done with it. The address of the remote side is that of the client.
	Other func(net.Conn)
	// Context gives the values of the contexts of a connection's streams. Nil: there are none.
	Context func(net.Conn) context.Context
	// Small is up to which size a message is given to Handler.Start, in bytes. It must be below Window.
	Small int
	// Streams bounds the streams of one connection at once, and the handlers that run for it.
	Streams int
	// HeaderList bounds the headers of a request, in bytes as HTTP/2 counts them.
	HeaderList int
	// Window is what a client may send on a stream before anybody reads, ConnectionWindow on a connection, in bytes. The window
	// of streams of the server behind Other must be the same.
	Window, ConnectionWindow int
	// Unread bounds what clients have sent and nobody has read, on all connections, in bytes, beyond one Window for each. Streams with more are reset.
	Unread int64
	// Handshake is how long a new connection may take to say that it speaks HTTP/2.
	Handshake time.Duration
	// Idle is how long a client may be silent until it is asked for a sign of life; Alive how long it may take to give one.
	Idle, Alive time.Duration
	// PingInterval is how often a client may ask for one.
	PingInterval time.Duration
}

// Server serves connections. Its methods are safe for concurrent use.
type Server struct {
	config  Config
	workers calls.Workers
	serving sync.WaitGroup
	unread  atomic.Int64 // what connections have taken of Config.Unread

	mu       sync.Mutex
	conns    map[*conn]struct{} // guarded by mu
	draining bool               // guarded by mu
}

// New returns a server. It must be stopped.
func New(config Config) *Server {
	return &Server{config: config, conns: map[*conn]struct{}{}}
}

// Serve serves a connection and returns when it is closed and its handlers have answered. It closes the connection, also if it
// serves none any more.
func (s *Server) Serve(nc net.Conn) {
	c := newConn(s, nc)
	if !s.add(c) {
		_ = nc.Close() // Nothing was sent on it.
		return
	}
	defer s.remove(c)
	c.serve()
}

func (s *Server) add(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return false
	}
	s.conns[c] = struct{}{}
	s.serving.Add(1)
	return true
}

func (s *Server) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	s.serving.Done()
}

// open gives the connections and takes no more.
func (s *Server) open() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
	open := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		open = append(open, c)
	}
	return open
}

// Drain tells clients to send no more calls, and returns when all that were sent have ended and the connections are
// closed. Stop cuts it short.
func (s *Server) Drain() {
	for _, c := range s.open() {
		c.drain()
	}
	s.serving.Wait()
}

// Stop closes all connections and returns when their handlers have ended.
func (s *Server) Stop() {
	for _, c := range s.open() {
		c.fail(net.ErrClosed)
	}
	s.serving.Wait()
	s.workers.Close()
}
