package web

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start serves on loopback and gives the address.
func start(t *testing.T, config Config) (server *Server, address string) {
	t.Helper()
	config.Logger = slog.New(slog.DiscardHandler)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := New(config)
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := s.Drain(context.Background()); err != nil {
			t.Errorf("Drain: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return s, listener.Addr().String()
}

// answer is what a request got.
type answer struct {
	code       int
	kind, body string
}

func get(t *testing.T, method, url string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header.Get("Content-Type"), string(body)}
}

func TestPaths(t *testing.T) {
	registry := prometheus.NewRegistry()
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "weft_test_total", Help: "A test."})
	counter.Inc()
	registry.MustRegister(counter)
	_, address := start(t, Config{Gatherer: registry})
	for _, test := range []struct {
		method, path string
		code         int
		kind, body   string
	}{
		{"GET", "/", 200, "text/plain", "weft: health at /healthz, metrics at /metrics"},
		{"GET", "/healthz", 200, "application/json", `{"status":"serving"}`},
		{"HEAD", "/healthz", 200, "application/json", ""},
		{"GET", "/metrics", 200, "text/plain", "weft_test_total 1\n"},
		{"POST", "/healthz", 405, "", ""},
		{"GET", "/nothing", 404, "", ""},
	} {
		got := get(t, test.method, "http://"+address+test.path)
		if got.code != test.code || !strings.Contains(got.body, test.body) || !strings.HasPrefix(got.kind, test.kind) {
			t.Errorf("%s %s: %+v", test.method, test.path, got)
		}
	}
}

func TestHealthFollowsTheNode(t *testing.T) {
	var draining atomic.Bool
	_, address := start(t, Config{Healthy: func() error {
		if draining.Load() {
			return errors.New(`it "drains"`)
		}
		return nil
	}})
	if got := get(t, "GET", "http://"+address+"/healthz"); got.code != http.StatusOK {
		t.Errorf("serving: %+v", got)
	}
	draining.Store(true)
	got := get(t, "GET", "http://"+address+"/healthz")
	if got.code != http.StatusServiceUnavailable || got.body != `{"status":"not serving","reason":"it \"drains\""}`+"\n" {
		t.Errorf("draining: %+v", got)
	}
}

// TestMetricsThatFail: one collector that fails does not hide the others.
func TestMetricsThatFail(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "weft_good_total", Help: "Good."}), broken{})
	_, address := start(t, Config{Gatherer: registry})
	if got := get(t, "GET", "http://"+address+"/metrics"); got.code != http.StatusOK || !strings.Contains(got.body, "weft_good_total 0") {
		t.Errorf("%+v", got)
	}
}

type broken struct{}

var brokenDesc = prometheus.NewDesc("weft_broken", "Broken.", nil, nil)

func (broken) Describe(to chan<- *prometheus.Desc) { to <- brokenDesc }

func (broken) Collect(to chan<- prometheus.Metric) {
	to <- prometheus.NewInvalidMetric(brokenDesc, errors.New("broken"))
}

func TestDrainIsBounded(t *testing.T) {
	asked, release := make(chan struct{}), make(chan struct{})
	s := New(Config{Healthy: func() error {
		close(asked)
		<-release
		return nil
	}})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	failed := make(chan error, 1)
	go func() {
		response, err := http.Get("http://" + listener.Addr().String() + "/healthz")
		if err == nil {
			_ = response.Body.Close()
		}
		failed <- err
	}()
	<-asked
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := s.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Drain: %v", err)
	}
	if err := <-failed; err == nil {
		t.Error("the request that was cut off ended well")
	}
	close(release)
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// TestConnectionsAreBounded: who holds connections open takes no more than their number of the node's file descriptors, and others wait.
func TestConnectionsAreBounded(t *testing.T) {
	_, address := start(t, Config{})
	dial := func() net.Conn {
		t.Helper()
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	answered := func(conn net.Conn, within time.Duration) error {
		if err := conn.SetReadDeadline(time.Now().Add(within)); err != nil {
			t.Fatal(err)
		}
		_, err := io.ReadFull(conn, make([]byte, len("HTTP/1.1 200")))
		return err
	}
	held := make([]net.Conn, maxConnections)
	for i := range held {
		held[i] = dial()
		if err := answered(held[i], 20*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	waits := dial()
	if err := answered(waits, 100*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("one connection too many is answered: %v", err)
	}
	_ = held[0].Close()
	if err := answered(waits, 20*time.Second); err != nil {
		t.Errorf("once there is room: %v", err)
	}
}

func TestGarbage(t *testing.T) {
	_, address := start(t, Config{})
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = conn.Write([]byte("\x16\x03\x01 this is no HTTP\r\n\r\n"))
	if answer, _ := io.ReadAll(conn); !strings.HasPrefix(string(answer), "HTTP/1.1 400") {
		t.Errorf("answer %q", answer)
	}
	if got := get(t, "GET", "http://"+address+"/healthz"); got.code != http.StatusOK {
		t.Errorf("the next request: %+v", got)
	}
}
