package functions

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/weft-run/weft/services/node"
	"github.com/weft-run/weft/test/wat"
)

// nodeVariable makes the test binary a node that joins a cluster: it holds the node's data directory, the address to join
// and the token.
const nodeVariable = "WEFT_TEST_NODE"

// serveNode runs an executor with the label place=second until its standard input ends.
func serveNode() (err error) {
	part := strings.Split(os.Getenv(nodeVariable), "\n")
	ctx := context.Background()
	n, err := node.Start(ctx, node.Config{
		DataDir: part[0], Join: part[1], Token: part[2], Name: "n2", GRPC: "127.0.0.1:0", HTTP: "127.0.0.1:0", Cluster: "127.0.0.1:0",
		Roles: node.Roles{Executor: true}, Labels: map[string]string{"place": "second"}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	fmt.Println(n.HTTPAddr())
	_, _ = bufio.NewReader(os.Stdin).ReadByte() // it ends with an error
	return n.Stop(ctx)
}

// another starts a node in a process of its own that joins the cluster. It gives its HTTP address, and what kills it.
func (s *server) another() (http string, kill func()) {
	s.t.Helper()
	token, err := s.CreateToken(s.t.Context(), 0)
	if err != nil {
		s.t.Fatal(err)
	}
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), nodeVariable+"="+strings.Join([]string{s.t.TempDir(), s.node.ClusterAddr(), token.GetToken()}, "\n"))
	command.Stderr = os.Stderr
	_, err = command.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		s.t.Fatal(err)
	}
	killed := false
	kill = func() {
		if !killed {
			killed = true
			_ = command.Process.Kill() // it may have ended by itself
			_ = command.Wait()         // it was killed
		}
	}
	s.t.Cleanup(kill)
	address, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		s.t.Fatalf("the node does not start: %v", err)
	}
	return strings.TrimSpace(address), kill
}

// TestProviderIsKilled kills the node that answers a call in the middle of it.
func TestProviderIsKilled(t *testing.T) {
	s := start(t, func(c *node.Config) { c.Labels = map[string]string{"place": "first"} })
	http, kill := s.another()
	s.deploy("c", wat.Chain{Export: iface("c")}, on("second"))
	s.deploy("b", wat.Chain{Export: iface("b"), Import: iface("c")}, on("first"))
	s.deploy("a", wat.Chain{Export: iface("a"), Import: iface("b")}, on("first"))
	s.want("A/Ask", 1, 3)
	failed := map[string]chan error{"A/Ask": make(chan error), "A/Tell": make(chan error)}
	for method, result := range failed {
		go func() {
			_, err := s.call(method, 2000)
			result <- err
		}()
	}
	eventually(t, "two calls that run there", func() bool { return metric(t, http, "weft_instances_running") == 2 })
	kill()
	lost := []string{"function c", "NODE_LOST", "node n2 was lost", "default/c@1", "weft-idempotent: true"}
	broken(t, <-failed["A/Ask"], codes.FailedPrecondition, "", append(lost, "demo.chain.v1.C/Ask")...)
	broken(t, <-failed["A/Tell"], codes.Internal, "TRAP", "demo.chain.v1.B/Tell", "function b")
	s.rests()

	// Then nobody answers: each call says so, and who it is that does not.
	eventually(t, "that the node is gone", func() bool {
		_, err := s.call("A/Ask", 1)
		return err != nil
	})
	s.breaks("A/Ask", 1, codes.FailedPrecondition, "", "demo.chain.v1.C/Ask", "function c", "default/c@1")
	s.breaks("A/Tell", 1, codes.Internal, "TRAP", "demo.chain.v1.B/Tell", "function b")

	// Elsewhere it goes on.
	s.deploy("c", wat.Chain{Export: iface("c")}, on("first"))
	s.want("A/Tell", 1, 3)
	s.rests()
}
