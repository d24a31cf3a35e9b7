package main

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/test/cluster"
	"github.com/weft-run/weft/test/wat"
)

// fakeNodes is a cluster of two nodes that remembers the last request.
type fakeNodes struct {
	weftv1.UnimplementedNodeServiceServer

	drain  *weftv1.DrainRequest
	revoke *weftv1.RevokeTokenRequest
	token  *weftv1.CreateTokenRequest
	remove *weftv1.RemoveRequest
}

func (f *fakeNodes) ListNodes(context.Context, *weftv1.ListNodesRequest) (*weftv1.ListNodesResponse, error) {
	now := time.Now()
	return &weftv1.ListNodesResponse{Leader: "n1", Level: 2, Freshness: &weftv1.Freshness{Linearizable: true}, Nodes: []*weftv1.Node{
		{
			Id: "aa", Name: "n1", Roles: []string{"scheduler", "executor"}, State: "alive", Raft: "leader", Version: "v1", GrpcAddress: "10.0.0.1:7070",
			Started: timestamppb.New(now.Add(-2 * time.Hour)), Heard: timestamppb.New(now), Placed: 3, Ready: 2, StateHash: "00ff", AppliedIndex: 7,
		},
		{
			Id: "bb", Name: "n2", Roles: []string{"executor"}, State: "alive", Version: "v2", GrpcAddress: "10.0.0.2:7070", Warnings: []string{"its clock is 1h0m0s ahead of the leader's", "evil \x1b[31m"},
			Started: timestamppb.New(now.Add(55 * time.Minute)), Heard: timestamppb.New(now), ClockOffset: durationpb.New(time.Hour),
		},
		{Id: "cc", Name: "n3", Roles: []string{"executor"}, State: "joining"},
	}}, nil
}

func (f *fakeNodes) Drain(_ context.Context, r *weftv1.DrainRequest) (*weftv1.DrainResponse, error) {
	f.drain = r
	if r.GetWait().AsDuration() == 0 && !r.GetUndo() {
		return &weftv1.DrainResponse{Left: 3, Warnings: []string{"no executor is left"}}, nil
	}
	return &weftv1.DrainResponse{}, nil
}

func (f *fakeNodes) Remove(_ context.Context, r *weftv1.RemoveRequest) (*weftv1.RemoveResponse, error) {
	f.remove = r
	return &weftv1.RemoveResponse{Id: "aa", Name: r.GetNode()}, nil
}

func (f *fakeNodes) CreateToken(_ context.Context, r *weftv1.CreateTokenRequest) (*weftv1.CreateTokenResponse, error) {
	f.token = r
	return &weftv1.CreateTokenResponse{Token: "weft1.id.secret.hash", Id: "id"}, nil
}

func (f *fakeNodes) RevokeToken(_ context.Context, r *weftv1.RevokeTokenRequest) (*weftv1.RevokeTokenResponse, error) {
	f.revoke = r
	return &weftv1.RevokeTokenResponse{}, nil
}

// startFakeNodes serves a fake and makes it the server of the test's commands.
func startFakeNodes(t *testing.T) *fakeNodes {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f, server := &fakeNodes{}, grpc.NewServer()
	weftv1.RegisterNodeServiceServer(server, f)
	go func() { _ = server.Serve(listener) }() // Stop waits for it
	t.Cleanup(server.Stop)
	t.Setenv("WEFT_ADDR", listener.Addr().String())
	return f
}

func TestNodesOfACluster(t *testing.T) {
	startFakeNodes(t)
	r := weftWith(t, "", "nodes").ok().prints(
		"NODE  ROLES               STATE    RAFT    VERSION  ADDRESS        PLACED/READY  UP  WARNINGS",
		"n1    scheduler,executor  alive    leader  v1       10.0.0.1:7070  3/2           2h",
		"n2    executor            alive    -       v2       10.0.0.2:7070  0/0           5m  its clock is 1h0m0s ahead of the leader's; evil",
		"n3    executor            joining  -       -        -              0/0           -",
	)
	if strings.Contains(r.out, "\x1b") {
		t.Error("a warning steers the terminal")
	}
	weftWith(t, "", "nodes", "--json").ok().prints(`"leader": "n1"`, `"stateHash": "00ff"`, `"appliedIndex": "7"`, `"clockOffset": "3600s"`)
}

func TestDrainNode(t *testing.T) {
	f := startFakeNodes(t)
	weftWith(t, "", "drain", "n1").ok().prints("n1 is drained\n")
	if f.drain.GetNode() != "n1" || f.drain.GetWait().AsDuration() != 30*time.Second || f.drain.GetRequestId() == "" {
		t.Errorf("request %v", f.drain)
	}
	r := weftWith(t, "", "drain", "n1", "--wait", "0s").ok().prints("n1 is draining, 3 placements left")
	if !strings.Contains(r.err, "warning: no executor is left") {
		t.Errorf("stderr %q", r.err)
	}
	weftWith(t, "", "drain", "n1", "--undo").ok().prints("n1 takes placements again\n")
	if !f.drain.GetUndo() {
		t.Errorf("request %v", f.drain)
	}
	weftWith(t, "", "drain", "n1", "--wait", "0s", "--json").ok().prints(`"left": 3`)
	weftWith(t, "", "drain").exits(exitUsage).complains("takes NODE; 0 given")
	weftWith(t, "", "drain", "n1", "--undo", "--wait", "1s").exits(exitUsage).complains("--wait has no use with --undo")
	weftWith(t, "", "__complete", "drain", "").ok().prints("n1\nn2\nn3\n")
}

