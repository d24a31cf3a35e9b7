package lean

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// watched is a connection that counts what its writer writes.
type watched struct {
	*net.TCPConn
	writes atomic.Int64
}

func (w *watched) Write(b []byte) (int, error) {
	w.writes.Add(1)
	return w.TCPConn.Write(b)
}

// watch gives a client, and the server's side of its connection.
func (f *fixture) watch(t *testing.T, settings ...http2.Setting) (*raw, *watched) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	nc, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	w := &watched{TCPConn: nc.(*net.TCPConn)}
	served := make(chan struct{})
	go func() {
		defer close(served)
		f.Serve(w)
	}()
	t.Cleanup(func() {
		_ = client.Close()
		<-served
	})
	return newRaw(t, client, settings...), w
}

// calm answers when nobody writes.
type calm struct{ echo }

func (h calm) Start(s *Stream, message []byte) bool {
	writes := func() bool {
		c := s.conn
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.writing || c.hasWords()
	}
	for late := time.Now().Add(20 * time.Second); writes() && time.Now().Before(late); {
		runtime.Gosched()
	}
	return h.echo.Start(s, message)
}

// TestAnswersAtOnce checks that the writer is not woken for a small answer with which nothing else would go out.
func TestAnswersAtOnce(t *testing.T) {
	c, server := start(t, calm{}, httpOther(t)).watch(t)
	c.call(1, "first") // With the settings, the writer has something to write, too.
	c.data(1)
	before := server.writes.Load()
	for id := uint32(3); id < 100; id += 2 {
		c.call(id, "hello")
		if got := c.data(id); !strings.HasSuffix(got, "hello") {
			t.Fatalf("%q came", got)
		}
	}
	if n := server.writes.Load() - before; n != 0 {
		t.Errorf("the writer wrote %d times", n)
	}
}

// TestAnswersTheSystemDoesNotTake has a client that does not read: the writer writes the rest of what the system did not take at once.
func TestAnswersTheSystemDoesNotTake(t *testing.T) {
	const calls, size = 90, smallAnswer
	f := start(t, echo{}, httpOther(t))
	c, server := f.watch(t)
	_ = server.SetWriteBuffer(4 << 10)
	_ = c.net.(*net.TCPConn).SetReadBuffer(64 << 10) // A smaller one drops packets, which are sent again after times that double.
	c.did(c.WriteWindowUpdate(0, 1<<20))
	blocked := func() bool {
		s := f.only(t)
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.ready) > 0
	}
	sent := 0
	for ; sent < calls && !blocked(); sent++ {
		id := uint32(2*sent + 1)
		message := binary.BigEndian.AppendUint32([]byte{0}, size)
		message = append(message, bytes.Repeat([]byte{byte(sent)}, size)...)
		c.begin(id, http.MethodPost, "application/grpc")
		c.did(c.WriteData(id, true, message))
		await(t, "the answer", func() bool { return f.answered(t, id) })
	}
	if !blocked() {
		t.Fatalf("%d answers fit", sent)
	}
	for i := range sent {
		if got := c.data(uint32(2*i + 1)); got != "\x00"+string(binary.BigEndian.AppendUint32(nil, size))+strings.Repeat(string([]byte{byte(i)}), size) {
			t.Fatalf("answer %d of %d is not what was asked", i, sent)
		}
	}
	if server.writes.Load() < 2 {
		t.Error("the writer wrote nothing but the settings")
	}
}

// TestWriterWaitsForWhoAnswers has the writer begin while an answer is being written: it does not write beside it, but what is left when
// that is done.
func TestWriterWaitsForWhoAnswers(t *testing.T) {
	client, side := net.Pipe()
	defer client.Close()
	c := newConn(start(t, echo{}, httpOther(t)).Server, side)
	c.writing, c.control = true, []byte("left")
	batch := make(chan string)
	go func() { batch <- string(c.gather(false)) }()
	for range 1000 {
		runtime.Gosched()
		select {
		case b := <-batch:
			t.Fatalf("%q is written beside the answer", b)
		default:
		}
	}
	c.mu.Lock()
	c.writing = false
	c.wake.Signal()
	c.mu.Unlock()
	if got := <-batch; got != "left" {
		t.Errorf("%q is written", got)
	}
}
