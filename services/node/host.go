package node

import (
	"slices"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/callinfo"
)

// hostInterfaces are the interfaces that functions on this node may import, besides those of WASI 0.2.
func (n *Node) hostInterfaces() []executor.HostInterface {
	return slices.Concat(
		[]executor.HostInterface{callinfo.Interface(), n.requests.Interface()},
		n.secrets.Interfaces(),
		n.guests.Interfaces(),
	)
}
