package catalog

// Backup returns an image of what of the view makes sense in another cluster: functions with their revisions, the
// numbers of deleted ones, contracts, routes and secrets, encrypted as they are. What belongs to this cluster is left out: its nodes, tokens and
// placements, and the request IDs, whose senders will not ask the other cluster.
//
// The image has the view's index, since the age of functions is told by indexes, and its level, but 2 at least: a cluster
// begins with the level that takes nodes in. It costs a hash of each row.
func (v *View) Backup() *Image {
	s := emptyState()
	s.index, s.level = v.state.index, max(v.state.level, 2)
	s.functions, s.deleted, s.contracts, s.routes = v.state.functions, v.state.deleted, v.state.contracts, v.state.routes
	s.secrets = v.state.secrets
	image := &Image{state: s}
	for row := range image.rows() {
		image.state.add(row)
	}
	return image
}

// Hash returns the 32 bytes of the image's state hash.
func (m *Image) Hash() []byte { return m.state.hash() }

// Level returns the format level of the image.
func (m *Image) Level() uint32 { return m.state.level }
