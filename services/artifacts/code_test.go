package artifacts

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
)

var errChecksum = errors.New("not the code that was announced")

// TakeCode is as picky as the executor's.
func (c *codeCache) TakeCode(d [32]byte, r io.Reader, size int64, sum [32]byte) error {
	data, err := io.ReadAll(io.LimitReader(r, size+1))
	if err != nil {
		return err
	}
	if int64(len(data)) != size || sha256.Sum256(data) != sum {
		return errChecksum
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.took++
	c.sums[d] = sum
	return os.WriteFile(c.path(d), data, 0o600)
}

// compile puts code into the cache.
func (c *codeCache) compile(t *testing.T, d Digest, data []byte) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sums[d] = sha256.Sum256(data)
	if err := os.WriteFile(c.path(d), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (ns *nodes) codes() *CodeFetcher { return NewCodeFetcher(ns.config(), ns.first().code) }

func same(t *testing.T, c *codeCache, d Digest, data []byte) {
	t.Helper()
	if got, err := os.ReadFile(c.path(d)); err != nil || !bytes.Equal(got, data) {
		t.Fatalf("the code differs: %v", err)
	}
}

func TestFetchCode(t *testing.T) {
	ns := newNodes(t, 4)
	d, code := Digest{1}, random(5*chunkSize+3)
	ns.all[2].code.compile(t, d, code)
	ns.all[3].code.compile(t, d, code)
	for range 2 {
		if err := ns.codes().FetchCode(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	same(t, ns.first().code, d, code)
	if n := ns.first().code.count(); n != 1 {
		t.Errorf("taken %d times", n)
	}
}

func TestFetchCodeOfNobody(t *testing.T) {
	ns := newNodes(t, 3)
	if err := ns.codes().FetchCode(t.Context(), Digest{1}); !errors.Is(err, ErrNotFound) {
		t.Errorf("error %v", err)
	}
	if err := newNodes(t, 1).codes().FetchCode(t.Context(), Digest{1}); !errors.Is(err, ErrNotFound) {
		t.Errorf("alone: %v", err)
	}
}

func TestFetchCodeOfAnotherEngine(t *testing.T) {
	ns := newNodes(t, 2)
	d := Digest{1}
	ns.all[1].code.compile(t, d, random(100))
	ns.all[1].code.engine = "engine-2"
	if err := ns.codes().FetchCode(t.Context(), d); !errors.Is(err, ErrNotFound) || ns.first().code.has(d) {
		t.Errorf("error %v", err)
	}
}

// TestFetchCodeElsewhere: a scheduler that has the component knows from whom, and that node has compiled it.
func TestFetchCodeElsewhere(t *testing.T) {
	ns := newNodes(t, 3)
	a, b, c := ns.all[0], ns.all[1], ns.all[2]
	data, code := random(100), random(1000)
	d := c.put(t, data)
	c.code.compile(t, d, code)
	// c deploys: it pushes the artifact to b.
	config := ns.config()
	config.Node, config.Store, config.Peers, config.Cluster = c.id, c.store, c.peers, voters{ns, []string{"b"}}
	if err := NewReplicator(config).Replicate(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	config = ns.config()
	config.Cluster = asks{ns, []string{b.id}}
	if err := NewCodeFetcher(config, a.code).FetchCode(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	same(t, a.code, d, code)
}

// asks is a cluster in which some nodes are asked for code.
type asks struct {
	*nodes
	ids []string
}

func (a asks) Engines(Digest) []string { return a.ids }

// TestFetchCodeOfABadNode: code that is not what its checksum says is not taken, and another node is asked.
func TestFetchCodeOfABadNode(t *testing.T) {
	code := random(3 * chunkSize)
	sum := sha256.Sum256(code)
	flipped := bytes.Clone(code)
	flipped[100] ^= 1
	send := func(messages ...*clusterv1.FetchCodeResponse) func(*clusterv1.FetchCodeRequest, grpc.ServerStreamingServer[clusterv1.FetchCodeResponse]) error {
		return func(_ *clusterv1.FetchCodeRequest, out grpc.ServerStreamingServer[clusterv1.FetchCodeResponse]) error {
			for _, m := range messages {
				if err := out.Send(m); err != nil {
					return err
				}
			}
			return nil
		}
	}
	size := uint64(len(code))
	for name, fetch := range map[string]func(*clusterv1.FetchCodeRequest, grpc.ServerStreamingServer[clusterv1.FetchCodeResponse]) error{
		"flipped":       send(&clusterv1.FetchCodeResponse{Size: size, Checksum: sum[:], Chunk: flipped}),
		"too short":     send(&clusterv1.FetchCodeResponse{Size: size, Checksum: sum[:], Chunk: code[1:]}),
		"too long":      send(&clusterv1.FetchCodeResponse{Size: size, Checksum: sum[:], Chunk: code}, &clusterv1.FetchCodeResponse{Chunk: code}),
		"no checksum":   send(&clusterv1.FetchCodeResponse{Size: size, Chunk: code}),
		"half a one":    send(&clusterv1.FetchCodeResponse{Size: size, Checksum: sum[:16], Chunk: code}),
		"negative size": send(&clusterv1.FetchCodeResponse{Size: 1<<64 - 1, Checksum: sum[:], Chunk: code}),
		"nothing":       send(),
		"itself":        send(&clusterv1.FetchCodeResponse{Elsewhere: "a"}),
		"a stranger":    send(&clusterv1.FetchCodeResponse{Elsewhere: "z"}),
		"busy": func(*clusterv1.FetchCodeRequest, grpc.ServerStreamingServer[clusterv1.FetchCodeResponse]) error {
			return status.Error(codes.Unavailable, "busy")
		},
	} {
		t.Run(name, func(t *testing.T) {
			ns := newNodes(t, 3)
			d := Digest{1}
			ns.all[1].fake.code = fetch
			bad := ns.config()
			bad.Cluster = asks{ns, []string{"b"}}
			if err := NewCodeFetcher(bad, ns.first().code).FetchCode(t.Context(), d); err == nil || ns.first().code.has(d) {
				t.Fatalf("taken: %v", err)
			}
			ns.all[2].code.compile(t, d, code)
			if err := ns.codes().FetchCode(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			same(t, ns.first().code, d, code)
		})
	}
}

// TestFetchCodeGoesOn: a stream that breaks once is gone on with.
func TestFetchCodeGoesOn(t *testing.T) {
	ns := newNodes(t, 2)
	d, code := Digest{1}, random(5*chunkSize)
	b := ns.all[1]
	b.code.compile(t, d, code)
	var offsets []uint64
	b.fake.code = func(r *clusterv1.FetchCodeRequest, out grpc.ServerStreamingServer[clusterv1.FetchCodeResponse]) error {
		offsets = append(offsets, r.GetOffset())
		if r.GetOffset() == 0 {
			return b.fake.Server.FetchCode(r, &breakingCode{out, 2})
		}
		return b.fake.Server.FetchCode(r, out)
	}
	if err := ns.codes().FetchCode(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	same(t, ns.first().code, d, code)
	if len(offsets) != 2 || offsets[1] != 2*chunkSize {
		t.Errorf("asked from %v on", offsets)
	}
}

type breakingCode struct {
	grpc.ServerStreamingServer[clusterv1.FetchCodeResponse]
	left int
}

func (b *breakingCode) Send(m *clusterv1.FetchCodeResponse) error {
	if b.left--; b.left < 0 {
		return status.Error(codes.Unavailable, "the link is cut")
	}
	return b.ServerStreamingServer.Send(m)
}

func TestFetchCodeRefusals(t *testing.T) {
	ns := newNodes(t, 2)
	a, b := ns.first(), ns.all[1]
	d := Digest{1}
	b.code.compile(t, d, random(100))
	ask := func(r *clusterv1.FetchCodeRequest) error {
		in, err := ns.client(a, b).FetchCode(t.Context(), r)
		if err == nil {
			_, err = in.Recv()
		}
		return err
	}
	wants(t, "no digest", ask(&clusterv1.FetchCodeRequest{Engine: "engine-1"}), codes.InvalidArgument)
	wants(t, "past the end", ask(&clusterv1.FetchCodeRequest{Digest: d[:], Engine: "engine-1", Offset: 101}), codes.OutOfRange)
	wants(t, "no engine", ask(&clusterv1.FetchCodeRequest{Digest: d[:]}), codes.NotFound)
	b.fake.Server = NewServer(b.store, nil)
	wants(t, "a node that compiles nothing", ask(&clusterv1.FetchCodeRequest{Digest: d[:], Engine: "engine-1"}), codes.NotFound)
}
