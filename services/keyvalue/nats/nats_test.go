package nats

import (
	"context"
	"log/slog"
	"net/url"
	"testing"
	"time"

	"github.com/weft-run/weft/internal/testlog"
	"github.com/weft-run/weft/services/keyvalue"
	"github.com/weft-run/weft/services/keyvalue/keyvaluetest"
)

// open opens a store and waits until it is connected.
func open(t testing.TB, address string, quota int64) *Store {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(u, quota, testlog.New(t, slog.LevelWarn))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !s.conn.IsConnected() {
		select {
		case <-ctx.Done():
			t.Fatal(s.disconnected())
		case <-time.After(10 * time.Millisecond):
		}
	}
	return s
}

func TestConformance(t *testing.T) {
	server := keyvaluetest.NATS(t)
	keyvaluetest.Run(t, keyvaluetest.Tested{Open: func(t testing.TB, quota int64) keyvalue.Backend {
		t.Helper()
		return open(t, server.URL, quota)
	}})
}
