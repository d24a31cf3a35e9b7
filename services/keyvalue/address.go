package keyvalue

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
)

// Address says where the data is kept: in a file of the node (the zero value) or by a server. It may have credentials in it,
// which it does not print.
type Address struct{ url *url.URL }

// ParseAddress reads an address: "embedded", redis://…, rediss://…, nats://… or tls://…. The error has nothing of the text in it
// but its scheme.
func ParseAddress(text string) (Address, error) {
	if text == "embedded" {
		return Address{}, nil
	}
	u, err := url.Parse(text)
	if err != nil {
		return Address{}, errors.New("it is no URL; characters such as / and @ in a password are written as %2F and %40")
	}
	switch u.Scheme {
	case "redis", "rediss", "nats", "tls":
	default:
		return Address{}, fmt.Errorf("%.20q is no kind of storage: write embedded, redis://[USER:PASSWORD@]HOST:PORT[/DATABASE] or nats://[USER:PASSWORD@]HOST:PORT", u.Scheme)
	}
	if u.Host == "" {
		return Address{}, fmt.Errorf("the URL names no host: write %s://HOST:PORT", u.Scheme)
	}
	return Address{u}, nil
}

// URL is the server's; nil for the embedded backend. It has the credentials.
func (a Address) URL() *url.URL { return a.url }

// String is the address without credentials: "redis://127.0.0.1:6379".
func (a Address) String() string {
	if a.url == nil {
		return "embedded"
	}
	return a.url.Scheme + "://" + a.url.Host
}

// GoString is what the verb %#v prints.
func (a Address) GoString() string { return a.String() }

// LogValue is what a logger writes.
func (a Address) LogValue() slog.Value { return slog.StringValue(a.String()) }
