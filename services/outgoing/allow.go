package outgoing

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/weft-run/weft/consensus/catalog"
)

// Allow is a list of hosts outside that functions may call. The zero value allows none.
type Allow struct {
	hosts map[string]bool // of any port
	ports map[string]bool // "host:port"
	plain map[string]bool // both, for plain HTTP
}

// plainHTTP begins an entry for requests without TLS.
const plainHTTP = "http://"

// ParseAllow reads hosts: "pay.example,10.0.0.5:7070,http://10.0.0.6:8080". Without a port, all ports of the host are allowed.
// An entry with http:// allows plain HTTP to the host, and nothing else; one without allows gRPC, with TLS or not as the
// binding says, and HTTPS. Hosts are compared as they are written, in any case; a name does not allow the addresses
// that it has, nor the other way round.
func ParseAllow(text string) (Allow, error) {
	a := Allow{hosts: map[string]bool{}, ports: map[string]bool{}, plain: map[string]bool{}}
	if text == "" {
		return a, nil
	}
	for entry := range strings.SplitSeq(text, ",") {
		entry, plain := strings.CutPrefix(entry, plainHTTP)
		host, port := entry, ""
		if ip := net.ParseIP(strings.Trim(entry, "[]")); ip == nil && strings.Contains(entry, ":") {
			var err error
			if host, port, err = net.SplitHostPort(entry); err != nil {
				return Allow{}, fmt.Errorf("%q is no host: write HOST or HOST:PORT", entry)
			}
			if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
				return Allow{}, fmt.Errorf("%q has no port between 1 and 65535", entry)
			}
		}
		host = strings.ToLower(strings.Trim(host, "[]"))
		if host == "" || strings.ContainsAny(host, "/*@ ") {
			return Allow{}, fmt.Errorf("%q is no host: write HOST or HOST:PORT, without wildcards or a scheme other than http://", entry)
		}
		switch {
		case plain && port == "":
			a.plain[host] = true
		case plain:
			a.plain[net.JoinHostPort(host, port)] = true
		case port == "":
			a.hosts[host] = true
		default:
			a.ports[net.JoinHostPort(host, port)] = true
		}
	}
	return a, nil
}

// Check refuses an address of the form of package catalog that is not allowed. The error says what to do.
func (a Allow) Check(address string) error {
	hostPort, _, ok := catalog.SplitAddress(address)
	host, port, err := net.SplitHostPort(hostPort)
	if !ok || err != nil {
		return fmt.Errorf("%q is no address: write %sHOST:PORT or %sHOST:PORT", address, catalog.SchemeTLS, catalog.SchemePlain)
	}
	host = strings.ToLower(host)
	if a.hosts[host] || a.ports[net.JoinHostPort(host, port)] {
		return nil
	}
	return fmt.Errorf("this node's configuration does not allow functions to call %s; start every node with weft server --allow-host %s",
		hostPort, hostPort)
}

// CheckHTTP refuses a URL with the scheme http or https to a host that is not allowed. The port is empty for that of the
// scheme. The error says what to do.
func (a Allow) CheckHTTP(scheme, host, port string) error {
	host = strings.ToLower(host)
	if port == "" {
		port = "443"
		if scheme == "http" {
			port = "80"
		}
	}
	hostPort := net.JoinHostPort(host, port)
	entry := hostPort
	switch {
	case scheme == "https" && (a.hosts[host] || a.ports[hostPort]), scheme == "http" && (a.plain[host] || a.plain[hostPort]):
		return nil
	case scheme == "http":
		entry = plainHTTP + hostPort
	}
	return fmt.Errorf("this node's configuration does not allow functions %s requests to %s; start every node with weft server --allow-host %s",
		scheme, hostPort, entry)
}
