package redis

import (
	"net/url"
	"testing"

	"github.com/weft-run/weft/services/keyvalue"
	"github.com/weft-run/weft/services/keyvalue/keyvaluetest"
)

func open(t testing.TB, address string, quota int64) *Store {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(u, quota)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	server := keyvaluetest.Redis(t)
	keyvaluetest.Run(t, keyvaluetest.Tested{Open: func(t testing.TB, quota int64) keyvalue.Backend {
		t.Helper()
		return open(t, server.URL, quota)
	}})
}
