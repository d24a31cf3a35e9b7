package consensus

import "errors"

// Errors that callers tell apart with errors.Is.
var (
	// ErrNoLeader: there was no leader for 10 s. The command has had no effect.
	ErrNoLeader = errors.New("consensus: no leader")
	// ErrOutcomeUnknown: leadership, the disk or the caller's context was lost while the command was on its way. It may
	// take effect or not; repeating it under the same request ID is safe and tells.
	ErrOutcomeUnknown = errors.New("consensus: it is not known whether the command took effect; repeat it with the same request ID")
	// ErrStorage: this node's disk takes no writes now. Reads go on, and writes come back by themselves.
	ErrStorage = errors.New("consensus: the disk takes no writes")
	// ErrTooLarge: the encoded command has more than MaxCommand bytes.
	ErrTooLarge = errors.New("consensus: the command is too large")
	// ErrDamaged: the log has an entry that this node must not apply: its checksum is wrong, or it is of a newer weft.
	// The node goes on showing the catalog before it and takes no writes.
	ErrDamaged = errors.New("consensus: the log can't be applied further")
	// ErrInUse: another process has the data directory open.
	ErrInUse = errors.New("consensus: the data directory is in use")
	// ErrOtherCluster: a node, a token or a data directory belongs to another cluster.
	ErrOtherCluster = errors.New("consensus: another cluster")
	// ErrNoAuthority: this node has no key of the cluster's authority, so it can't take nodes in. Schedulers have it.
	ErrNoAuthority = errors.New("consensus: this node can't give certificates: it has no key of the authority; ask a scheduler")
	// ErrRemoved: the node was taken out of the cluster for good.
	ErrRemoved = errors.New("consensus: the node was removed from the cluster")
	// ErrClosed: the node is closed.
	ErrClosed = errors.New("consensus: closed")
)
