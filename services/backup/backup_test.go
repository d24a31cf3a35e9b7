package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/weft-run/weft/consensus/catalog"
	backupv1 "github.com/weft-run/weft/proto/weft/backup/v1"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// cluster is what is backed up: a catalog, and the files of the components.
type cluster struct {
	t       *testing.T
	catalog *catalog.Catalog
	dir     string
	files   map[Digest][]byte
}

// newCluster has functions with some revisions, two of which have the same component.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t, catalog: catalog.New(), dir: t.TempDir(), files: map[Digest][]byte{}}
	for level := uint32(2); level <= catalog.Level; level++ { // as far as a node raises itself
		c.apply(level, &catalogv1.Command{Action: &catalogv1.Command_RaiseLevel{RaiseLevel: &catalogv1.RaiseLevel{Level: level}}})
	}
	c.deploy("orders", []byte("\x00asm orders 1"))
	c.deploy("orders", []byte("\x00asm orders 2"))
	c.deploy("mirror", []byte("\x00asm orders 1"))
	c.deploy("empty", nil)
	node := &catalogv1.Node{Id: strings.Repeat("a", 20), Name: "old", Scheduler: true, Executor: true}
	c.apply(2, &catalogv1.Command{Level: 2, Action: &catalogv1.Command_PutNode{PutNode: &catalogv1.PutNode{Node: node}}})
	return c
}

func (c *cluster) apply(level uint32, cmd *catalogv1.Command) {
	c.t.Helper()
	index := c.catalog.Index() + 1
	cmd.RequestId = fmt.Sprint("request-", index)
	if got := c.catalog.Apply(index, cmd); got.GetRefusal() != nil {
		c.t.Fatalf("level %d: %v", level, got)
	}
}

func (c *cluster) deploy(name string, component []byte) {
	c.t.Helper()
	d := sha256.Sum256(component)
	c.files[d] = component
	if err := os.WriteFile(c.path(d), component, 0o600); err != nil {
		c.t.Fatal(err)
	}
	c.apply(1, &catalogv1.Command{Action: &catalogv1.Command_PutRevision{PutRevision: &catalogv1.PutRevision{
		Namespace: "default", Name: name,
		Revision: &catalogv1.Revision{Digest: d[:], SizeBytes: uint64(len(component)), Environment: map[string]string{"A": "1", "B": "2"}},
	}}})
}

func (c *cluster) path(d Digest) string { return filepath.Join(c.dir, fmt.Sprintf("%x", d)) }

// Fetch, Hold and Release are those of artifacts.
func (c *cluster) Fetch(_ context.Context, d Digest) (string, error) {
	_, err := os.Stat(c.path(d))
	return c.path(d), err
}

func (c *cluster) Hold(Digest) bool { return true }

func (c *cluster) Release(Digest, bool) {}

func (c *cluster) source() Source {
	return Source{
		View: c.catalog.View(), Cluster: "0123456789abcdef0123", Version: "v1.2.3", Created: time.Unix(1_800_000_000, 5), Artifact: c.Fetch,
	}
}

func (c *cluster) backup() []byte {
	c.t.Helper()
	b, err := Make(c.t.Context(), c.source())
	if err != nil {
		c.t.Fatal(err)
	}
	var file bytes.Buffer
	if err := b.Write(&file); err != nil {
		c.t.Fatal(err)
	}
	if int64(file.Len()) != b.Size() {
		c.t.Fatalf("%d bytes, and Size says %d", file.Len(), b.Size())
	}
	return file.Bytes()
}

// kept is a sink that keeps everything.
type kept struct {
	view  *catalog.View
	files map[Digest][]byte
}

func (k *kept) Catalog(view *catalog.View) error {
	k.view, k.files = view, map[Digest][]byte{}
	return nil
}

func (k *kept) Artifact(d Digest, size int64, r io.Reader) (err error) {
	k.files[d], err = io.ReadAll(r)
	if err == nil && int64(len(k.files[d])) != size {
		err = fmt.Errorf("%d bytes, not %d", len(k.files[d]), size)
	}
	return err
}

func TestRoundTrip(t *testing.T) {
	c := newCluster(t)
	file := c.backup()
	for how, r := range map[string]io.Reader{"at once": bytes.NewReader(file), "byte by byte": iotest.OneByteReader(bytes.NewReader(file))} {
		var got kept
		header, err := Read(r, &got)
		if err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		if header.GetCluster() != "0123456789abcdef0123" || header.GetVersion() != "v1.2.3" || header.GetCreatedUnixNanos() != 1_800_000_000_000_000_005 || header.GetArtifacts() != 3 {
			t.Errorf("%s: header %v", how, header)
		}
		if len(got.files) != len(c.files) {
			t.Errorf("%s: %d artifacts, want %d", how, len(got.files), len(c.files))
		}
		for d, want := range c.files {
			if !bytes.Equal(got.files[d], want) {
				t.Errorf("%s: artifact %x is %q", how, d, got.files[d])
			}
		}
		if got.view.Node(strings.Repeat("a", 20)) != nil || got.view.Len() != 3 || len(got.view.Function("default", "orders").GetRevisions()) != 2 {
			t.Errorf("%s: the catalog is another", how)
		}
	}
	if !bytes.Equal(file, c.backup()) {
		t.Error("the same backup has other bytes")
	}
}

