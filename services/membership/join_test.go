package membership

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/weft-run/weft/consensus"
	"github.com/weft-run/weft/consensus/catalog"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/directory"
)

func duration(d time.Duration) *durationpb.Duration {
	if d == 0 {
		return nil
	}
	return durationpb.New(d)
}

func TestJoin(t *testing.T) {
	first := start(t, options{name: "one"})
	token := first.token(t, 0)
	second := start(t, options{name: "two", token: token, join: first.addr()})
	third := start(t, options{name: "three", executor: true, token: token, join: first.addr()})
	for _, m := range []*member{second, third} {
		if m.Cluster() != first.Cluster() {
			t.Errorf("%s is in cluster %s", m.Name(), m.Cluster())
		}
		row := first.row(m.ID())
		if row.GetName() != m.Name() || row.GetScheduler() != m.Certifies() || !row.GetExecutor() {
			t.Errorf("row %v", row)
		}
	}
	// The third asked the first, and the second learns of it all the same: from its announcement.
	eventually(t, "all know where all are", func() bool {
		for _, a := range []*member{first, second, third} {
			for _, b := range []*member{first, second, third} {
				if a.at(b.ID()) != b.addr() {
					return false
				}
			}
		}
		return true
	})

	// Any node takes nodes in; an executor asks a scheduler.
	fourth := start(t, options{name: "four", executor: true, token: token, join: third.addr()})
	if first.row(fourth.ID()).GetName() != "four" {
		t.Error("the fourth is not in the catalog")
	}
}

// TestJoinRepeats joins again and again with one key.
func TestJoinRepeats(t *testing.T) {
	first := start(t, options{name: "one"})
	token, err := ParseToken(first.token(t, 0))
	if err != nil {
		t.Fatal(err)
	}
	var application consensus.Application
	captured := errors.New("captured")
	_, err = consensus.Open(consensus.Config{Dir: t.TempDir(), Logger: testLog(t), Join: func(_ context.Context, a consensus.Application) (*consensus.Admission, error) {
		application = a
		return nil, captured
	}})
	if !errors.Is(err, captured) {
		t.Fatal(err)
	}
	request := Request{Address: first.addr(), Token: token, Name: "two", Executor: true, Logger: testLog(t)}
	for range 3 {
		admission, err := Join(t.Context(), request, application)
		if err != nil {
			t.Fatal(err)
		}
		if admission.AuthorityKey != nil {
			t.Error("an executor got the authority's key")
		}
	}
	index := first.row(application.ID).GetJoinedIndex()
	if _, err := Join(t.Context(), request, application); err != nil || first.row(application.ID).GetJoinedIndex() != index {
		t.Errorf("it was taken in anew: %v", err)
	}
	nodes := 0
	for range first.Catalog().View().Nodes() {
		nodes++
	}
	if nodes != 2 {
		t.Errorf("the catalog has %d nodes", nodes)
	}
	// Somebody else with that ID, and the ID with another key.
	stolen := application
	stolen.ID = first.ID()
	if _, err := Join(t.Context(), request, stolen); err == nil || !strings.Contains(err.Error(), "a node named two") {
		t.Errorf("another ID under a name that is taken: %v", err)
	}
	request.Name = "three"
	if _, err := Join(t.Context(), request, stolen); err == nil || !strings.Contains(err.Error(), "not the ID that belongs to the node's key") {
		t.Errorf("the ID of another node: %v", err)
	}
}

// TestJoinErrors has everything that can be wrong. Each error is a sentence that says what to do, and nothing is left
// that would make the next try go wrong.
func TestJoinErrors(t *testing.T) {
	first, other := start(t, options{name: "one"}), start(t, options{name: "other"})
	token := first.token(t, 0)
	revoked := first.token(t, 0)
	if _, err := first.service.RevokeToken(t.Context(), &weftv1.RevokeTokenRequest{Token: revoked}); err != nil {
		t.Fatal(err)
	}
	wrong, err := ParseToken(token)
	if err != nil {
		t.Fatal(err)
	}
	wrong.Secret = "wrong"
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { // ends when nobody is closed
		for {
			conn, err := nobody.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
			_ = conn.Close()
		}
	}()
	defer func() { _ = nobody.Close() }()
	for name, test := range map[string]struct {
		options
		want string
	}{
		"a wrong secret":      {options{name: "n", token: wrong.String(), join: first.addr()}, "the token is not good"},
		"a revoked token":     {options{name: "n", token: revoked, join: first.addr()}, "was revoked"},
		"another cluster":     {options{name: "n", token: token, join: other.addr()}, "the node there has another authority than the token names"},
		"no token":            {options{name: "n", token: "weft1.a", join: first.addr()}, "no join token"},
		"a taken name":        {options{name: "one", token: token, join: first.addr()}, "a node named one is in the cluster: choose another --name, or `weft remove one` first"},
		"a bad name":          {options{name: "no name", token: token, join: first.addr()}, "a name must match"},
		"another port":        {options{name: "n", token: token, join: nobody.Addr().String()}, "--join takes the address of a cluster port"},
		"another's directory": {options{name: "n", token: token, join: first.addr(), dir: other.dir + "-copy"}, "belongs to cluster " + other.Cluster()},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.HasSuffix(test.dir, "-copy") {
				if err := os.CopyFS(test.dir, os.DirFS(other.dir)); err != nil {
					t.Fatal(err)
				}
			} else {
				test.dir = t.TempDir()
			}
			_, err := try(t, test.options)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v, want %q", err, test.want)
			}
			if strings.Contains(err.Error(), wrong.Secret+".") || strings.Contains(err.Error(), token) {
				t.Errorf("the error shows the token: %v", err)
			}
			if _, err := os.Stat(filepath.Join(test.dir, "node.json")); err == nil && !strings.HasSuffix(test.dir, "-copy") {
				t.Error("something is left")
			}
		})
	}
}

