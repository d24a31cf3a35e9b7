package httpclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/weft-run/weft/services/outgoing"
)

const limit = 1 << 20

// newClient makes a client that may reach hosts; roots are trusted besides nothing.
func newClient(t *testing.T, hosts string, roots *x509.CertPool) *Client {
	t.Helper()
	allow, err := outgoing.ParseAllow(hosts)
	if err != nil {
		t.Fatal(err)
	}
	c := New(Config{Allow: allow, TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, Registerer: prometheus.NewRegistry()})
	t.Cleanup(c.Close)
	return c
}

// serve starts a server with plain HTTP.
func serve(t *testing.T, f http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return s
}

func plain(s *httptest.Server) string { return s.URL }

func get(url string) Request { return Request{Method: "GET", URL: url} }

// refused wants an error of a case that says some words.
func refused(t *testing.T, err error, want Case, words ...string) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Case != want {
		t.Errorf("error is %v (%T), want %s", err, err, want)
		return
	}
	for _, word := range words {
		if !strings.Contains(e.Message, word) {
			t.Errorf("%q does not say %q", e.Message, word)
		}
	}
}

func TestSend(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header()["X-Two"] = []string{"a", "b"}
		w.Header().Set("X-Latin", "\xfc")
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s %s agent=%s x=%q type=%s length=%d encoding=%q %s", r.Method, r.URL, r.UserAgent(), r.Header["X-One"],
			r.Header.Get("Content-Type"), r.ContentLength, r.Header["Accept-Encoding"], body)
	})
	c := newClient(t, plain(s), nil)
	r, err := c.Send(t.Context(), Request{Method: "POST", URL: s.URL + "/a?b=c#d", Body: []byte("hello"),
		Header: []Field{{"x-one", "1"}, {"X-One", "2"}, {"content-type", "text/plain"}}}, limit)
	if err != nil {
		t.Fatal(err)
	}
	if want := `POST /a?b=c agent=weft x=["1" "2"] type=text/plain length=5 encoding=[] hello`; string(r.Body) != want {
		t.Errorf("the server saw %s", r.Body)
	}
	if r.Status != http.StatusTeapot || r.URL != s.URL+"/a?b=c#d" {
		t.Errorf("status %d from %s", r.Status, r.URL)
	}
	var got []string
	for _, f := range r.Header {
		if strings.HasPrefix(f.Name, "x-") {
			got = append(got, f.Name+"="+f.Value)
		}
	}
	if strings.Join(got, " ") != "x-latin=ü x-two=a x-two=b" {
		t.Errorf("headers are %v", got)
	}
	r, err = c.Send(t.Context(), Request{Method: "DELETE", URL: s.URL, Header: []Field{{"user-agent", "mine"}}}, limit)
	if err != nil || string(r.Body) != `DELETE / agent=mine x=[] type= length=0 encoding=[] ` {
		t.Errorf("the server saw %s, error %v", r.Body, err)
	}
	var counted dto.Metric
	if err := c.requests.WithLabelValues("ok").Write(&counted); err != nil || counted.GetCounter().GetValue() != 2 {
		t.Errorf("%v requests are counted, error %v", counted.GetCounter(), err)
	}
}

// TestHTTPS makes a request with TLS, by HTTP/2, and some to servers that can't be believed.
func TestHTTPS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	r, err := newClient(t, "127.0.0.1", roots).Send(t.Context(), get(s.URL), limit)
	if err != nil || string(r.Body) != "HTTP/2.0" {
		t.Errorf("answer is %+v, error %v", r, err)
	}
	_, err = newClient(t, "127.0.0.1", x509.NewCertPool()).Send(t.Context(), get(s.URL), limit)
	refused(t, err, TLS, "certificate")
	_, err = newClient(t, "localhost", roots).Send(t.Context(), get(strings.Replace(s.URL, "127.0.0.1", "localhost", 1)), limit)
	refused(t, err, TLS, "localhost")
	bare := serve(t, func(http.ResponseWriter, *http.Request) {})
	_, err = newClient(t, "127.0.0.1", roots).Send(t.Context(), get(strings.Replace(bare.URL, "http:", "https:", 1)), limit)
	refused(t, err, TLS, "HTTP response to HTTPS client")
}

