package control

import "testing"

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
