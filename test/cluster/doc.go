// Package cluster runs clusters of real weft processes for tests, and does to them what happens to machines.
//
//	c := cluster.New(t)
//	a, b, d := c.Found(cluster.Spec{Name: "a"}), c.Join(cluster.Spec{Name: "b"}), c.Join(cluster.Spec{Name: "d"})
//	c.Network.Partition([]*cluster.Node{a}, []*cluster.Node{b, d})
//	b.Kill()
//	b.Restart()
//
// The binary is built once, with the tag weft_faults, so that its disk fails on demand (package internal/disk). Every
// node has directories of its own for data and faults, free ports, and a proxy before its cluster port that it
// advertises to its peers (see [Network]). Clients reach nodes directly.
//
// Nothing outlives a test: nodes are killed by their process ID when it ends, however it ends, and the kernel kills
// them if the test process dies. If a test fails, the last lines of every node's log are printed.
//
// Methods that take no context fail the test if what they do does not work, or not within a minute. They must be called
// from the goroutine of the test, unless they return an error.
package cluster
