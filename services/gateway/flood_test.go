package gateway

import (
	"bufio"
	"context"
	"io"
	"runtime"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"

	"github.com/weft-run/weft/executor"
)

// grownBy is by how many bytes the heap has grown since.
func grownBy(before *runtime.MemStats) int64 {
	var now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&now)
	return int64(now.HeapAlloc) - int64(before.HeapAlloc)
}

func heap() *runtime.MemStats {
	var now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&now)
	return &now
}

// TestStreamsOfOneConnectionThatNobodyReads opens 10,000 streams on one connection with windows wide open, and reads nothing
// at all, not even from the socket. The node takes Config.Streams of them, keeps their answers within Config.Memory, serves
// others, and gives all back when the connection closes.
func TestStreamsOfOneConnectionThatNobodyReads(t *testing.T) {
	const (
		streams, taken = 10_000, 1000
		size           = 64 << 10
		bound          = 16 << 20
	)
	var answered atomic.Int64
	f := start(t, func(_ context.Context, r executor.Request) (executor.Response, error) {
		if len(r.Message) > 0 {
			return executor.Response{Message: []byte("other")}, nil
		}
		answered.Add(1)
		return executor.Response{Message: make([]byte, size)}, nil
	}, func(c *Config) { c.Memory, c.Streams = bound, taken })
	other := f.dial()
	if a := f.call(other, place, []byte("x")); a.err != nil {
		t.Fatal(a.err)
	}
	before := heap()
	c := f.dialRaw(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1<<31 - 1})
	c.must(c.framer.WriteWindowUpdate(0, 1<<31-1-65535))
	for i := range streams {
		id := uint32(2*i + 1)
		c.headers(id, false)
		c.data(id, true, frame(0, nil))
	}
	await(t, "the calls to be answered", func() bool { return answered.Load() >= taken && f.calls.Load() == 0 })
	if a := f.call(other, place, []byte("x")); a.err != nil || string(a.message) != "other" {
		t.Errorf("another client: %q, %v", a.message, a.err)
	}
	if grown := grownBy(before); grown > 4*bound {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
	_ = c.net.Close()
	await(t, "the memory to come back", func() bool { return f.memory.inUse() == 0 })
	if a := f.call(other, place, []byte("x")); a.err != nil {
		t.Errorf("the next call: %v", a.err)
	}
}

// TestRapidReset opens 100,000 streams and resets them at once, as fast as the server reads: few handlers run at any time,
// memory stays bounded, others are served, and the server goes on.
func TestRapidReset(t *testing.T) {
	const streams = 100_000
	var running, most atomic.Int64
	f := start(t, func(ctx context.Context, r executor.Request) (executor.Response, error) {
		if string(r.Message) == "other" {
			return executor.Response{Message: []byte("other")}, nil
		}
		for now := running.Add(1); ; {
			was := most.Load()
			if now <= was || most.CompareAndSwap(was, now) {
				break
			}
		}
		defer running.Add(-1)
		<-ctx.Done()
		return executor.Response{}, ctx.Err()
	}, func(c *Config) { c.Streams = 100 })
	other := f.dial()
	before := heap()
	c := f.dialRaw()
	go func() { _, _ = io.Copy(io.Discard, c.net) }()
	out := bufio.NewWriterSize(c.net, 16<<10)
	c.framer = http2.NewFramer(out, nil)
	message := frame(0, []byte("x"))
	for i := range streams {
		id := uint32(2*i + 1)
		if c.tryHeaders(id, false) != nil || c.framer.WriteData(id, true, message) != nil ||
			c.framer.WriteRSTStream(id, http2.ErrCodeCancel) != nil {
			break // The server may send such a client away.
		}
		if i%(streams/4) == 0 {
			if a := f.call(other, place, []byte("other")); a.err != nil || string(a.message) != "other" {
				t.Errorf("another client, after %d resets: %q, %v", i, a.message, a.err)
			}
		}
	}
	_ = out.Flush() // as above
	if grown := grownBy(before); grown > 128<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
	_ = c.net.Close()
	await(t, "the calls to end", func() bool { return f.calls.Load() == 0 })
	if n := most.Load(); n > 101 { // the reader looks after it has started one
		t.Errorf("%d calls ran at once", n)
	}
}

// TestSlowReader asks for 32 MiB and reads none of it until others were served, then a little at a time, and has all in the
// end.
func TestSlowReader(t *testing.T) {
	const streams, size = 128, 256 << 10
	f := start(t, func(_ context.Context, r executor.Request) (executor.Response, error) {
		if string(r.Message) == "other" {
			return executor.Response{Message: []byte("other")}, nil
		}
		return executor.Response{Message: make([]byte, size)}, nil
	})
	c := f.dialRaw(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1<<31 - 1})
	c.must(c.framer.WriteWindowUpdate(0, 1<<31-1-65535))
	for i := range streams {
		c.headers(uint32(2*i+1), false)
		c.data(uint32(2*i+1), true, frame(0, nil))
	}
	await(t, "the calls to be answered", func() bool { return f.memory.inUse() > 0 && f.calls.Load() == 0 })
	other := f.dial()
	for range 100 {
		if a := f.call(other, place, []byte("other")); a.err != nil {
			t.Fatalf("another client: %v", a.err)
		}
	}
	received, ended := 0, 0
	c.framer = http2.NewFramer(c.net, bufio.NewReaderSize(c.net, 512))
	for ended < streams {
		frame, err := c.framer.ReadFrame()
		c.must(err)
		if data, ok := frame.(*http2.DataFrame); ok {
			received += len(data.Data())
		}
		if headers, ok := frame.(*http2.HeadersFrame); ok && headers.StreamEnded() {
			ended++
		}
	}
	if want := streams * (size + 5); received != want {
		t.Errorf("%d bytes came; want %d", received, want)
	}
	await(t, "the memory to come back", func() bool { return f.memory.inUse() == 0 })
}
