package cluster

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// Client returns a client of the node as it was started last. It belongs to the node.
func (n *Node) Client() (*weft.Client, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process == nil {
		return nil, status.Errorf(codes.Unavailable, "%s was never started", n.Name)
	}
	if n.client == nil {
		c, err := weft.Connect(n.process.ready["grpc"])
		if err != nil {
			return nil, err
		}
		n.client = c
		n.cluster.tb.Cleanup(func() { _ = c.Close() })
	}
	return n.client, nil
}

// forget lets go of the client.
func (n *Node) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.client = nil
}

// Functions returns a stub of weft's own API at the node.
func (n *Node) Functions() (weftv1.FunctionServiceClient, error) {
	c, err := n.Client()
	if err != nil {
		return nil, err
	}
	return weftv1.NewFunctionServiceClient(c.Conn()), nil
}

// Management returns a stub of the API about nodes at the node.
func (n *Node) Management() (weftv1.NodeServiceClient, error) {
	c, err := n.Client()
	if err != nil {
		return nil, err
	}
	return weftv1.NewNodeServiceClient(c.Conn()), nil
}

// Status asks the node about itself.
func (n *Node) Status(ctx context.Context) (*weftv1.StatusResponse, error) {
	m, err := n.Management()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return m.Status(ctx, &weftv1.StatusRequest{})
}

// Result is what a run of the weft command gave.
type Result struct {
	Code     int
	Out, Err string
}

// Weft runs the weft command against the node.
func (n *Node) Weft(args ...string) Result {
	n.cluster.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, n.spec.Binary.path(n.cluster.tb), append(slices.Clone(args), "--addr", n.Addr())...)
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	err := command.Run()
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		n.cluster.tb.Fatalf("cluster: weft %s: %v", strings.Join(args, " "), err)
	}
	return Result{Code: command.ProcessState.ExitCode(), Out: out.String(), Err: errs.String()}
}

// Must is Weft for a command that has to work; it returns what the command prints.
func (n *Node) Must(args ...string) string {
	n.cluster.tb.Helper()
	r := n.Weft(args...)
	if r.Code != 0 {
		n.cluster.tb.Fatalf("cluster: weft %s at %s: exit status %d: %s", strings.Join(args, " "), n.Name, r.Code, r.Err)
	}
	return r.Out
}

// Token has a node make a join token.
func (c *Cluster) Token(n *Node) string {
	c.tb.Helper()
	var token string
	c.Eventually("a join token", func() error {
		m, err := n.Management()
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		defer cancel()
		response, err := m.CreateToken(ctx, &weftv1.CreateTokenRequest{})
		token = response.GetToken()
		return err
	})
	return token
}
