package membership

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weft-run/weft/consensus"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/peer"
)

// know reports whether each of some nodes knows where all of them are.
func know(members ...*member) bool {
	for _, a := range members {
		for _, b := range members {
			if a.at(b.ID()) != b.addr() {
				return false
			}
		}
	}
	return true
}

// TestNodesMove restarts nodes on other ports: one, and then all at once.
func TestNodesMove(t *testing.T) {
	first := start(t, options{name: "one"})
	token := first.token(t, 0)
	second := start(t, options{name: "two", executor: true, token: token, join: first.addr()})
	third := start(t, options{name: "three", executor: true, token: token, join: first.addr()})
	eventually(t, "all know all", func() bool { return know(first, second, third) })

	second.close()
	second = start(t, options{dir: second.dir, name: "two", executor: true})
	eventually(t, "all know where the second is now", func() bool { return know(first, second, third) })

	for _, m := range []*member{first, second, third} {
		m.close()
	}
	first = start(t, options{dir: first.dir, name: "one"})
	second = start(t, options{dir: second.dir, name: "two", executor: true, join: first.addr()})
	third = start(t, options{dir: third.dir, name: "three", executor: true, join: second.addr()}) // which knows the first
	eventually(t, "all know where all are now", func() bool { return know(first, second, third) })
}

// lines is a log that can be searched.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), text)
}

// TestAnotherClusterAtJoin restarts a node with the address of a node of another cluster: it says so, and goes on.
func TestAnotherClusterAtJoin(t *testing.T) {
	other := start(t, options{name: "other"})
	var log lines
	first := start(t, options{name: "one", join: other.addr(), config: func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) }})
	eventually(t, "it says so", func() bool { return log.has("belongs to another cluster than this one") })
	first.ready(t)
	if other.at(first.ID()) != "" || first.at(other.ID()) != "" {
		t.Error("they have exchanged addresses")
	}
}

// TestCertificatesRotate has certificates that last seconds. An executor has its own renewed before it ends, and talks to
// others after the end of the first.
func TestCertificatesRotate(t *testing.T) {
	const life = 6 * time.Second
	first := start(t, options{name: "one", life: life})
	second := start(t, options{name: "two", executor: true, token: first.token(t, 0), join: first.addr()})
	_, end := second.CertificateLife()
	if left := time.Until(end); left > life {
		t.Fatalf("the certificate lasts %v", left)
	}
	eventually(t, "the certificate is renewed", func() bool {
		_, now := second.CertificateLife()
		return now.After(end)
	})
	if now := time.Now(); now.After(end) {
		t.Errorf("it was renewed %v after its end", now.Sub(end))
	}
	eventually(t, "the first one has ended", func() bool { return time.Now().After(end) })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, pair := range [][2]*member{{second, first}, {first, second}} {
		conn, err := pair[0].Dial(ctx, peer.Protocol, pair[1].ID())
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestRemovedNodeFindsOut removes a node that hears nothing of it in any other way: nobody feeds its catalog here.
func TestRemovedNodeFindsOut(t *testing.T) {
	first := start(t, options{name: "one"})
	token := first.token(t, 0)
	second := start(t, options{name: "two", executor: true, token: token, join: first.addr()})
	third := start(t, options{name: "three", executor: true, token: token, join: first.addr()})
	if _, err := first.service.Remove(t.Context(), &weftv1.RemoveRequest{Node: "two"}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-second.Removed():
	case <-time.After(20 * time.Second):
		t.Fatal("it does not find out")
	}
	second.close()
	if _, err := try(t, options{dir: second.dir, name: "two", executor: true}); !errors.Is(err, consensus.ErrRemoved) {
		t.Errorf("it comes back: %v", err)
	}
	select {
	case <-third.Removed():
		t.Error("the third believes that it was removed")
	default:
	}
	// Its name is free.
	start(t, options{name: "two", executor: true, token: token, join: first.addr()})
}

func TestBackoff(t *testing.T) {
	b := backoff{first: 100 * time.Millisecond, last: time.Second}
	for _, millis := range []int{100, 200, 400, 800, 1000, 1000} {
		want := time.Duration(millis) * time.Millisecond
		if got := b.pause(); got > want || got < want*3/4-1 {
			t.Errorf("pause %v, want about %v", got, want)
		}
	}
	b.reset()
	if got := b.pause(); got > 100*time.Millisecond {
		t.Errorf("after a success: %v", got)
	}
}
