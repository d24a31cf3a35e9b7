package control

import (
	"testing"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// TestPlainEverywhere expects a function to have a transcoder as long as one node may have it.
func TestPlainEverywhere(t *testing.T) {
	for name, tt := range map[string]struct {
		reasons []string
		want    string
	}{
		"placed nowhere": {nil, ""},
		"failed":         {[]string{"too slow"}, "too slow"},
		"failed on all":  {[]string{"too slow", "no room"}, "no room"},
		"failed on one":  {[]string{"", "no room"}, ""},
		"on another one": {[]string{"no room", ""}, ""},
	} {
		var placements []*weftv1.Placement
		for _, reason := range tt.reasons {
			placements = append(placements, &weftv1.Placement{PlainReason: reason})
		}
		if got := plainEverywhere(placements); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// TestCutText expects a text that is cut to end with a whole line, and to say how much of it is not there.
func TestCutText(t *testing.T) {
	const text = "(module\n  one\n  two\n)\n"
	for limit, want := range map[int]string{
		100:       text,
		len(text): text,
		len(text) - 1: `(module
  one
  two
;; cut here: the text has 22 bytes, of which 2 are not shown
`,
		16: `(module
  one
;; cut here: the text has 22 bytes, of which 8 are not shown
`,
		3: ";; cut here: the text has 22 bytes, of which 22 are not shown\n",
	} {
		if got := cutText(text, limit); got != want {
			t.Errorf("at %d it is\n%s", limit, got)
		}
	}
}
