package link

import (
	"context"
	"encoding/binary"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/peer/peertest"
)

// TestLargeMessagesTakeTurns reads what a node sends, frame by frame.
func TestLargeMessagesTakeTurns(t *testing.T) {
	network := peertest.NewNetwork(t)
	connected := make(chan net.Conn, 1)
	network.Port("b").Handle(Protocol, func(conn net.Conn, _ string) {
		if _, err := greet(conn, settings{100, 1 << 20, minWindow}, false); err != nil {
			t.Error(err)
		}
		connected <- conn
	})
	a := start(t, network.Port("a"), echo, func(c *Config) { c.Connections = 1 })
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	call := func(size int) {
		wait.Go(func() {
			_, err := a.Call(ctx, "b", Request{Request: executor.Request{Message: make([]byte, size)}})
			if ctx.Err() == nil {
				t.Error(err)
			}
		})
	}
	call(200_000)
	conn := <-connected
	defer func() { _ = conn.Close() }()
	first, _ := next(t, conn)
	call(300_000)
	second, _ := next(t, conn)
	if first.kind != kindAnnounce || second.kind != kindAnnounce {
		t.Fatalf("types %d and %d; want announcements", first.kind, second.kind)
	}
	send := func(frames string) {
		if _, err := conn.Write([]byte(frames)); err != nil {
			t.Fatal(err)
		}
	}
	piece := func(stream uint32) {
		t.Helper()
		if h, _ := next(t, conn); h.kind != kindData || h.length != pieceSize || h.stream != stream {
			t.Fatalf("type %d, %d bytes, stream %d; want a piece of stream %d", h.kind, h.length, h.stream, stream)
		}
	}
	send(frame(kindGrant, first.stream, ""))
	for range minWindow / pieceSize {
		piece(first.stream)
	}
	send(frame(kindGrant, second.stream, ""))
	call(10) // Without credit nothing large moves; what is small does.
	if h, _ := next(t, conn); h.kind != kindRequest {
		t.Fatalf("type %d; want the small request", h.kind)
	}
	send(frame(kindCredit, 0, string(binary.BigEndian.AppendUint32(nil, minWindow/pieceSize*pieceSize))))
	for range minWindow / pieceSize / 2 {
		piece(first.stream)
		piece(second.stream)
	}
	cancel() // All are canceled, and what is not sent yet is not sent any more.
	for canceled := 0; canceled < 3; {
		if h, _ := next(t, conn); h.kind == kindCancel {
			canceled++
		}
	}
	wait.Wait()
	eventually(t, "nothing is held", func() bool { return idle(a) })
}

// BenchmarkFairness measures small calls, one at a time, while messages of 4 MiB go both ways beside them.
func BenchmarkFairness(b *testing.B) {
	for _, large := range []int{0, 1, 4} {
		b.Run(map[int]string{0: "alone", 1: "1-large", 4: "4-large"}[large], func(b *testing.B) {
			call := linkFor(b, Config{}, echo)
			ctx, cancel := context.WithTimeout(b.Context(), 10*time.Minute)
			var wait sync.WaitGroup
			bulk := request(make([]byte, 4<<20))
			var moved int64
			var mu sync.Mutex
			began := time.Now()
			for range large {
				wait.Go(func() {
					for ctx.Err() == nil {
						if _, err := call(ctx, bulk); err == nil {
							mu.Lock()
							moved += 8 << 20
							mu.Unlock()
						}
					}
				})
			}
			r := request(make([]byte, 76))
			drive(b, 1, func(ctx context.Context) error {
				_, err := call(ctx, r)
				return err
			})
			cancel()
			wait.Wait()
			b.ReportMetric(float64(moved)/time.Since(began).Seconds()/1e6, "large-MB/s")
		})
	}
}
