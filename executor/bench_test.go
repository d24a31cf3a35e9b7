package executor

import (
	"context"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// BenchmarkCall is a whole call of a small function that imports WASI, with a fresh instance, one at a time and 64 at a time.
func BenchmarkCall(b *testing.B) {
	g := newGuest(b, Config{}, Limits{Queue: 1000})
	message := protowire.AppendVarint([]byte("\x08"), 7)
	request := Request{Key: g.rev.Key, Service: guestService, Method: "Echo", Message: message}
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := g.Call(context.Background(), request); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("64", func(b *testing.B) {
		b.SetParallelism(64)
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := g.Call(context.Background(), request); err != nil {
					b.Error(err)
				}
			}
		})
	})
}
