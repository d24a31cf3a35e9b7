package node

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weft-run/weft/services/keyvalue"
	"github.com/weft-run/weft/services/keyvalue/embedded"
	"github.com/weft-run/weft/services/keyvalue/guest"
	"github.com/weft-run/weft/services/keyvalue/nats"
	"github.com/weft-run/weft/services/keyvalue/redis"
)

// buildKeyValue opens the storage of functions. A server need not be up, nor a file be one that can be opened.
func (n *Node) buildKeyValue(to prometheus.Registerer) error {
	backend, err := n.config.keyValueBackend(n.dir("keyvalue/pairs.db"))
	if err != nil {
		return err
	}
	n.pairs = keyvalue.New(backend, n.config.Logger, to)
	n.guests = guest.New(guest.Config{Store: n.pairs, View: n.consensus.Catalog().View, Logger: n.config.Logger})
	n.guests.Start()
	return nil
}

// keyValueBackend opens what the configuration names; file is where the node's own is.
func (c Config) keyValueBackend(file string) (keyvalue.Backend, error) {
	u := c.KeyValue.URL()
	switch {
	case u == nil:
		return embedded.Open(file, c.KeyValueQuota), nil
	case u.Scheme == "redis" || u.Scheme == "rediss":
		return redis.Open(u, c.KeyValueQuota)
	default:
		return nats.Open(u, c.KeyValueQuota, c.Logger)
	}
}
