package catalog

import catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"

// RequiredLevel returns the lowest level that a command may carry: a build that does not know the level can't apply
// it as it is meant. A command that carries less is refused.
//
// Who proposes a command gives it this level, or a higher one that the cluster has been raised to (View.Level) for what
// that level does besides. Above View.Level it is refused until the cluster is raised.
func RequiredLevel(cmd *catalogv1.Command) uint32 {
	switch action := cmd.GetAction().(type) {
	case *catalogv1.Command_PutRevision:
		switch r := action.PutRevision.GetRevision(); {
		case r.GetReuse() != 0:
			return 5
		case Linked(r):
			return 4
		case len(r.GetBindings()) > 0:
			return 3
		case r.GetScheduling() != nil:
			return 2
		}
	case *catalogv1.Command_PutNode, *catalogv1.Command_RemoveNode, *catalogv1.Command_SetDrain,
		*catalogv1.Command_PutToken, *catalogv1.Command_RevokeToken, *catalogv1.Command_SetPlacements:
		return 2
	case *catalogv1.Command_PutSecret, *catalogv1.Command_DeleteSecret:
		return 4
	}
	return 1
}
