package lean

import (
	"net"
	"os/exec"
	"strings"
	"testing"
)

// TestSpec runs h2spec, which checks a server against RFC 9113 and RFC 7541 (its predecessors' text) frame by frame. Its requests
// are no gRPC, so they are relayed; what it checks of frames, states and windows is this package's all the same. It is not run against a node:
// there grpc-go answers what is no gRPC by headers, at once, so that up to four checks wait for data in vain, or find a stream answered before what they
// send on it is wrong.
func TestSpec(t *testing.T) {
	program, err := exec.LookPath("h2spec")
	if err != nil {
		t.Skip("h2spec is not on the PATH; make test installs it")
	}
	f := start(t, echo{}, httpOther(t))
	host, port, err := net.SplitHostPort(f.address)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), program, "--host", host, "--port", port, "--timeout", "10").CombinedOutput()
	if err != nil || !strings.Contains(string(out), " 0 failed") {
		t.Errorf("h2spec: %v\n%s", err, out)
	}
}
