package consensus

// rule is a rule that builds for tests break on demand, to prove that the checks of test/robustness see it.
type rule string

const (
	// readsAreFresh: a linearizable read asks the leader.
	readsAreFresh rule = "stale-read"
	// acksAreCommitted: a command is acknowledged when a majority has it on disk.
	acksAreCommitted rule = "early-ack"
)
