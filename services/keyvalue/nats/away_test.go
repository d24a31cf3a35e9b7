package nats

import (
	"log/slog"
	"net/url"
	"testing"

	"github.com/weft-run/weft/internal/testlog"
	"github.com/weft-run/weft/services/keyvalue"
	"github.com/weft-run/weft/services/keyvalue/keyvaluetest"
)

func TestAway(t *testing.T) {
	server := keyvaluetest.NATS(t)
	keyvaluetest.Away(t, server, func() keyvalue.Backend {
		u, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Open(u, keyvalue.DefaultQuota, testlog.New(t, slog.LevelError+1)) // it logs what is wanted here
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

func TestVersion(t *testing.T) {
	for version, ok := range map[string]bool{"2.11.0": true, "2.15.2": true, "3.0.0-beta.1": true, "2.10.29": false, "2.9.10": false, "": false} {
		if err := checkVersion(version); (err == nil) != ok {
			t.Errorf("%q: %v", version, err)
		}
	}
}