// TestRequestsThatAreRefused makes requests that must not leave the node.
func TestRequestsThatAreRefused(t *testing.T) {
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s %s reached the server", r.Method, r.URL) })
	host := strings.TrimPrefix(s.URL, "http://")
	c := newClient(t, plain(s)+",secure.example", nil)
	with := func(name, value string) Request {
		return Request{Method: "GET", URL: s.URL, Header: []Field{{name, value}}}
	}
	for _, tt := range []struct {
		request Request
		want    Case
		word    string
	}{
		{get("http://other.example/"), NotAllowed, "--allow-host http://other.example:80"},
		{get("https://other.example:444/"), NotAllowed, "--allow-host other.example:444"},
		{get("https://" + host), NotAllowed, "https requests to " + host},
		{get("http://secure.example"), NotAllowed, "http requests"},
		{get("https://secure.example.evil.example"), NotAllowed, "secure.example.evil.example:443"},
		{get("http://localhost:1"), NotAllowed, "localhost:1"},
		{get("http://user:secret@" + host), InvalidRequest, "authorization"},
		{get("ftp://" + host), InvalidRequest, "scheme"},
		{get("file:///etc/passwd"), InvalidRequest, "scheme"},
		{get("/relative"), InvalidRequest, "scheme"},
		{get("https://"), InvalidRequest, "no host"},
		{get("https://exämple.example"), InvalidRequest, "ASCII"},
		{get("https://a b"), InvalidRequest, "the URL"},
		{get("http://" + host + "/\n"), InvalidRequest, "the URL"},
		{get(""), InvalidRequest, "scheme"},
		{Request{Method: "", URL: s.URL}, InvalidRequest, "method"},
		{Request{Method: "GET /x HTTP/1.1\r\nHost: y\r\n\r\nGET", URL: s.URL}, InvalidRequest, "method"},
		{Request{Method: "CONNECT", URL: s.URL}, InvalidRequest, "CONNECT"},
		{Request{Method: "TRACE", URL: s.URL}, InvalidRequest, "TRACE"},
		{with("Host", "other.example"), InvalidRequest, "host can't be set"},
		{with("Content-Length", "3"), InvalidRequest, "content-length"},
		{with("Transfer-Encoding", "chunked"), InvalidRequest, "transfer-encoding"},
		{with("Connection", "close"), InvalidRequest, "connection"},
		{with("Proxy-Authorization", "x"), InvalidRequest, "proxy-authorization"},
		{with("Weft-Caller", "default/admin@1"), InvalidRequest, "weft-caller"},
		{with("upgrade", "websocket"), InvalidRequest, "upgrade"},
		{with("x y", "1"), InvalidRequest, `"x y" is not valid`},
		{with("x", "1\r\nhost: y"), InvalidRequest, "not allowed"},
		{with("x", strings.Repeat("1", maxHeaders)), RequestTooLarge, "65536"},
		{Request{Method: "POST", URL: s.URL, Body: make([]byte, limit)}, RequestTooLarge, strconv.Itoa(limit)},
	} {
		_, err := c.Send(t.Context(), tt.request, limit)
		refused(t, err, tt.want, tt.word)
	}
}

// TestTimeouts has a server that never answers, and one that never finishes.
func TestTimeouts(t *testing.T) {
	done := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/part" {
			w.Header().Set("Content-Length", "10")
			fmt.Fprint(w, "12345")
			_ = http.NewResponseController(w).Flush()
		}
		select {
		case <-r.Context().Done():
		case <-done:
		}
	})
	t.Cleanup(func() { close(done) }) // before the server is closed
	c := newClient(t, plain(s), nil)
	for _, path := range []string{"/never", "/part"} {
		_, err := c.Send(t.Context(), Request{Method: "GET", URL: s.URL + path, Timeout: 50 * time.Millisecond}, limit)
		refused(t, err, Timeout, "50ms", path)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err = c.Send(ctx, Request{Method: "GET", URL: s.URL + path, Timeout: time.Hour}, limit); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error after the context has ended is %v", err)
		}
	}
}

