package artifacts

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
)

func wants(t *testing.T, what string, err error, code codes.Code) {
	t.Helper()
	if status.Code(err) != code {
		t.Errorf("%s: %v; want %v", what, err, code)
	}
}

func TestHas(t *testing.T) {
	ns := newNodes(t, 2)
	a, b := ns.first(), ns.all[1]
	there, damaged := b.put(t, random(10)), b.put(t, random(11))
	b.damage(t, damaged, random(12))
	client := ns.client(a, b)
	r, err := client.Has(t.Context(), &clusterv1.HasRequest{Digests: [][]byte{there[:], damaged[:], make([]byte, 32)}})
	if err != nil || len(r.GetDigests()) != 1 || Digest(r.GetDigests()[0]) != there || len(r.GetPartials()) != 0 {
		t.Errorf("%v, %v", r, err)
	}
	for _, bad := range [][]byte{nil, make([]byte, 31), make([]byte, 33)} {
		_, err := client.Has(t.Context(), &clusterv1.HasRequest{Digests: [][]byte{there[:], bad}})
		wants(t, "a bad digest", err, codes.InvalidArgument)
	}
	_, err = client.Has(t.Context(), &clusterv1.HasRequest{Digests: make([][]byte, maxDigests+1)})
	wants(t, "too many", err, codes.InvalidArgument)
}

func TestFetchRefusals(t *testing.T) {
	ns := newNodes(t, 2)
	a, b := ns.first(), ns.all[1]
	d := b.put(t, random(10))
	client := ns.client(a, b)
	for name, tt := range map[string]struct {
		request *clusterv1.FetchRequest
		code    codes.Code
	}{
		"no digest":       {&clusterv1.FetchRequest{}, codes.InvalidArgument},
		"half a digest":   {&clusterv1.FetchRequest{Digest: d[:16]}, codes.InvalidArgument},
		"not there":       {&clusterv1.FetchRequest{Digest: make([]byte, 32)}, codes.NotFound},
		"past the end":    {&clusterv1.FetchRequest{Digest: d[:], Offset: 11}, codes.OutOfRange},
		"far past it":     {&clusterv1.FetchRequest{Digest: d[:], Offset: 1 << 63}, codes.OutOfRange},
		"just at the end": {&clusterv1.FetchRequest{Digest: d[:], Offset: 10}, codes.OK},
	} {
		in, err := client.Fetch(t.Context(), tt.request)
		if err != nil {
			t.Fatal(err)
		}
		for err == nil {
			_, err = in.Recv()
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		wants(t, name, err, tt.code)
	}
}

// TestStoreRefusals: what is wrong is refused, and leaves nothing that counts as an artifact.
func TestStoreRefusals(t *testing.T) {
	data := random(1000)
	d := put(t, open(t), data)
	for name, tt := range map[string]struct {
		messages []*clusterv1.StoreRequest
		code     codes.Code
		partial  int64
	}{
		"nothing":       {nil, codes.InvalidArgument, 0},
		"no digest":     {[]*clusterv1.StoreRequest{{Chunk: data}}, codes.InvalidArgument, 0},
		"half a digest": {[]*clusterv1.StoreRequest{{Digest: d[:16], Size: 1000, Chunk: data}}, codes.InvalidArgument, 0},
		"too large":     {[]*clusterv1.StoreRequest{{Digest: d[:], Size: MaxSize + 1}}, codes.InvalidArgument, 0},
		"huge":          {[]*clusterv1.StoreRequest{{Digest: d[:], Size: 1<<64 - 1}}, codes.InvalidArgument, 0},
		"more than announced": {[]*clusterv1.StoreRequest{{Digest: d[:], Size: 999}, {Chunk: data}},
			codes.InvalidArgument, 0},
		"other bytes": {[]*clusterv1.StoreRequest{{Digest: d[:], Size: 1000}, {Chunk: random(1001)[1:]}}, codes.DataLoss, 0},
		"cut off":     {[]*clusterv1.StoreRequest{{Digest: d[:], Size: 1000}, {Chunk: data[:500]}}, codes.Aborted, 500},
		"an offset that is not there": {[]*clusterv1.StoreRequest{{Digest: d[:], Size: 1000, Offset: 1, Chunk: data[1:]}},
			codes.OutOfRange, 0},
		"an offset past the end": {[]*clusterv1.StoreRequest{{Digest: d[:], Size: 1000, Offset: 1 << 63}}, codes.OutOfRange, 0},
		"whole":                  {[]*clusterv1.StoreRequest{{Digest: d[:], Size: 1000, Chunk: data[:1]}, {}, {Chunk: data[1:]}}, codes.OK, 0},
	} {
		t.Run(name, func(t *testing.T) {
			ns := newNodes(t, 2)
			a, b := ns.first(), ns.all[1]
			out, err := ns.client(a, b).Store(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range tt.messages {
				if err := out.Send(m); err != nil && !errors.Is(err, io.EOF) {
					t.Fatal(err)
				}
			}
			_, err = out.CloseAndRecv()
			wants(t, name, err, tt.code)
			if b.has(d) != (tt.code == codes.OK) || b.store.partial(d) != tt.partial {
				t.Errorf("it is there: %v, in part: %d", b.has(d), b.store.partial(d))
			}
			eventually(t, "its place is free", func() bool { return len(b.fake.in) == 0 && !b.store.isArriving(d) })
		})
	}
}

// TestStoreOfASilentNode: whoever stops sending loses its place, and what it sent is kept.
func TestStoreOfASilentNode(t *testing.T) {
	ns := newNodes(t, 2)
	a, b := ns.first(), ns.all[1]
	b.fake.stall = 50 * time.Millisecond
	data := random(1000)
	d := put(t, open(t), data)
	eventually(t, "half of it is there", func() bool { // on a slow machine even the first half may come too late
		out, err := ns.client(a, b).Store(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_ = out.Send(&clusterv1.StoreRequest{Digest: d[:], Size: 1000, Chunk: data[:500]})
		err = out.RecvMsg(&clusterv1.StoreResponse{})
		wants(t, "silence", err, codes.DeadlineExceeded)
		return b.store.partial(d) == 500
	})
}

// TestBusyNode: whoever finds no place is told so soon.
func TestBusyNode(t *testing.T) {
	ns := newNodes(t, 2)
	a, b := ns.first(), ns.all[1]
	b.fake.wait = time.Millisecond
	for range cap(b.fake.out) {
		b.fake.out <- struct{}{}
	}
	in, err := ns.client(a, b).Fetch(t.Context(), &clusterv1.FetchRequest{Digest: make([]byte, 32)})
	if err == nil {
		_, err = in.Recv()
	}
	wants(t, "busy", err, codes.Unavailable)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.fake.enter(ctx, b.fake.out); err == nil {
		t.Error("a place although there is none")
	}
}
