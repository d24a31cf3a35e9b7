package executor

import (
	"context"
	"errors"
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
			described := DescribeTranscoding(tt.guest.rev)
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
