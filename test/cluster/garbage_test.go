package cluster

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/pem"
	"net"
	"os"
	"testing"
	"time"

	"github.com/weft-run/weft/test/wat"
)

// file is a component with all functions.
func file(t *testing.T) string {
	t.Helper()
	return wat.Guest{}.File(t)
}

// answers calls the function once.
func (n *Node) answers() error {
	if r := n.Weft("call", "Calc/Add", `{"a":1,"b":2}`); r.Code != 0 {
		return &textError{r.Err}
	}
	return nil
}

// garbage is what a peer may send that is none, or has gone mad.
func garbage(t *testing.T) map[string][]byte {
	t.Helper()
	noise := make([]byte, 64<<10)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"nothing":          {},
		"one byte":         {0},
		"noise":            noise,
		"zeroes":           make([]byte, 64<<10),
		"ones":             []byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), // a frame of 4 GiB, in many protocols
		"HTTP":             []byte("GET / HTTP/1.1\r\nHost: weft\r\n\r\n"),
		"half an HTTP/2":   []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x12\x04\x00"),
		"HTTP/2, 16 MiB":   []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\x00\x00\x00\x00\x00\x01"),
		"half a TLS hello": {0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00},
	}
}

// TestGarbage sends what no peer sends to the cluster port: before TLS, to the join endpoint as a stranger, and with the
// certificate of a member in each protocol.
func TestGarbage(t *testing.T) {
	c, nodes := three(t, Spec{})
	victim, mad := nodes[0], nodes[2]
	certificate, err := keyPair(mad.Path("consensus", "pki", "node.pem"))
	check(t, err)
	load := calls(victim)
	for what, data := range garbage(t) {
		t.Run(what, func(t *testing.T) {
			conn, err := net.Dial("tcp", victim.ClusterAddr())
			check(t, err)
			send(conn, data)
			for _, protocol := range []string{"weft-join", "weft-raft", "weft-node", "weft-call", "weft-nonsense"} {
				config := &tls.Config{
					NextProtos: []string{protocol}, InsecureSkipVerify: true, MinVersion: tls.VersionTLS13,
					Certificates: []tls.Certificate{certificate},
				}
				if protocol == "weft-join" {
					config.Certificates = nil
				}
				conn, err := tls.Dial("tcp", victim.ClusterAddr(), config)
				if err != nil {
					continue // turned away
				}
				send(conn, data)
			}
		})
	}
	load.some(t, 100)
	load.none(t)
	if victim.Starts() != 1 || !victim.Alive() {
		t.Error("the node has ended")
	}
	c.Settle()
	victim.Must("update", "calc", "--env", "A=1")
}

// send writes all and closes a connection.
func send(conn net.Conn, data []byte) {
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	_, _ = conn.Write(data) // the other end may have hung up
	_ = conn.Close()
}

// keyPair reads a certificate with its key from one file.
func keyPair(path string) (tls.Certificate, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return tls.Certificate{}, err
	}
	var certificates, key []byte
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			certificates = append(certificates, pem.EncodeToMemory(block)...)
		} else {
			key = pem.EncodeToMemory(block)
		}
	}
	return tls.X509KeyPair(certificates, key)
}
