package catalog

import (
	"slices"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// keptRevisions is how many revisions a function keeps.
const keptRevisions = 100

// trimRevisions drops revisions of a function that is about to be stored until keptRevisions are left, the oldest
// first, but none that is current or placed: where those alone are more, they all stay, and the next PutRevision looks
// again. The numbers of dropped ones are not given again.
//
// It is part of PutRevision from level 2 on, by the command's level and not the cluster's: an older build that applies
// a command of level 1 does not trim, whatever the cluster has been raised to.
func (s *state) trimRevisions(f *catalogv1.Function) {
	excess := len(f.GetRevisions()) - keptRevisions
	if excess <= 0 {
		return
	}
	f.Revisions = slices.DeleteFunc(f.Revisions, func(r *catalogv1.Revision) bool {
		if excess == 0 || r.GetNumber() == f.GetCurrent() || s.isPlaced(f, r.GetNumber()) {
			return false
		}
		excess--
		s.drop(revisionRow(f, r))
		return true
	})
}

func (s *state) isPlaced(f *catalogv1.Function, number uint32) bool {
	_, ok := s.placements.Get(placementKey(f.GetNamespace(), f.GetName(), number))
	return ok
}

// revision returns a revision of a function by its number; nil if there is none. f may be nil.
func revision(f *catalogv1.Function, number uint32) *catalogv1.Revision {
	rs := f.GetRevisions()
	i, ok := slices.BinarySearchFunc(rs, number, func(r *catalogv1.Revision, n uint32) int {
		return int(int64(r.GetNumber()) - int64(n))
	})
	if !ok {
		return nil
	}
	return rs[i]
}
