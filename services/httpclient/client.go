package httpclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weft-run/weft/services/outgoing"
)

const (
	// maxRedirects is how many redirects of one request are followed.
	maxRedirects = 10
	// maxHeaders bounds the header fields of a request and of a response, in bytes.
	maxHeaders = 64 << 10
	// Kept connections that nobody uses: in all, of one host, and for how long.
	maxIdle        = 256
	maxIdlePerHost = 32
	idleTime       = 90 * time.Second
)

// Config configures a Client.
type Config struct {
	// Allow are the hosts that functions may reach.
	Allow outgoing.Allow
	// TLS is for connections with https. Nil: the system's roots, TLS 1.2 or later.
	TLS *tls.Config
	// Registerer is given the metrics. Nil: they are not exported.
	Registerer prometheus.Registerer
}

// Client makes requests. Its methods are safe for concurrent use.
type Client struct {
	allow     outgoing.Allow
	transport *http.Transport
	client    *http.Client
	requests  *prometheus.CounterVec
}

// New makes a client, to be closed.
func New(config Config) *Client {
	if config.TLS == nil {
		config.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	c := &Client{
		allow: config.Allow,
		transport: &http.Transport{
			Proxy: nil, // not even that of the environment
			// The address is looked up once, and what is connected to is what was found.
			DialContext: (&net.Dialer{}).DialContext, TLSClientConfig: config.TLS, ForceAttemptHTTP2: true, DisableCompression: true,
			MaxIdleConns: maxIdle, MaxIdleConnsPerHost: maxIdlePerHost, IdleConnTimeout: idleTime, MaxResponseHeaderBytes: maxHeaders,
		},
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weft_http_client_requests_total", Help: "HTTP requests of functions of this node, by how they ended: ok or the case of the error.",
		}, []string{"result"}),
	}
	c.client = &http.Client{Transport: c.transport, CheckRedirect: c.redirect}
	if config.Registerer != nil {
		config.Registerer.MustRegister(c.requests)
	}
	return c
}

// Close closes the connections that nobody uses.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Field is a header field.
type Field struct{ Name, Value string }

// Request is one request. It is not changed.
type Request struct {
	Method, URL string
	Header      []Field
	Body        []byte
	// Timeout is until the whole response is there. 0: as long as the context.
	Timeout time.Duration
}

// Response is the answer to a request.
type Response struct {
	Status int
	// URL is where it came from.
	URL string
	// Header is sorted by name, which is in lower case.
	Header []Field
	Body   []byte
}

// Send sends a request and reads the response. Limit bounds the request and the body of the response, in bytes each. The
// error is an *Error, or that of ctx once that has ended.
func (c *Client) Send(ctx context.Context, r Request, limit uint64) (*Response, error) {
	response, err := c.send(ctx, r, limit)
	switch failed := asError(err); {
	case err == nil:
		c.requests.WithLabelValues("ok").Inc()
		return response, nil
	case ctx.Err() != nil:
		c.requests.WithLabelValues(string(Timeout)).Inc()
		return nil, ctx.Err()
	default:
		c.requests.WithLabelValues(string(failed.Case)).Inc()
		return nil, failed
	}
}

func (c *Client) send(ctx context.Context, r Request, limit uint64) (*Response, error) {
	target, err := c.target(r.URL)
	if err != nil {
		return nil, err
	}
	if err := checkMethod(r.Method); err != nil {
		return nil, err
	}
	header, size, err := requestHeader(r.Header)
	if err != nil {
		return nil, err
	}
	if total := uint64(len(r.URL)) + uint64(size) + uint64(len(r.Body)); total > limit {
		return nil, failf(RequestTooLarge, "the request has %d bytes; %d are allowed, the message limit of the revision", total, limit)
	}
	if r.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, r.Timeout, failf(Timeout, "%s %s: no whole response after %v, the timeout of the request",
			r.Method, target.Redacted(), r.Timeout))
		defer cancel()
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, target.String(), body(r.Body))
	if err != nil {
		return nil, failf(InvalidRequest, "%v", err)
	}
	request.Header = header
	answer, err := c.client.Do(request)
	if err != nil {
		return nil, cause(ctx, err)
	}
	defer func() { _ = answer.Body.Close() }()
	content, err := readBody(answer, limit)
	if err != nil {
		return nil, cause(ctx, err)
	}
	return &Response{Status: answer.StatusCode, URL: answer.Request.URL.String(), Header: responseHeader(answer.Header), Body: content}, nil
}

// body gives the reader of a request's body. Nil means none: an empty reader would be sent in chunks.
func body(b []byte) io.Reader {
	if len(b) == 0 {
		return http.NoBody
	}
	return bytes.NewReader(b)
}

// target checks the URL of a request or of a redirect.
func (c *Client) target(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, failf(InvalidRequest, "the URL: %v", err)
	}
	return u, c.check(u)
}

func (c *Client) check(u *url.URL) error {
	host := u.Hostname()
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return failf(InvalidRequest, "the URL %q has no scheme https or http", cut(u.Redacted()))
	case host == "":
		return failf(InvalidRequest, "the URL %q has no host", cut(u.Redacted()))
	case u.User != nil:
		return failf(InvalidRequest, "the URL %q has a user; send the header authorization instead", cut(u.Redacted()))
	case !isASCII(host):
		return failf(InvalidRequest, "the host %q is not ASCII; write it as xn--…", cut(host))
	}
	if err := c.allow.CheckHTTP(u.Scheme, host, u.Port()); err != nil {
		return failf(NotAllowed, "%v", err)
	}
	return nil
}

// redirect is asked before a redirect is followed.
func (c *Client) redirect(request *http.Request, via []*http.Request) error {
	from := via[len(via)-1].URL
	if len(via) > maxRedirects {
		return failf(Redirect, "%s: more than %d redirects", via[0].URL.Redacted(), maxRedirects)
	}
	if err := c.check(request.URL); err != nil {
		failed := asError(err)
		if failed.Case == InvalidRequest {
			failed.Case = Redirect
		}
		failed.Message = fmt.Sprintf("redirect from %s: %s", cut(from.Redacted()), failed.Message)
		return failed
	}
	request.Header.Del("Referer") // what net/http adds would tell one host the URL of another
	for _, r := range append(via[1:len(via):len(via)], request) {
		if !sameOrigin(r.URL, via[0].URL) {
			keepHarmless(request.Header)
			break
		}
	}
	return nil
}

func sameOrigin(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host }

// readBody reads the whole body of a response.
func readBody(answer *http.Response, limit uint64) ([]byte, error) {
	tooLarge := func() error {
		return failf(ResponseTooLarge, "%s: the body has more than %d bytes, the message limit of the revision",
			answer.Request.URL.Redacted(), limit)
	}
	if answer.ContentLength > 0 && uint64(answer.ContentLength) > limit {
		return nil, tooLarge()
	}
	var content bytes.Buffer
	if answer.ContentLength > 0 {
		content.Grow(int(answer.ContentLength) + bytes.MinRead)
	}
	if _, err := content.ReadFrom(io.LimitReader(answer.Body, int64(limit)+1)); err != nil {
		return nil, fmt.Errorf("%s: reading the body: %w", answer.Request.URL.Redacted(), err)
	}
	if uint64(content.Len()) > limit {
		return nil, tooLarge()
	}
	return content.Bytes(), nil
}