func TestRemoveNode(t *testing.T) {
	f := startFakeNodes(t)
	r := weftWith(t, "", "remove", "n1").ok().prints("removed n1 (aa)\n")
	if !strings.Contains(r.err, "n1 was alive with 3 placements") || f.remove.GetNode() != "n1" {
		t.Errorf("stderr %q, request %v", r.err, f.remove)
	}
	if r := weftWith(t, "", "remove", "n2", "--json").ok().prints(`"id": "aa"`); r.err != "" {
		t.Errorf("stderr %q", r.err)
	}
	weftWith(t, "", "remove").exits(exitUsage).complains("takes NODE; 0 given")
}

func TestToken(t *testing.T) {
	f := startFakeNodes(t)
	if r := weftWith(t, "", "token").ok(); r.out != "weft1.id.secret.hash\n" || r.err != "" || f.token.GetLife() != nil {
		t.Errorf("%v, request %v", r, f.token)
	}
	weftWith(t, "", "token", "--life", "10m", "--json").ok().prints(`"id": "id"`)
	if f.token.GetLife().AsDuration() != 10*time.Minute {
		t.Errorf("request %v", f.token)
	}
	weftWith(t, "", "token", "revoke", "id").ok().prints("revoked the token\n")
	if f.revoke.GetToken() != "id" {
		t.Errorf("request %v", f.revoke)
	}
	weftWith(t, "", "token", "revoke", "--all").ok().prints("revoked all tokens\n")
	if f.revoke.GetToken() != "" {
		t.Errorf("request %v", f.revoke)
	}
	weftWith(t, "", "token", "revoke", "").exits(exitFailure).complains("no token is named")
	weftWith(t, "", "token", "revoke").exits(exitUsage).complains("takes ID|TOKEN; 0 given")
	weftWith(t, "", "token", "revoke", "id", "--all").exits(exitUsage).complains("--all takes no token")
	weftWith(t, "", "token", "rewoke").exits(exitUsage).complains(`no command "rewoke"`, "did you mean revoke?")
	weftWith(t, "", "token", "--life", "0s").exits(exitUsage).complains("must be more than 0")
}

// TestNodeSaysWhatIsWrong: a node whose log has lost its end shows what it knows, and says so where there is no leader to say it.
func TestNodeSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	s := startServerIn(t, dir)
	calc := wat.Guest{}.File(t)
	for range 5 {
		s.weft("deploy", calc, "--name", "calc").ok()
	}
	s.stop()
	segments, err := filepath.Glob(filepath.Join(dir, "consensus", "raft", "log", "*.wal"))
	if err != nil || len(segments) != 1 {
		t.Fatal(segments, err)
	}
	if err := cluster.CutOff(segments[0]); err != nil {
		t.Fatal(err)
	}
	s = startServerIn(t, dir)
	waitUntil(t, "the node says what is wrong", func() bool { return strings.Contains(s.weft("nodes").ok().out, "its end is lost") })
	s.weft("revisions", "calc").ok().prints("5         current")
	s.weft("call", "Calc/Add", `{"a":1,"b":2}`).ok()
	s.weft("update", "calc", "--memory", "65MiB").exits(exitFailure).complains("DAMAGED): consensus: the log can", "its end is lost", "weft backup --stale")

	// What it says to do works.
	file, saved := filepath.Join(t.TempDir(), "saved"), filepath.Join(t.TempDir(), "data")
	s.weft("backup", file, "--stale").ok()
	weftWith(t, "", "restore", file, "--data-dir", saved).ok()
	startServerIn(t, saved).weft("revisions", "calc").ok().prints("5         current")
}

// TestFailedStart: a server that can't have its ports neither founds a cluster nor joins one, where it would be missed.
func TestFailedStart(t *testing.T) {
	s, dir := startServer(t), t.TempDir()
	token := strings.TrimSpace(s.weft("token").ok().out)
	start := []string{"server", "--data-dir", dir, "--name", "second", "--listen", "127.0.0.1:0", "--cluster", "127.0.0.1:0", "--http"}
	join := []string{"--join", s.ClusterAddr(), "--token", token}
	weftWith(t, "", append(start, s.HTTPAddr())...).exits(exitFailure).complains("HTTP port", "in use")
	weftWith(t, "", append(append(start, s.HTTPAddr()), join...)...).exits(exitFailure).complains("HTTP port", "in use")
	if r := s.weft("nodes").ok(); strings.Contains(r.out, "second") {
		t.Errorf("it has joined:\n%s", r.out)
	}
	p := startProcess(t, dir, append(join, "--name", "second")...)
	weftWith(t, "", "nodes", "--addr", p.addr).ok().prints("second", "alive")
	p.terminate(t)
}
