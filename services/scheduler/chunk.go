package scheduler

import (
	"iter"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/weft-run/weft/consensus"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// maxPlacements is how many bytes the placements of one command may have: the rest of the largest one is for its head.
const maxPlacements = consensus.MaxCommand - 4<<10

// chunks splits placements so that each part has up to size bytes, encoded. One placement that is larger goes alone.
func chunks(placements []*catalogv1.Placement, size int) iter.Seq[[]*catalogv1.Placement] {
	return func(yield func([]*catalogv1.Placement) bool) {
		from, used := 0, 0
		for i, p := range placements {
			bytes := 1 + protowire.SizeBytes(proto.Size(p)) // field 1 of SetPlacements
			if used > 0 && used+bytes > size {
				if !yield(placements[from:i]) {
					return
				}
				from, used = i, 0
			}
			used += bytes
		}
		if from < len(placements) {
			yield(placements[from:])
		}
	}
}
