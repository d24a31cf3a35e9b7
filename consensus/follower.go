package consensus

// follow keeps the catalog up to date by a watch of a scheduler's, until the node is closed.
func (n *Node) follow() {
	defer close(n.ended)
	<-n.closing
}
