package backup

import (
	"bytes"
	"slices"

	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// name is an artifact with a revision that names it.
type name struct {
	digest   Digest
	function *catalogv1.Function
	revision *catalogv1.Revision
}

// named returns the artifacts that revisions name, each once, ordered by digest.
func named(view *catalog.View) []name {
	var all []name
	for f := range view.All() {
		for _, r := range f.GetRevisions() {
			if d := r.GetDigest(); len(d) == len(Digest{}) { // every revision's has, since it was put
				all = append(all, name{Digest(d), f, r})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b name) int { return bytes.Compare(a.digest[:], b.digest[:]) })
	return slices.CompactFunc(all, func(a, b name) bool { return a.digest == b.digest })
}
