package link

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/weft-run/weft/consensus"
	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/executor/transcode"
)

// FuzzRequest: what can be read as a request is the same when it is written and read again.
func FuzzRequest(f *testing.F) {
	full := request([]byte("message"))
	f.Add(append(appendRequest(nil, &full, time.Second), full.Message...))
	f.Add([]byte(small))
	f.Add([]byte("\x00\x00\x00\x0d\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\x0f"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, left, err := parseRequest(b)
		if err != nil {
			return
		}
		again, leftAgain, err := parseRequest(append(appendRequest(nil, &r, left), r.Message...))
		if err != nil || left != leftAgain || !sameLists(r.Metadata, again.Metadata) || !bytes.Equal(r.Message, again.Message) {
			t.Fatalf("%+v became %+v: %v", r, again, err)
		}
		r.Metadata, again.Metadata, r.Message, again.Message = nil, nil, nil, nil
		if !reflect.DeepEqual(r, again) {
			t.Fatalf("%+v became %+v", r, again)
		}
	})
}

// FuzzResponse is FuzzRequest for responses.
func FuzzResponse(f *testing.F) {
	for _, err := range []error{
		nil, context.Canceled, &executor.FunctionError{Case: "not-found", Message: "m", DetailType: "t", Detail: []byte{1}},
		NotStarted(&executor.Error{Reason: executor.QueueFull, Message: "full", Backtrace: []string{"f"}}),
		&executor.Error{Reason: executor.MalformedRequest, Err: &transcode.Error{Path: "p", Msg: "m"}},
	} {
		r := Response{Response: executor.Response{Message: []byte("m"), Trailers: map[string][]string{"k": {"v", ""}}}, Load: Load{1, 2}}
		head, body := appendResponse(nil, &r, err)
		f.Add(append(head, body...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, failure, err := parseResponse(b, "b")
		if err != nil {
			return
		}
		head, body := appendResponse(nil, &r, failure)
		again, failureAgain, err := parseResponse(append(head, body...), "b")
		if err != nil || !reflect.DeepEqual(failure, failureAgain) || !sameLists(r.Trailers, again.Trailers) || !bytes.Equal(r.Message, again.Message) {
			t.Fatalf("%+v, %#v became %+v, %#v: %v", r, failure, again, failureAgain, err)
		}
		if r.Load != again.Load || r.Timings != again.Timings {
			t.Fatalf("%+v became %+v", r, again)
		}
	})
}

// FuzzHello reads hellos.
func FuzzHello(f *testing.F) {
	f.Add(hello(settings{1, maxPayload, minWindow}))
	f.Add([]byte("weftcall\x01\x01\x00\x02\x63\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := readHello(bytes.NewReader(b))
		if err == nil && (s.streams == 0 || s.message > MaxMessage || s.window < minWindow) {
			t.Fatalf("%+v is allowed", s)
		}
	})
}

// script is a connection whose other end says what it says, once it has got as much as it waits for.
type script struct {
	net.Conn
	in     bytes.Reader
	writes chan struct{} // filled by writes
	first  chan struct{} // closed by the first write after the hello
	once   sync.Once
	hello  int // bytes of it that are not read yet
	wait   bool
	closed chan struct{}
	ended  sync.Once
}

func newScript(frames []byte, wait bool) *script {
	greeting := hello(settings{100, 1 << 20, minWindow})
	s := &script{
		writes: make(chan struct{}, 1), first: make(chan struct{}), closed: make(chan struct{}),
		hello: len(greeting), wait: wait,
	}
	s.in.Reset(append(greeting, frames...))
	return s
}

func (s *script) Read(b []byte) (int, error) {
	if s.hello > 0 {
		n, err := s.in.Read(b[:min(len(b), s.hello)])
		s.hello -= n
		return n, err
	}
	if s.wait {
		select {
		case <-s.first:
		case <-s.closed:
			return 0, net.ErrClosed
		}
	}
	return s.in.Read(b)
}

func (s *script) Write(b []byte) (int, error) {
	select {
	case s.writes <- struct{}{}: // the hello
	default:
		s.once.Do(func() { close(s.first) })
	}
	return len(b), nil
}

func (s *script) Close() error {
	s.ended.Do(func() { close(s.closed) })
	return nil
}

// scriptPort dials a script.
type scriptPort struct{ conn *script }

func (scriptPort) ID() string                                               { return "a" }
func (scriptPort) Handle(string, consensus.Handler)                         {}
func (p scriptPort) Dial(context.Context, string, string) (net.Conn, error) { return p.conn, nil }
func quietly(c *Config) {
	c.Memory, c.Silence, c.Logger = 1<<20, time.Hour, slog.New(slog.DiscardHandler)
}

// FuzzPeerThatCalls gives what a peer may send to the side that answers.
func FuzzPeerThatCalls(f *testing.F) {
	f.Add([]byte(frame(kindRequest, 1, small+"hello") + frame(kindCancel, 1, "")))
	f.Add([]byte(announcement(1, uint64(len(small))) + frame(kindData, 1, small[:2]) + frame(kindData, 1, small[2:])))
	f.Add([]byte(announcement(1, 1<<20) + announcement(2, 1<<20) + frame(kindData, 1, "x") + frame(kindCancel, 1, "") + frame(kindGrant, 2, "")))
	f.Add([]byte(frame(kindPing, 0, "12345678") + frame(kindSkip, 0, "x") + "\xff\xff\xff\xff\x01\x00\x00\x00\x00\x01"))
	f.Fuzz(func(t *testing.T, frames []byte) {
		l := start(t, scriptPort{}, echo, quietly)
		conn := newScript(frames, false)
		l.accept(conn, "x")
		<-conn.closed
		eventually(t, "nothing is held", func() bool { return len(l.snapshot()) == 0 && idle(l) && l.peer("x").answerers.Load() == 0 })
		closeNow(t, l)
	})
}

// FuzzPeerThatAnswers gives what a peer may send to the side that calls.
func FuzzPeerThatAnswers(f *testing.F) {
	head, _ := appendResponse(nil, new(Response), nil)
	ok := string(head)
	f.Add([]byte(frame(kindResponse, 1, ok+"hello")), false)
	f.Add([]byte(frame(kindGrant, 1, "")+frame(kindCredit, 0, "\x00\x00\x40\x00")+frame(kindResponse, 1, ok)), true)
	f.Add([]byte(announcement(1, uint64(len(ok)))+frame(kindData, 1, ok[:2])+frame(kindData, 1, ok[2:])), false)
	f.Add([]byte(frame(kindGoAway, 0, "")+frame(kindResponse, 1, "")), false)
	f.Fuzz(func(t *testing.T, frames []byte, large bool) {
		l := start(t, scriptPort{newScript(frames, true)}, echo, quietly)
		message := make([]byte, 10)
		if large {
			message = make([]byte, 100_000)
		}
		_, err := l.Call(patience(t), "b", Request{Request: executor.Request{Message: message}})
		if errors.Is(err, context.DeadlineExceeded) && patience(t).Err() != nil {
			t.Fatal("the call does not end")
		}
		closeNow(t, l)
		if !idle(l) {
			t.Fatal("something is held")
		}
	})
}

func TestNothingIsAllocatedByClaim(t *testing.T) {
	a := &assembly{total: MaxMessage}
	if err := a.read(bytes.NewReader([]byte("ten bytes.")), 10); err != nil || cap(a.bytes) > firstPieces {
		t.Errorf("%v; 10 bytes of %d take %d", err, a.total, cap(a.bytes))
	}
	if err := a.read(bytes.NewReader(nil), 10); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a piece that is cut off gives %v", err)
	}
	c := cursor[string]{rest: "\xff\xff\xff\x7f"}
	if m := c.lists(); m != nil || !c.bad {
		t.Errorf("%d keys in no bytes", len(m))
	}
	list := appendStrings(nil, make([]string, maxStrings+1))
	d := cursor[[]byte]{rest: list}
	if got := d.strings(); !d.bad || len(got) > 0 {
		t.Errorf("%d strings", len(got))
	}
}
