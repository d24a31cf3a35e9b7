package cluster

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	weft "github.com/weft-run/weft/clients/go"
)

// Spec says what a node is to be.
type Spec struct {
	// Name is the node's name.
	Name string
	// Roles are what --roles takes. Empty: scheduler and executor.
	Roles string
	// Labels are what --labels takes.
	Labels string
	// Env is added to the node's environment, as "KEY=VALUE".
	Env []string
	// Lossy: the node's disk loses what is not synced at a kill, from the first start on.
	Lossy bool
	// Binary is what the node runs. Empty: Faulty.
	Binary Binary
	// Args are added to the command line.
	Args []string
}

// Node is a node of a cluster, whether it runs or not.
type Node struct {
	Name string
	// Dir is the data directory.
	Dir string
	// Disk makes the node's disk fail.
	Disk Disk

	cluster *Cluster
	spec    Spec
	logPath string
	proxy   *proxy

	mu      sync.Mutex
	process *process     // guarded by mu; nil before the first start
	client  *weft.Client // guarded by mu; of the process; nil until it is asked for
	starts  int          // guarded by mu
}

// start runs the node and aims its proxy at it.
func (n *Node) start(args ...string) error {
	tb := n.cluster.tb
	log, err := os.OpenFile(n.logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	line := []string{
		"server", "--data-dir", n.Dir, "--name", n.Name, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--cluster", "127.0.0.1:0",
		"--advertise", n.proxy.addr(),
	}
	if n.spec.Roles != "" {
		line = append(line, "--roles", n.spec.Roles)
	}
	if n.spec.Labels != "" {
		line = append(line, "--labels", n.spec.Labels)
	}
	command := exec.Command(n.spec.Binary.path(tb), slices.Concat(line, n.spec.Args, args)...)
	command.Env = slices.Concat(os.Environ(), []string{"WEFT_TEST_FAULTS=" + string(n.Disk)}, n.spec.Env)
	if _, err := log.WriteString("-- " + command.String() + "\n"); err != nil {
		return err
	}
	p, err := launch(command, log)
	if err != nil {
		return err
	}
	n.proxy.aim(p.ready["cluster"])
	n.mu.Lock()
	defer n.mu.Unlock()
	n.process, n.client = p, nil
	n.starts++
	return nil
}

func (n *Node) running() *process {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.process
}

// pid is the process ID of a node that runs; 0 of one that does not.
func (n *Node) pid() int {
	if p := n.running(); p != nil && p.alive() {
		return p.command.Process.Pid
	}
	return 0
}

// Alive tells whether the node runs, paused or not.
func (n *Node) Alive() bool { return n.pid() != 0 }

// Starts is how often the node was started.
func (n *Node) Starts() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.starts
}

// Addr is the address of the node's gRPC port. It changes with each start.
func (n *Node) Addr() string { return n.running().ready["grpc"] }

// HTTPAddr is the address of the node's HTTP port.
func (n *Node) HTTPAddr() string { return n.running().ready["http"] }

// ClusterAddr is the address of the node's cluster port itself, with no proxy before it.
func (n *Node) ClusterAddr() string { return n.running().ready["cluster"] }

// PeerAddr is where peers reach the node's cluster port.
func (n *Node) PeerAddr() string { return n.proxy.addr() }

// Kill ends the node with SIGKILL.
func (n *Node) Kill() {
	n.proxy.aim("")
	n.running().kill()
}

// Stop ends the node with SIGTERM, which lets its calls end.
func (n *Node) Stop() {
	n.cluster.tb.Helper()
	if err := n.running().stop(); err != nil {
		n.cluster.tb.Fatalf("cluster: stop %s: %v", n.Name, err)
	}
	n.proxy.aim("")
}

// Pause stops the node's clock, as far as it can see: with SIGSTOP.
func (n *Node) Pause() {
	n.cluster.tb.Helper()
	if err := n.running().pause(); err != nil {
		n.cluster.tb.Fatalf("cluster: pause %s: %v", n.Name, err)
	}
}

// Resume lets a paused node go on.
func (n *Node) Resume() { n.signal(syscall.SIGCONT) }

func (n *Node) signal(s os.Signal) {
	n.cluster.tb.Helper()
	if err := n.running().signal(s); err != nil {
		n.cluster.tb.Fatalf("cluster: %v %s: %v", s, n.Name, err)
	}
}

// Restart starts a node that does not run. Changes are made to its Spec first.
func (n *Node) Restart(changes ...func(*Spec)) {
	n.cluster.tb.Helper()
	if err := n.TryRestart(changes...); err != nil {
		n.cluster.tb.Fatalf("cluster: restart %s: %v", n.Name, err)
	}
}

// TryRestart is Restart for a node that may refuse to start. The error is that of the process; its log says why.
func (n *Node) TryRestart(changes ...func(*Spec)) error {
	if n.Alive() {
		return errors.New("it runs")
	}
	for _, change := range changes {
		change(&n.spec)
	}
	if n.spec.Binary == "" {
		n.spec.Binary = Faulty
	}
	return n.start()
}

// Move gives a node that does not run another address for its peers.
func (n *Node) Move() {
	n.cluster.tb.Helper()
	n.proxy.close()
	p, err := listenFor(n, n.cluster.Network)
	if err != nil {
		n.cluster.tb.Fatalf("cluster: move %s: %v", n.Name, err)
	}
	n.proxy = p
}

// Log is what the node has written to its log, over all its starts.
func (n *Node) Log() string {
	b, err := os.ReadFile(n.logPath)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		n.cluster.tb.Fatalf("cluster: log of %s: %v", n.Name, err)
	}
	return string(b)
}

// Path is the path of something in the data directory.
func (n *Node) Path(elements ...string) string {
	return filepath.Join(append([]string{n.Dir}, elements...)...)
}
