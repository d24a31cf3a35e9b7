// A component that exports a resource, for the test of resources in Go.
package main

import (
	"slices"

	"github.com/weft-run/weft/test/components/cursors-go/gen/guest"
	"github.com/weft-run/weft/test/components/cursors-go/gen/test/cursors/cursors"
)

func init() { cursors.Export(component{}) }

func main() {}

var dropped uint32

type component struct{}

// list is a cursor: the words that are left.
type list struct {
	words []string
}

func (component) NewCursor(words []string) cursors.Cursor { return &list{words} }

func (component) CursorFind(words []string, word string) (cursors.Cursor, error) {
	at := slices.Index(words, word)
	if at < 0 {
		return nil, guest.Error[[]string]{Value: words}
	}
	return &list{words[at:]}, nil
}

func (component) Pass(c cursors.Cursor) cursors.Cursor { return c }

func (component) Dropped() uint32 { return dropped }

func (l *list) Next() *string {
	if len(l.words) == 0 {
		return nil
	}
	word := l.words[0]
	l.words = l.words[1:]
	return &word
}

func (l *list) Join(lent cursors.Cursor, given []cursors.Cursor) {
	for _, c := range append([]cursors.Cursor{lent}, given...) {
		for word := c.Next(); word != nil; word = c.Next() {
			l.words = append(l.words, *word)
		}
	}
}

func (l *list) Drop() { dropped++ }