// TestJoinIsPatient joins a cluster that comes up later.
func TestJoinIsPatient(t *testing.T) {
	first := start(t, options{name: "one"})
	token := first.token(t, 0)
	parsed, err := ParseToken(token)
	if err != nil {
		t.Fatal(err)
	}
	first.service.config.Node.Handle(consensus.JoinProtocol, nil)
	tries := make(chan struct{}, 100)
	logger := testLog(t)
	opened := make(chan error, 1)
	go func() {
		n, err := consensus.Open(consensus.Config{Dir: t.TempDir(), Logger: logger, Follower: true, Join: func(ctx context.Context, a consensus.Application) (*consensus.Admission, error) {
			return Join(ctx, Request{
				Address: first.addr(), Token: parsed, Name: "two", Executor: true, Logger: logger,
				onRetry: func() { tries <- struct{}{} },
			}, a)
		}})
		if err == nil {
			err = n.Close(context.Background())
		}
		opened <- err
	}()
	for range 2 {
		<-tries
	}
	first.service.config.Node.Handle(consensus.JoinProtocol, first.service.lobby.take)
	if err := <-opened; err != nil {
		t.Fatal(err)
	}
	_, err = Join(t.Context(), Request{Address: "127.0.0.1:1", Token: parsed, Name: "x", Logger: logger, Patience: time.Second}, consensus.Application{})
	if err == nil || !strings.Contains(err.Error(), "gave up after 1s") || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("error %v", err)
	}
}

// TestJoinOfAnOldBuild asks a cluster that was raised above what the build knows.
func TestJoinOfAnOldBuild(t *testing.T) {
	first := start(t, options{name: "one"})
	token := first.token(t, 0)
	parsed, err := ParseToken(token)
	if err != nil {
		t.Fatal(err)
	}
	_, err = first.service.admit(t.Context(), &clusterv1.JoinRequest{Secret: parsed.Secret, Name: "old", Version: "v0.1", Level: 1})
	want := fmt.Sprintf("the cluster is at level %d and this build of weft (v0.1) knows 1: upgrade it", catalog.Level)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v", err)
	}
}