func TestLargeResponses(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/fits":
			_, _ = w.Write(make([]byte, limit))
		case "/said":
			w.Header().Set("Content-Length", strconv.Itoa(limit+1))
			_, _ = w.Write(make([]byte, limit+1))
		case "/endless":
			for {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		case "/headers":
			for i := range 1000 {
				w.Header().Set(fmt.Sprintf("x-%d", i), strings.Repeat("v", 100))
			}
		}
	})
	c := newClient(t, plain(s), nil)
	if r, err := c.Send(t.Context(), get(s.URL+"/fits"), limit); err != nil || len(r.Body) != limit {
		t.Errorf("error is %v", err)
	}
	for _, path := range []string{"/said", "/endless"} {
		_, err := c.Send(t.Context(), get(s.URL+path), limit)
		refused(t, err, ResponseTooLarge, path, strconv.Itoa(limit))
	}
	_, err := c.Send(t.Context(), get(s.URL+"/headers"), limit)
	refused(t, err, ResponseTooLarge, "headers")
}

// TestNonsense has servers that do not speak HTTP.
func TestNonsense(t *testing.T) {
	for answer, want := range map[string]Case{
		"": Protocol, "hello\r\n\r\n": Protocol, "\xff\x00\x01": Protocol,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello":                                                        Protocol,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n":                                             Protocol,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel":                                                           Protocol,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n":                                                 Protocol,
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel":                                                                         Protocol,
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!":                                                 Protocol,
		"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n":                                                                           Protocol,
		"HTTP/1.1 200 OK\r\nbad header\r\n\r\n":                                                                                   Protocol,
		"HTTP/1.1 9999 What\r\n\r\n":                                                                                              Protocol,
		"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\n\r\n":                                                                     Redirect,
		"HTTP/1.1 302 Found\r\nLocation: gopher://127.0.0.1/\r\n\r\n":                                                             Redirect,
		"HTTP/1.1 302 Found\r\nLocation: http://user:pw@127.0.0.1/\r\n\r\n":                                                       Redirect,
		"HTTP/1.1 200 OK\r\n" + strings.Repeat("x: "+strings.Repeat("y", 1000)+"\r\n", 1000) + "\r\n":                             ResponseTooLarge,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1;"+strings.Repeat("e", 1000)+"\r\nx\r\n", 100): Protocol,
	} {
		c := newClient(t, "http://127.0.0.1", nil)
		_, err := c.Send(t.Context(), get("http://"+raw(t, answer)), limit)
		if e, ok := errors.AsType[*Error](err); !ok || e.Case != want {
			t.Errorf("%.80q: error is %v, want %s", answer, err, want)
		}
	}
}

// raw starts a server that gives everybody the same bytes, and returns its address.
func raw(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() {
		_ = l.Close()
		<-ended
	})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, answer)
			_ = c.Close()
		}
	}()
	return l.Addr().String()
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	_, err = newClient(t, "http://127.0.0.1", nil).Send(t.Context(), get("http://"+address), limit)
	refused(t, err, Unreachable, address)
}

// TestProxiesOfTheEnvironment asks for a host that only a proxy would reach.
func TestProxiesOfTheEnvironment(t *testing.T) {
	proxy := serve(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("the proxy was asked for %s", r.URL) })
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	c := newClient(t, "http://192.0.2.1,192.0.2.1", nil) // an address of documentation
	for _, url := range []string{"http://192.0.2.1/", "https://192.0.2.1/"} {
		if r, err := c.Send(t.Context(), Request{Method: "GET", URL: url, Timeout: 100 * time.Millisecond}, limit); err == nil {
			t.Errorf("%s answered %d", url, r.Status)
		}
	}
}
