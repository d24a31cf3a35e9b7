package load

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// RunHTTP calls a server with GET over HTTP/1.1, in a closed loop: on as many connections as there are calls in flight, since each
// takes one after the other. Config.Method is the path. Message, Metadata, Connections and Rate are not used. Answers must say their length.
func RunHTTP(ctx context.Context, config Config) (Result, error) {
	if config.InFlight < 1 {
		return Result{}, fmt.Errorf("load: %d calls in flight", config.InFlight)
	}
	s := share{begin: time.Now().Add(config.Warmup)}
	s.end = s.begin.Add(config.Duration)
	ctx, cancel := context.WithDeadline(ctx, s.end.Add(10*time.Second))
	defer cancel()
	results := make(chan tally, config.InFlight)
	for range config.InFlight {
		go func() { results <- driveHTTP(ctx, config, s) }()
	}
	return collect(config, results, config.InFlight)
}

// driveHTTP makes one call after the other until the end.
func driveHTTP(ctx context.Context, config Config, s share) (t tally) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", config.Address)
	if err != nil {
		t.err = err
		return t
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	request := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", config.Method, config.Address)
	in := bufio.NewReader(conn)
	for now := time.Now(); now.Before(s.end); {
		from := now
		if _, t.err = conn.Write(request); t.err != nil {
			return t
		}
		status, err := readAnswer(in)
		if err != nil {
			t.err = err
			return t
		}
		now = time.Now()
		switch {
		case !s.within(now):
		case status == "200":
			t.latencies.add(now.Sub(from))
		default:
			t.failed++
			t.firstError = "status " + status
		}
	}
	return t
}

// readAnswer reads an answer of HTTP/1.1 and returns its status.
func readAnswer(in *bufio.Reader) (status string, err error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	fields := bytes.Fields(line)
	if len(fields) < 2 {
		return "", fmt.Errorf("no status line, but %q", line)
	}
	status = string(fields[1])
	length := -1
	for {
		if line, err = in.ReadSlice('\n'); err != nil {
			return "", err
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(name, []byte("content-length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return "", err
			}
		}
	}
	if length < 0 {
		return "", fmt.Errorf("an answer with the status %s does not say its length", status)
	}
	_, err = io.CopyN(io.Discard, in, int64(length))
	return status, err
}
