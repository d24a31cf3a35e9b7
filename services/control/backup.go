package control

import (
	"google.golang.org/grpc"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// Backups is what the API needs of backup.Server.
type Backups interface {
	Backup(*weftv1.BackupRequest, grpc.ServerStreamingServer[weftv1.BackupResponse]) error
}

// Backup implements weft.v1.NodeService.
func (s *Server) Backup(r *weftv1.BackupRequest, stream grpc.ServerStreamingServer[weftv1.BackupResponse]) error {
	return s.status(stream.Context(), s.config.Backups.Backup(r, stream))
}
