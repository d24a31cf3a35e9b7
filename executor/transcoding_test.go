package executor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weft-run/weft/executor/wasmtime"
)

// TestPaths expects the path of each method, and why it is that one.
func TestPaths(t *testing.T) {
	nobody := func(context.Context, OutgoingCall) ([]byte, error) { return nil, errors.New("nobody calls") }
	const (
		lists = "compiled: lists; messages under 256 bytes are plain"
		bytes = "direct: only bytes and strings"
		also  = "; compiled once it passes on large messages"
	)
	for name, tt := range map[string]struct {
		guest *guest
		want  map[string]string
	}{
		"lists":                {bulkGuest(t, Limits{}), map[string]string{"Same": lists, "Many": lists}},
		"bytes beside lists":   {bulkOf(t, Config{}, directText, Limits{}), map[string]string{"Echo": bytes, "Text": bytes, "Fail": bytes, "Numbers": lists}},
		"too little memory":    {bulkGuest(t, Limits{Memory: 8 << 20}), map[string]string{"Same": "plain: no transcoder", "Many": "plain: no transcoder"}},
		"nothing but a number": {newGuest(t, Config{}, Limits{}), map[string]string{"Echo": "plain: no lists"}},
		"imports with lists":   {newRelay(t, Limits{}, nobody), map[string]string{"Same": lists, "Echo": bytes + also, "Small": "plain: no lists" + also}},
	} {
		t.Run(name, func(t *testing.T) {
			described := DescribeTranscoding(tt.guest.rev, "")
			all := 0
			for _, s := range tt.guest.rev.Services {
				for _, m := range s.Methods {
					all++
					path := described.Paths[m]
					got, want := path.Name+": "+path.Why, tt.want[m.Name]
					if want == "" {
						continue
					}
					if !wasmtime.HasBytes {
						want = "plain: the engine has no other"
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Error(m.Name, diff)
					}
				}
			}
			if len(described.Paths) != all {
				t.Errorf("there are paths of %d methods, of %d", len(described.Paths), all)
			}
		})
	}
}

// TestTranscoderFails has the component be none any more when a transcoder is to be put around it, while its own code is in the cache. What went wrong is
// told, and described.
func TestTranscoderFails(t *testing.T) {
	rev := bulkGuest(t, Limits{}).rev // which leaves its code
	told := make(chan error, 1)
	g := newExecutor(t, Config{Transcoded: func(_ Key, err error) { told <- err }})
	g.rev = rev
	g.rev.Path = filepath.Join(t.TempDir(), "none.wasm")
	if err := os.WriteFile(g.rev.Path, []byte("no component"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := g.Load(t.Context(), g.rev); err != nil {
		t.Fatal(err)
	}
	g.bulks.Wait()
	if !wasmtime.HasBytes {
		if len(told) > 0 {
			t.Errorf("an engine without transcoders told of %v", <-told)
		}
		return
	}
	err := <-told
	if err == nil {
		t.Fatal("there is a transcoder around no component")
	}
	got := DescribeTranscoding(g.rev, err.Error())
	if got.Reason != err.Error() || len(got.Methods) > 0 || got.Text() != "" {
		t.Errorf("%v have a transcoder, which failed with %q; the reason is %q", got.Methods, err, got.Reason)
	}
	for m, path := range got.Paths {
		if path.Name != PathPlain || !strings.Contains(path.Why, "no transcoder") {
			t.Errorf("%s takes the path %v", m.Name, path)
		}
	}
}

// TestTranscoderMade is told of a transcoder that could be made.
func TestTranscoderMade(t *testing.T) {
	told := make(chan error, 1)
	bulkOf(t, Config{Transcoded: func(_ Key, err error) { told <- err }}, bulkText, Limits{})
	if len(told) == 1 != wasmtime.HasBytes {
		t.Fatalf("told %d times", len(told))
	}
	if wasmtime.HasBytes {
		if err := <-told; err != nil {
			t.Error(err)
		}
	}
}
