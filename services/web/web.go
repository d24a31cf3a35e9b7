// Package web is the HTTP port of a node: whether it serves, for load balancers, and its metrics, for Prometheus.
package web

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/net/netutil"
)

// Config configures a Server.
type Config struct {
	// Healthy says why the node does not serve; nil if it does. It is asked for every /healthz and must be cheap.
	Healthy func() error
	// Gatherer holds the metrics. Nil: prometheus.DefaultGatherer.
	Gatherer prometheus.Gatherer
	// Logger is told of faults. Nil: slog.Default.
	Logger *slog.Logger
}

// Server serves the HTTP port.
type Server struct {
	config Config
	http   *http.Server
}

// New returns a server for GET of these paths:
//
//	/         one line that names the others
//	/healthz  200 {"status":"serving"}, or 503 {"status":"not serving","reason":"…"}
//	/metrics  the metrics in the format that the client asks for: Prometheus' text or OpenMetrics
func New(config Config) *Server {
	if config.Healthy == nil {
		config.Healthy = func() error { return nil }
	}
	if config.Gatherer == nil {
		config.Gatherer = prometheus.DefaultGatherer
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	s := &Server{config: config}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", index)
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.Handle("GET /metrics", promhttp.HandlerFor(config.Gatherer, promhttp.HandlerOpts{
		// One scrape at a time is usual; a few more must not cost a node its memory.
		MaxRequestsInFlight: 4,
		Timeout:             30 * time.Second,
		ErrorHandling:       promhttp.ContinueOnError,
		ErrorLog:            errorLog{config.Logger},
	}))
	s.http = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       20 * time.Second,
		WriteTimeout:      time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(config.Logger.Handler(), slog.LevelDebug),
	}
	return s
}

// maxConnections bounds the open connections; more wait until one is closed, for Server's timeouts at most. Without it they could take every
// file descriptor of the node.
const maxConnections = 64

// Serve answers requests until Drain, and then returns nil. It closes the listener.
func (s *Server) Serve(listener net.Listener) error {
	if err := s.http.Serve(netutil.LimitListener(listener, maxConnections)); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// Drain takes no new connections and returns once all requests have ended. When ctx is done before that, the rest is
// cut off: the error is ctx's.
func (s *Server) Drain(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		_ = s.http.Close() // Whatever it says, the connections are closed.
	}
	return err
}

func index(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("weft: health at /healthz, metrics at /metrics; functions are called on the gRPC port\n"))
}

// health is the body of /healthz.
type health struct {
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
}

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	code, body := http.StatusOK, health{Status: "serving"}
	if err := s.config.Healthy(); err != nil {
		code, body = http.StatusServiceUnavailable, health{Status: "not serving", Reason: err.Error()}
	}
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = w.Write(append(text, '\n')) // A client that is gone does not care.
}

// errorLog is what promhttp tells of metrics that can't be gathered.
type errorLog struct{ logger *slog.Logger }

func (l errorLog) Println(v ...any) {
	l.logger.Error("metrics can not be gathered", "error", v)
}
