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
}

// ParseAllow reads hosts: "pay.example,10.0.0.5:7070". Without a port, all ports of the host are allowed. Hosts are
// compared as they are written, in any case; a name does not allow the addresses that it has, nor the other way round.
func ParseAllow(text string) (Allow, error) {
	a := Allow{hosts: map[string]bool{}, ports: map[string]bool{}}
	if text == "" {
		return a, nil
	}
	for entry := range strings.SplitSeq(text, ",") {
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
			return Allow{}, fmt.Errorf("%q is no host: write HOST or HOST:PORT, without a scheme or wildcards", entry)
		}
		if port == "" {
			a.hosts[host] = true
		} else {
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
