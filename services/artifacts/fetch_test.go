package artifacts

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
)

type fetchStream = grpc.ServerStreamingServer[clusterv1.FetchResponse]

func TestFetch(t *testing.T) {
	for _, size := range []int{0, 1, chunkSize, 3<<20 + 7} {
		ns := newNodes(t, 3)
		data := random(size)
		d := ns.all[2].put(t, data)
		path, err := NewFetcher(ns.config()).Fetch(t.Context(), d)
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes: the file differs: %v", size, err)
		}
		if len(ns.first().parts()) != 0 {
			t.Errorf("%d bytes: a part is left", size)
		}
	}
}

// TestFetchAsksNobodyForWhatIsHere: a restarted node needs no other.
func TestFetchAsksNobodyForWhatIsHere(t *testing.T) {
	ns := newNodes(t, 2)
	data := random(1000)
	d := ns.first().put(t, data)
	ns.all[1].put(t, data)
	if _, err := NewFetcher(ns.config()).Fetch(t.Context(), d); err != nil || len(ns.all[1].fake.offsets()) != 0 {
		t.Errorf("%v; asked %v", err, ns.all[1].fake.offsets())
	}
}

func TestFetchFromNobody(t *testing.T) {
	ns := newNodes(t, 3)
	ns.all[2].port.SetDown(true)
	f := NewFetcher(ns.config())
	_, err := f.Fetch(t.Context(), Digest{1})
	for _, want := range []string{"0100000000", "node-b: artifacts: not found", "NotFound", "node-c: ", "down"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %q", err, want)
		}
	}
	if errors.Is(err, ErrNotFound) {
		t.Error("a node that is down may have it")
	}
	ns.all[2].port.SetDown(false)
	eventually(t, "not found anywhere", func() bool {
		_, err := f.Fetch(t.Context(), Digest{1})
		return errors.Is(err, ErrNotFound)
	})
	alone := newNodes(t, 1)
	if _, err := NewFetcher(alone.config()).Fetch(t.Context(), Digest{1}); !errors.Is(err, ErrNotFound) {
		t.Errorf("alone: %v", err)
	}
}

// breaking sends the first bytes of what is asked for and fails.
func breaking(s *Server, n int) func(*clusterv1.FetchRequest, fetchStream) error {
	return func(r *clusterv1.FetchRequest, out fetchStream) error {
		return s.Fetch(r, &breakingStream{out, n})
	}
}

type breakingStream struct {
	fetchStream
	left int
}

func (b *breakingStream) Send(m *clusterv1.FetchResponse) error {
	if b.left--; b.left < 0 {
		return status.Error(codes.Unavailable, "the link is cut")
	}
	return b.fetchStream.Send(m)
}

