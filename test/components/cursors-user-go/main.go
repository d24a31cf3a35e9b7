// A component that imports a resource, for the test of resources in Go.
package main

import (
	"errors"
	"fmt"

	"github.com/weft-run/weft/test/components/cursors-user-go/gen/guest"
	"github.com/weft-run/weft/test/components/cursors-user-go/gen/test/cursors/cursors"
	"github.com/weft-run/weft/test/components/cursors-user-go/gen/test/cursorsuser/user"
)

func init() { user.Export(component{}) }

func main() {}

type component struct{}

func (component) Run() ([]string, error) {
	a, b, c := cursors.NewCursor([]string{"a", "b"}), cursors.NewCursor([]string{"c"}), cursors.NewCursor([]string{"d"})
	found, err := cursors.CursorFind([]string{"x", "e", "f"}, "e")
	if err != nil {
		return nil, err
	}
	var missing guest.Error[[]string]
	if _, err := cursors.CursorFind([]string{"x"}, "y"); !errors.As(err, &missing) || len(missing.Value) != 1 || missing.Value[0] != "x" {
		return nil, fmt.Errorf("a word that is missing gives the error %v", err)
	}
	if none := cursors.Pass(nil); none != nil {
		return nil, errors.New("nothing came back as something")
	}
	a.Join(b, []*cursors.Cursor{c, found})
	if !c.Handle.Gone() || !found.Handle.Gone() || b.Handle.Gone() {
		return nil, errors.New("what is given away should be gone, and what is lent should not")
	}
	passed := cursors.Pass(a)
	var words []string
	for word := passed.Next(); word != nil; word = passed.Next() {
		words = append(words, *word)
	}
	b.Drop()
	b.Drop()
	passed.Drop()
	if n := cursors.Dropped(); n != 2 {
		return nil, fmt.Errorf("%d cursors were dropped, want 2: what is given away is not", n)
	}
	return words, useAfterDrop(b)
}

// useAfterDrop calls a method of a cursor that is gone.
func useAfterDrop(c *cursors.Cursor) (err error) {
	defer func() {
		if recover() == nil {
			err = errors.New("a cursor was used after it was dropped")
		}
	}()
	c.Next()
	return nil
}