// TestExpiry stands at the edge of a token's life, on nodes whose clocks are an hour apart.
func TestExpiry(t *testing.T) {
	var ahead time.Duration // of the first node's clock, against the leader's
	now := time.Now()
	first := start(t, options{name: "one", config: func(c *Config) { c.clock = func() time.Time { return now.Add(ahead) } }})
	first.ready(t)
	for _, ahead = range []time.Duration{0, time.Hour, -time.Hour} {
		first.know(&directory.Node{ID: first.ID(), ClockOffset: ahead, Alive: true})
		created, err := first.service.CreateToken(t.Context(), tokenRequest(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		if got := created.GetExpires().AsTime(); !got.Equal(now.Add(time.Minute)) {
			t.Errorf("a clock that is %v ahead: it expires %v from the leader's now", ahead, got.Sub(now))
		}
		parsed, err := ParseToken(created.GetToken())
		if err != nil {
			t.Fatal(err)
		}
		start := now
		for _, edge := range []struct {
			after time.Duration
			good  bool
		}{{0, true}, {time.Minute - time.Nanosecond, true}, {time.Minute, false}, {time.Hour, false}} {
			now = start.Add(edge.after)
			_, err := first.service.checkSecret(t.Context(), parsed.Secret)
			if (err == nil) != edge.good {
				t.Errorf("a clock that is %v ahead: %v after it was made: %v", ahead, edge.after, err)
			}
			if err != nil && !strings.Contains(err.Error(), "ran out at") {
				t.Errorf("error %v", err)
			}
		}
		now = start
	}
}

func TestGuessesAreFew(t *testing.T) {
	first := start(t, options{name: "one"})
	parsed, err := ParseToken(first.token(t, 0))
	if err != nil {
		t.Fatal(err)
	}
	busy := false
	for range 50 {
		_, err := first.service.checkSecret(t.Context(), "guess")
		if err == nil {
			t.Fatal("a guess was right")
		}
		busy = busy || strings.Contains(err.Error(), "too many wrong tokens")
	}
	if !busy {
		t.Error("50 guesses at once were all looked up")
	}
	if _, err := first.service.checkSecret(t.Context(), parsed.Secret); err != nil {
		t.Errorf("guesses lock out a good token: %v", err)
	}
	b := bucket{burst: 2, every: time.Second}
	at := time.Unix(1000, 0)
	for i, want := range []bool{true, true, false, false} {
		if got := b.take(at); got != want {
			t.Errorf("take %d: %v", i, got)
		}
	}
	if !b.take(at.Add(time.Second)) || b.take(at.Add(time.Second)) || !b.take(at.Add(time.Hour)) {
		t.Error("it does not fill again, one each second")
	}
}

// TestTokenAtOnce asks a cluster that has only just begun: it waits until the cluster is at the level that has tokens.
func TestTokenAtOnce(t *testing.T) {
	first := start(t, options{name: "one"})
	if _, err := first.service.CreateToken(t.Context(), &weftv1.CreateTokenRequest{}); err != nil {
		t.Error(err)
	}
}

func TestTokens(t *testing.T) {
	first := start(t, options{name: "one"})
	first.ready(t)
	for _, life := range []time.Duration{-time.Second, time.Millisecond, 31 * 24 * time.Hour} {
		if _, err := first.service.CreateToken(t.Context(), &weftv1.CreateTokenRequest{Life: durationpb.New(life)}); err == nil {
			t.Errorf("a token with a life of %v", life)
		}
	}
	created, err := first.service.CreateToken(t.Context(), &weftv1.CreateTokenRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(created.GetExpires().AsTime()); left < 59*time.Minute || left > time.Hour {
		t.Errorf("it is good for %v", left)
	}
	parsed, err := ParseToken(created.GetToken() + "\n")
	if err != nil || parsed.ID != created.GetId() || parsed.Authority != first.Authority() || len(parsed.Secret) < 26 {
		t.Errorf("token %q: %+v, %v", created.GetToken(), parsed, err)
	}
	if row := first.Catalog().View().Token(parsed.ID); row == nil || strings.Contains(row.String(), parsed.Secret) {
		t.Errorf("row %v", row)
	}
	for _, text := range []string{"", "weft1", "weft1...", "weft2.a.b." + strings.Repeat("0", 64), "weft1.a.b.00", "weft1.a.b.c.d",
		"weft1.a." + strings.Repeat("b", 200) + "." + strings.Repeat("0", 64)} {
		if _, err := ParseToken(text); err == nil {
			t.Errorf("%q is a token", text)
		}
	}
	revoke := func(token string) error {
		_, err := first.service.RevokeToken(t.Context(), &weftv1.RevokeTokenRequest{Token: token})
		return err
	}
	if err := revoke(created.GetToken()); err != nil {
		t.Error(err)
	}
	if err := revoke(created.GetId()); err == nil || !strings.Contains(err.Error(), "no token") {
		t.Errorf("revoked twice: %v", err)
	}
	foreign := parsed
	foreign.Authority[0] ^= 1
	if err := revoke(foreign.String()); err == nil || !strings.Contains(err.Error(), "another cluster") {
		t.Errorf("revoked a token of another cluster: %v", err)
	}
	first.token(t, 0)
	first.token(t, 0)
	if err := revoke(""); err != nil {
		t.Error(err)
	}
	for token := range first.Catalog().View().Tokens() {
		t.Errorf("%v is left", token)
	}
}

// TestLobbyIsBounded has strangers that hold connections.
func TestLobbyIsBounded(t *testing.T) {
	first := start(t, options{name: "one"})
	token := first.token(t, 0)
	var held []net.Conn
	for range maxGuests + 10 {
		conn, peer := net.Pipe()
		defer func() { _ = conn.Close() }()
		go first.service.lobby.take(peer, "") // it waits for the server to take the connection
		held = append(held, conn)
	}
	eventually(t, "the lobby is full", func() bool { return len(first.service.lobby.slots) == maxGuests })
	for _, conn := range held {
		_ = conn.Close()
	}
	eventually(t, "they are gone", func() bool { return len(first.service.lobby.slots) == 0 })
	start(t, options{name: "two", executor: true, token: token, join: first.addr()})
}