// TestDamaged cuts a backup at every length and flips a bit in every byte, for readers that keep everything, nothing,
// and fail themselves.
func TestDamaged(t *testing.T) {
	good := newCluster(t).backup()
	head := binaryHead(t, good)
	bad := func(what string, at int, data []byte) {
		t.Helper()
		_, err := Verify(bytes.NewReader(data))
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "byte") {
			t.Fatalf("%s: %v", what, err)
		}
		want := "header"
		switch {
		case at >= len(good)-sha256.Size:
			want = "at its end"
		case at >= head.artifacts:
			want = "artifact"
		case at >= head.catalog:
			want = "catalog"
		}
		if !strings.Contains(err.Error(), want) {
			t.Fatalf("%s: the error does not say that it is in the %s: %v", what, want, err)
		}
		if _, err := Read(bytes.NewReader(data), &kept{}); !errors.Is(err, ErrDamaged) {
			t.Fatalf("%s, kept: %v", what, err)
		}
	}
	for n := range good {
		bad(fmt.Sprintf("cut at %d", n), n, good[:n])
		flipped := bytes.Clone(good)
		flipped[n] ^= 1 << (n % 8)
		bad(fmt.Sprintf("flipped at %d", n), n, flipped)
	}
	bad("with more after it", len(good), append(bytes.Clone(good), 0))
	bad("no backup", 0, []byte("\x00asm\x0d\x00\x01\x00"))

	broken := errors.New("the disk is on fire")
	for n := range good {
		_, err := Verify(io.MultiReader(bytes.NewReader(good[:n]), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) || errors.Is(err, ErrDamaged) {
			t.Fatalf("an error of reading at %d: %v", n, err)
		}
	}
}

// parts says where the parts of a backup begin.
type parts struct{ catalog, artifacts int }

func binaryHead(t *testing.T, file []byte) parts {
	t.Helper()
	summary, err := Verify(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	header := summary.Header
	head, err := encodeHead(header)
	if err != nil || !bytes.HasPrefix(file, head) {
		t.Fatalf("the head is not %x: %v", head, err)
	}
	return parts{len(head), len(head) + int(header.GetCatalogBytes())}
}

// full is a sink whose disk is full.
type full struct{ at string }

var errFull = errors.New("no space left")

func (f full) Catalog(*catalog.View) error {
	if f.at == "catalog" {
		return errFull
	}
	return nil
}

func (f full) Artifact(_ Digest, _ int64, r io.Reader) error {
	_, _ = r.Read(make([]byte, 1))
	return errFull
}

func TestSinkFails(t *testing.T) {
	good := newCluster(t).backup()
	for _, at := range []string{"catalog", "artifact"} {
		if _, err := Read(bytes.NewReader(good), full{at}); !errors.Is(err, errFull) {
			t.Errorf("%s: %v", at, err)
		}
	}
}

func TestWriteFails(t *testing.T) {
	c := newCluster(t)
	b, err := Make(t.Context(), c.source())
	if err != nil {
		t.Fatal(err)
	}
	for limit := range b.Size() {
		if err := b.Write(&limited{left: limit}); !errors.Is(err, errFull) {
			t.Fatalf("room for %d of %d bytes: %v", limit, b.Size(), err)
		}
	}
}

type limited struct{ left int64 }

func (w *limited) Write(p []byte) (int, error) {
	if w.left -= int64(len(p)); w.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestMissingArtifact(t *testing.T) {
	c := newCluster(t)
	d := sha256.Sum256([]byte("\x00asm orders 2"))
	if err := os.Remove(c.path(d)); err != nil {
		t.Fatal(err)
	}
	_, err := Make(t.Context(), c.source())
	missing := new(MissingError)
	if !errors.As(err, &missing) || missing.Function != "orders" || missing.Revision != 2 || missing.Digest != d || !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("error %v", err)
	}
}

// TestArtifactChanges changes a file between Make and Write.
func TestArtifactChanges(t *testing.T) {
	d := sha256.Sum256([]byte("\x00asm orders 2"))
	for name, change := range map[string]func(path string) error{
		"other bytes": func(path string) error { return os.WriteFile(path, []byte("\x00asm orders 3"), 0o600) },
		"shorter":     func(path string) error { return os.Truncate(path, 3) },
		"gone":        os.Remove,
	} {
		c := newCluster(t)
		b, err := Make(t.Context(), c.source())
		if err != nil {
			t.Fatal(err)
		}
		if err := change(c.path(d)); err != nil {
			t.Fatal(err)
		}
		if err := b.Write(io.Discard); err == nil || !strings.Contains(err.Error(), "try again") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNewer(t *testing.T) {
	c := newCluster(t)
	const newer = catalog.Level + 1
	c.apply(newer, &catalogv1.Command{Action: &catalogv1.Command_RaiseLevel{RaiseLevel: &catalogv1.RaiseLevel{Level: newer}}})
	if _, err := Verify(bytes.NewReader(c.backup())); !errors.Is(err, ErrNewer) {
		t.Errorf("a catalog of a newer level: %v", err)
	}
	head, err := encodeHead(&backupv1.Header{Format: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(bytes.NewReader(head)); !errors.Is(err, ErrNewer) {
		t.Errorf("a newer format: %v", err)
	}
}

// TestLarge has an artifact that is larger than any buffer.
func TestLarge(t *testing.T) {
	c := newCluster(t)
	component := make([]byte, 3*bufferLen+17)
	source := rand.NewChaCha8([32]byte{1})
	_, _ = source.Read(component)
	c.deploy("large", component)
	var got kept
	if _, err := Read(bytes.NewReader(c.backup()), &got); err != nil || !bytes.Equal(got.files[sha256.Sum256(component)], component) {
		t.Fatalf("error %v", err)
	}
}

// FuzzRead reads what is no backup, or not quite one.
func FuzzRead(f *testing.F) {
	head, err := encodeHead(&backupv1.Header{Format: format, CatalogBytes: 1 << 62})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(nil))
	f.Add(head)
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := Read(bytes.NewReader(data), &kept{}); err == nil {
			t.Skip("a good one")
		}
	})
}
