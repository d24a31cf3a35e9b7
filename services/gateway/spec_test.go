package gateway

import (
	"net"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestSpec runs h2spec against the gateway's port, where package lean and grpc-go serve together. Its requests are no gRPC, so they are answered
// by headers alone, which two of its checks take for a fault: after the frame that must be accepted, they wait for data.
func TestSpec(t *testing.T) {
	program, err := exec.LookPath("h2spec")
	if err != nil {
		t.Skip("h2spec is not on the PATH; make test installs it")
	}
	f := start(t, echo)
	host, port, err := net.SplitHostPort(f.address)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), program, "--host", host, "--port", port, "--timeout", "10").CombinedOutput()
	checks, failures, found := strings.Cut(string(out), "Failures:")
	if !found || strings.Count(checks, "✔") < 100 {
		t.Fatalf("h2spec: %v\n%s", err, out)
	}
	answered := regexp.MustCompile(`× \d+: Sends a (WINDOW_UPDATE|PRIORITY) frame on half-closed \(remote\) stream\n.*\n *Expected: DATA frame\n *Actual: HEADERS Frame .*flags:0x05.*\n`)
	if rest := answered.ReplaceAllString(failures, ""); strings.Contains(rest, "×") {
		t.Errorf("h2spec: %v\n%s", err, failures)
	}
}
