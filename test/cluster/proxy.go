package cluster

import (
	"net"
	"sync"
	"time"
)

// proxy is where a node is reached by its peers.
type proxy struct {
	network  *Network
	node     *Node // whose proxy it is
	listener net.Listener
	done     chan struct{}
	wait     sync.WaitGroup

	mu     sync.Mutex
	target string // guarded by mu; the node's cluster port; empty while it is not known
}

// listenFor opens the proxy of a node.
func listenFor(node *Node, network *Network) (*proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{network: network, node: node, listener: listener, done: make(chan struct{})}
	p.wait.Go(p.accept)
	return p, nil
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

// aim says where the node is now.
func (p *proxy) aim(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

func (p *proxy) aimed() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.target
}

func (p *proxy) close() {
	close(p.done)
	_ = p.listener.Close()
	p.wait.Wait()
}

func (p *proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.wait.Go(func() { p.serve(conn) })
	}
}

// serve forwards one connection until an end of it is closed, the link is cut or the proxy is closed.
func (p *proxy) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	from := p.network.sender(inode(client))
	target := p.aimed()
	if target == "" || p.cut(from) {
		return
	}
	server, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	var pumps sync.WaitGroup
	over := make(chan struct{})
	var once sync.Once
	end := func() {
		once.Do(func() {
			close(over)
			_ = client.Close()
			_ = server.Close()
		})
	}
	defer pumps.Wait()
	defer end()
	pumps.Go(func() { defer end(); p.pump(server, client, from, p.node, over) })
	pumps.Go(func() { defer end(); p.pump(client, server, p.node, from, over) })
	for {
		_, changed := p.network.rule(from, p.node)
		if p.cut(from) {
			return
		}
		select {
		case <-changed:
		case <-over:
			return
		case <-p.done:
			return
		}
	}
}

func (p *proxy) cut(from *Node) bool {
	there, _ := p.network.rule(from, p.node)
	back, _ := p.network.rule(p.node, from)
	return there.Cut || back.Cut
}

// piece is what was read at once, and when it is to be there.
type piece struct {
	data []byte
	due  time.Time
}

// pump carries bytes one way, under the rule for that direction, until either end is closed.
func (p *proxy) pump(to, from net.Conn, sender, receiver *Node, over <-chan struct{}) {
	pieces := make(chan piece, 64)
	var reader sync.WaitGroup
	defer reader.Wait()
	defer func() { _ = from.Close() }() // which ends the reader
	stop := make(chan struct{})
	defer close(stop)
	reader.Go(func() {
		defer close(pieces)
		for {
			data := make([]byte, 32<<10)
			n, err := from.Read(data)
			rule, _ := p.network.rule(sender, receiver)
			if n > 0 {
				select {
				case pieces <- piece{data[:n], time.Now().Add(rule.Delay)}:
				case <-stop:
					return
				}
			}
			if err != nil {
				return
			}
		}
	})
	for {
		next, more := <-pieces // the end of the connection waits as well
		if !p.deliver(next, sender, receiver, over) || !more {
			return
		}
		if _, err := to.Write(next.data); err != nil {
			return
		}
	}
}

// deliver returns when a piece may arrive; false if the connection is over first.
func (p *proxy) deliver(next piece, sender, receiver *Node, over <-chan struct{}) bool {
	timer := time.NewTimer(time.Until(next.due))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-over:
		return false
	}
	for {
		rule, changed := p.network.rule(sender, receiver)
		if !rule.Drop {
			return true
		}
		select {
		case <-changed:
		case <-over:
			return false
		}
	}
}
