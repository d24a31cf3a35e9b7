package redis

import (
	"testing"

	"github.com/weft-run/weft/services/keyvalue"
	"github.com/weft-run/weft/services/keyvalue/keyvaluetest"
)

func TestAway(t *testing.T) {
	server := keyvaluetest.Redis(t)
	keyvaluetest.Away(t, server, func() keyvalue.Backend { return open(t, server.URL, keyvalue.DefaultQuota) })
}