// TestFetchGoesOn: a stream that breaks is gone on with, at the same node or another, in this try or the next.
func TestFetchGoesOn(t *testing.T) {
	ns := newNodes(t, 3)
	b, c := ns.all[1], ns.all[2]
	data := random(9 * chunkSize)
	d := b.put(t, data)
	c.put(t, data)
	b.fake.set(breaking(b.fake.Server, 2))
	if _, err := NewFetcher(ns.config()).Fetch(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	holds(t, ns.first(), d, data)
	if got := b.fake.offsets(); len(got) != 2 || got[0] != 0 || got[1] != 2*chunkSize {
		t.Errorf("b was asked from %v on", got)
	}
	if got := c.fake.offsets(); len(got) != 1 || got[0] != 4*chunkSize {
		t.Errorf("c was asked from %v on", got)
	}
}

// TestFetchGoesOnAfterARestart: what came before is kept in a file.
func TestFetchGoesOnAfterARestart(t *testing.T) {
	ns := newNodes(t, 2)
	a, b := ns.first(), ns.all[1]
	data := random(9 * chunkSize)
	d := b.put(t, data)
	b.fake.set(breaking(b.fake.Server, 2))
	if _, err := NewFetcher(ns.config()).Fetch(t.Context(), d); status.Code(onlyCause(err)) != codes.Unavailable {
		t.Fatalf("error %v", err)
	}
	if got := a.parts()[d]; got != 4*chunkSize {
		t.Fatalf("%d bytes are kept", got)
	}
	reopened, err := Open(a.store.dir)
	if err != nil {
		t.Fatal(err)
	}
	a.store = reopened
	b.fake.set(nil)
	if _, err := NewFetcher(ns.config()).Fetch(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	holds(t, a, d, data)
	if got := b.fake.offsets(); got[len(got)-1] != 4*chunkSize {
		t.Errorf("b was asked from %v on", got)
	}
}

func onlyCause(err error) error {
	var e *FetchError
	if errors.As(err, &e) && len(e.Errs) == 1 {
		return e.Errs[0]
	}
	return err
}

// TestFetchOfWrongBytes: a node that sends something else is passed over, and the artifact comes from the next.
func TestFetchOfWrongBytes(t *testing.T) {
	data := random(3 * chunkSize)
	flipped := bytes.Clone(data)
	flipped[len(data)/2] ^= 1
	send := func(size uint64, data []byte) func(*clusterv1.FetchRequest, fetchStream) error {
		return func(r *clusterv1.FetchRequest, out fetchStream) error {
			rest := data[min(uint64(len(data)), r.GetOffset()):]
			return stream(bytes.NewReader(rest), func(chunk []byte) error {
				defer func() { size = 0 }()
				return out.Send(&clusterv1.FetchResponse{Size: size, Chunk: chunk})
			})
		}
	}
	for name, lie := range map[string]struct {
		fetch func(*clusterv1.FetchRequest, fetchStream) error
		noted bool
	}{
		"garbage":         {send(100, random(100)), true},
		"flipped":         {send(uint64(len(data)), flipped), true},
		"too long":        {send(uint64(len(data)), append(bytes.Clone(data), 0)), true},
		"announced short": {send(uint64(len(data)-1), data), true},
		"too short":       {send(uint64(len(data)), data[:len(data)-1]), false},
		"far too large":   {send(1<<62, data), true},
		"negative":        {send(1<<63+1, data), true},
		"nothing":         {func(*clusterv1.FetchRequest, fetchStream) error { return nil }, false},
		"empty":           {func(_ *clusterv1.FetchRequest, out fetchStream) error { return out.Send(&clusterv1.FetchResponse{}) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			ns := newNodes(t, 3)
			d := ns.all[2].put(t, data)
			ns.all[1].fake.set(lie.fetch)
			f := NewFetcher(ns.config())
			if _, err := f.Fetch(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			holds(t, ns.first(), d, data)
			if _, noted := f.liars["b"]; noted != lie.noted {
				t.Errorf("noted: %v", noted)
			}
			if order := f.order(ns.others()); lie.noted && order[0] != "c" {
				t.Errorf("asked next: %v", order)
			}
			if len(ns.first().parts()) != 0 {
				t.Error("a part is left")
			}
		})
	}
}

// TestFetchAfterALieGoesOn: wrong bytes of one node do not put the blame on the next one.
func TestFetchAfterALieGoesOn(t *testing.T) {
	ns := newNodes(t, 3)
	data := random(9 * chunkSize)
	d := ns.all[2].put(t, data)
	ns.all[1].fake.set(func(_ *clusterv1.FetchRequest, out fetchStream) error {
		if err := out.Send(&clusterv1.FetchResponse{Size: uint64(len(data)), Chunk: random(chunkSize)[1:]}); err != nil {
			return err
		}
		return status.Error(codes.Unavailable, "the link is cut")
	})
	f := NewFetcher(ns.config())
	if _, err := f.Fetch(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	holds(t, ns.first(), d, data)
	if _, noted := f.liars["c"]; noted {
		t.Error("the honest one is noted")
	}
}

// TestFetchOfACorruptFile: a damaged file is set aside and fetched again.
func TestFetchOfACorruptFile(t *testing.T) {
	data := random(3 * chunkSize)
	for name, damaged := range map[string][]byte{
		"flipped": append([]byte{data[0] ^ 1}, data[1:]...), "cut off": data[:len(data)-1], "empty": nil, "longer": append(bytes.Clone(data), 0),
	} {
		t.Run(name, func(t *testing.T) {
			ns := newNodes(t, 2)
			d := ns.first().put(t, data)
			ns.all[1].put(t, data)
			ns.first().damage(t, d, damaged)
			if _, err := NewFetcher(ns.config()).Fetch(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			holds(t, ns.first(), d, data)
			if aside, err := os.ReadDir(ns.first().store.dir + "/" + corruptDir); err != nil || len(aside) != 1 {
				t.Errorf("set aside: %v, %v", aside, err)
			}
		})
	}
}

// unreadable puts an artifact into a node's store and makes its file one that root can't open either. mend undoes that.
func (n *testNode) unreadable(t *testing.T, data []byte) (d Digest, mend func()) {
	t.Helper()
	d = n.put(t, data)
	path := n.store.path(d)
	aside := path + ".aside"
	if err := errors.Join(os.Rename(path, aside), os.Symlink(path, path)); err != nil {
		t.Fatal(err)
	}
	return d, func() {
		t.Helper()
		if err := os.Rename(aside, path); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFetchOfAnUnreadableFile takes it from another node, and leaves it where it is if no other has it.
func TestFetchOfAnUnreadableFile(t *testing.T) {
	ns := newNodes(t, 2)
	data := random(3 * chunkSize)
	d, _ := ns.first().unreadable(t, data)
	path := ns.first().store.path(d)
	var log bytes.Buffer
	c := ns.config()
	c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	f := NewFetcher(c)
	_, err := f.Fetch(t.Context(), d)
	if !errors.Is(err, ErrUnreadable) || errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "no other gave it") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Error(err)
	}
	ns.all[1].put(t, data)
	if _, err := f.Fetch(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	holds(t, ns.first(), d, data)
	if n := strings.Count(log.String(), "fetched again"); n != 1 {
		t.Errorf("it says %d times that it was fetched again:\n%s", n, log.String())
	}
}

// TestFetchOfAFileThatIsReadableAgain: nothing is pulled, and nothing says so.
func TestFetchOfAFileThatIsReadableAgain(t *testing.T) {
	ns := newNodes(t, 2)
	data := random(1000)
	d, mend := ns.first().unreadable(t, data)
	ns.all[1].put(t, data)
	var log bytes.Buffer
	c := ns.config()
	c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	f := NewFetcher(c)
	for range cap(f.places) {
		f.places <- struct{}{}
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		if _, err := f.Fetch(t.Context(), d); err != nil {
			t.Error(err)
		}
	})
	eventually(t, "the pull waits for its turn", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.flights[d] != nil
	})
	mend()
	<-f.places
	wait.Wait()
	if asked := ns.all[1].fake.offsets(); len(asked) != 0 || log.Len() != 0 {
		t.Errorf("asked %v; log:\n%s", asked, log.String())
	}
}

// TestFetchThatReplacesNoUnreadableFile says both what is wrong with the file and what ended the pull.
func TestFetchThatReplacesNoUnreadableFile(t *testing.T) {
	ns := newNodes(t, 2)
	data := random(1000)
	d, _ := ns.first().unreadable(t, data)
	ns.all[1].put(t, data)
	f := NewFetcher(ns.config())
	begun, release := held(ns.all[1])
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-begun; cancel() }()
	if _, err := f.Fetch(ctx, d); !errors.Is(err, ErrUnreadable) || !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	ns.all[1].fake.set(nil)
	ns.first().store.open = func(path string) (file, error) {
		f, err := openAppend(path)
		return &full{file: f}, err
	}
	if _, err := f.Fetch(t.Context(), d); !errors.Is(err, ErrUnreadable) || !errors.Is(err, ErrStorage) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("full disk: %v", err)
	}
}

// rotten is a file on a disk that loses a byte of what is written.
type rotten struct{ file }

func (f rotten) Write(p []byte) (int, error) {
	n, err := f.file.Write(p[:max(len(p)-1, 0)])
	return min(n+1, len(p)), err
}

// TestFetchOntoABadDisk: it does not pull for ever.
func TestFetchOntoABadDisk(t *testing.T) {
	ns := newNodes(t, 2)
	d := ns.all[1].put(t, random(1000))
	ns.first().store.open = func(path string) (file, error) {
		f, err := openAppend(path)
		return rotten{f}, err
	}
	if _, err := NewFetcher(ns.config()).Fetch(t.Context(), d); !errors.Is(err, ErrCorrupt) {
		t.Errorf("error %v", err)
	}
	if got := ns.all[1].fake.offsets(); len(got) > maxPulls {
		t.Errorf("asked %d times", len(got))
	}
}

// TestFetchFromACorruptFile: a node whose file is damaged gives none of it.
func TestFetchFromACorruptFile(t *testing.T) {
	ns := newNodes(t, 2)
	data := random(3 * chunkSize)
	d := ns.all[1].put(t, data)
	ns.all[1].damage(t, d, random(100))
	if _, err := NewFetcher(ns.config()).Fetch(t.Context(), d); status.Code(onlyCause(err)) != codes.DataLoss {
		t.Errorf("error %v", err)
	}
	if len(ns.first().parts()) != 1 || ns.first().parts()[d] != 0 {
		t.Errorf("parts %v", ns.first().parts())
	}
}

func TestFetchOntoAFullDisk(t *testing.T) {
	ns := newNodes(t, 2)
	data := random(9 * chunkSize)
	d := ns.all[1].put(t, data)
	s := ns.first().store
	s.open = func(path string) (file, error) {
		f, err := openAppend(path)
		return &full{file: f, left: 3 * chunkSize}, err
	}
	f := NewFetcher(ns.config())
	_, err := f.Fetch(t.Context(), d)
	if !errors.Is(err, ErrStorage) || !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("error %v", err)
	}
	if len(files(t, s)) != 0 {
		t.Errorf("the disk is left with %v", files(t, s))
	}
	s.open = openAppend
	if _, err := f.Fetch(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	holds(t, ns.first(), d, data)
}

// held makes a node stop before it sends, until release is called.
func held(n *testNode) (begun chan struct{}, release func()) {
	begun, hold := make(chan struct{}, 100), make(chan struct{})
	n.fake.set(func(r *clusterv1.FetchRequest, out fetchStream) error {
		begun <- struct{}{}
		select {
		case <-hold:
		case <-out.Context().Done():
			return out.Context().Err()
		}
		return n.fake.Server.Fetch(r, out)
	})
	return begun, sync.OnceFunc(func() { close(hold) })
}

func TestFetchesOfOneDigestAreOne(t *testing.T) {
	ns := newNodes(t, 2)
	data := random(chunkSize)
	d := ns.all[1].put(t, data)
	begun, release := held(ns.all[1])
	defer release()
	f := NewFetcher(ns.config())
	impatient, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	wait.Go(func() {
		if _, err := f.Fetch(impatient, d); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
	<-begun
	for range 5 {
		wait.Go(func() {
			if _, err := f.Fetch(t.Context(), d); err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, "all wait", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.flights[d].waiters == 6
	})
	cancel() // whoever began leaves; the others still want it
	eventually(t, "one has left", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.flights[d].waiters == 5
	})
	release()
	wait.Wait()
	if got := ns.all[1].fake.offsets(); len(got) != 1 {
		t.Errorf("asked %d times", len(got))
	}
}

func TestPullsAreBounded(t *testing.T) {
	ns := newNodes(t, 2)
	begun, release := held(ns.all[1])
	defer release()
	f := NewFetcher(ns.config())
	var wait sync.WaitGroup
	for i := range 5 {
		d := ns.all[1].put(t, random(100+i))
		wait.Go(func() {
			if _, err := f.Fetch(t.Context(), d); err != nil {
				t.Error(err)
			}
		})
	}
	<-begun
	<-begun
	eventually(t, "all have asked", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.flights) == 5
	})
	if n := len(ns.all[1].fake.offsets()); n != 2 {
		t.Errorf("%d pulls at once", n)
	}
	release()
	wait.Wait()
}

// TestFetchIsGivenUp: a pull ends with the last one who waits for it.
func TestFetchIsGivenUp(t *testing.T) {
	ns := newNodes(t, 2)
	d := ns.all[1].put(t, random(100))
	begun, release := held(ns.all[1])
	defer release()
	f := NewFetcher(ns.config())
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-begun; cancel() }()
	if _, err := f.Fetch(ctx, d); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if len(f.flights) != 0 || len(f.places) != 0 || ns.first().store.isArriving(d) {
		t.Error("the pull goes on")
	}
}

func TestFetchFromASilentNode(t *testing.T) {
	ns := newNodes(t, 3)
	data := random(3 * chunkSize)
	d := ns.all[2].put(t, data)
	_, release := held(ns.all[1])
	defer release()
	c := ns.config()
	c.Stall = 300 * time.Millisecond
	f := NewFetcher(c)
	eventually(t, "the other one gives it", func() bool { // a slow machine may make that one seem silent as well
		_, err := f.Fetch(t.Context(), d)
		return err == nil
	})
	holds(t, ns.first(), d, data)
}
