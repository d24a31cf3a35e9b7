package node

import (
	"context"
	"io"

	"github.com/weft-run/weft/services/backup"
)

// What a data directory has in it, besides what is made anew when it is missing.
const (
	consensusDir = "consensus"
	artifactsDir = "artifacts"
)

// Restore makes the data directory of the first node of a new cluster from a backup; see backup.Restore. Start goes on
// from there.
func Restore(ctx context.Context, file io.Reader, dataDir string) (*backup.Restored, error) {
	return backup.Restore(ctx, file, dataDir, backup.Layout{Consensus: consensusDir, Artifacts: artifactsDir})
}
