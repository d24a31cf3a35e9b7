package consensus

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"slices"

	"github.com/hashicorp/go-hclog"
)

var _ hclog.Logger = (*raftLogger)(nil)

// raftLogger passes what raft and its log say to slog, one level quieter than they mean it: what raft finds worth
// telling is news for whoever debugs raft, and its warnings are the ordinary life of a cluster.
type raftLogger struct {
	log     *slog.Logger
	name    string
	args    []any
	ceiling slog.Level // no line is above it
}

func newRaftLogger(log *slog.Logger, name string) *raftLogger {
	return &raftLogger{log: log, name: name, ceiling: slog.LevelError}
}

// calm returns a logger for whom nothing is an error: to the transport, every connection that ends is one.
func (l *raftLogger) calm(name string) *raftLogger {
	return &raftLogger{log: l.log, name: name, args: l.args, ceiling: slog.LevelDebug}
}

func (l *raftLogger) level(level hclog.Level) slog.Level { return min(quieter(level), l.ceiling) }

func quieter(level hclog.Level) slog.Level {
	switch {
	case level >= hclog.Error:
		return slog.LevelError
	case level >= hclog.Warn:
		return slog.LevelInfo
	case level >= hclog.Info:
		return slog.LevelDebug
	}
	return slog.LevelDebug - 4
}

func (l *raftLogger) Log(level hclog.Level, msg string, args ...any) {
	to := l.level(level)
	if aboutPeer(args) {
		to = min(to, slog.LevelDebug)
	}
	if !l.log.Enabled(context.Background(), to) {
		return
	}
	if l.name != "" {
		msg = l.name + ": " + msg
	}
	for i, arg := range args {
		if f, ok := arg.(hclog.Format); ok && len(f) > 0 {
			args[i] = fmt.Sprintf(fmt.Sprint(f[0]), f[1:]...)
		}
	}
	l.log.Log(context.Background(), to, msg, args...)
}

// aboutPeer reports whether a line tells of another server, which raft repeats as long as that does not answer. The leader
// says it once (governor.judge).
func aboutPeer(args []any) bool {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == "peer" || args[i] == "target" {
			return true
		}
	}
	return false
}

func (l *raftLogger) Trace(msg string, args ...any) { l.Log(hclog.Trace, msg, args...) }
func (l *raftLogger) Debug(msg string, args ...any) { l.Log(hclog.Debug, msg, args...) }
func (l *raftLogger) Info(msg string, args ...any)  { l.Log(hclog.Info, msg, args...) }
func (l *raftLogger) Warn(msg string, args ...any)  { l.Log(hclog.Warn, msg, args...) }
func (l *raftLogger) Error(msg string, args ...any) { l.Log(hclog.Error, msg, args...) }

func (l *raftLogger) enabled(level hclog.Level) bool {
	return l.log.Enabled(context.Background(), l.level(level))
}

func (l *raftLogger) IsTrace() bool { return l.enabled(hclog.Trace) }
func (l *raftLogger) IsDebug() bool { return l.enabled(hclog.Debug) }
func (l *raftLogger) IsInfo() bool  { return l.enabled(hclog.Info) }
func (l *raftLogger) IsWarn() bool  { return l.enabled(hclog.Warn) }
func (l *raftLogger) IsError() bool { return l.enabled(hclog.Error) }

func (l *raftLogger) ImpliedArgs() []any { return l.args }

func (l *raftLogger) With(args ...any) hclog.Logger {
	return &raftLogger{log: l.log.With(args...), name: l.name, ceiling: l.ceiling, args: append(slices.Clip(l.args), args...)}
}

func (l *raftLogger) Name() string { return l.name }

func (l *raftLogger) Named(name string) hclog.Logger {
	if l.name != "" {
		name = l.name + "." + name
	}
	return l.ResetNamed(name)
}

func (l *raftLogger) ResetNamed(name string) hclog.Logger {
	return &raftLogger{log: l.log, name: name, args: l.args, ceiling: l.ceiling}
}

// SetLevel does nothing: slog's handler decides.
func (l *raftLogger) SetLevel(hclog.Level) {}

func (l *raftLogger) GetLevel() hclog.Level {
	for _, level := range []hclog.Level{hclog.Trace, hclog.Debug, hclog.Info, hclog.Warn} {
		if l.enabled(level) {
			return level
		}
	}
	return hclog.Error
}

func (l *raftLogger) StandardLogger(opts *hclog.StandardLoggerOptions) *log.Logger {
	return log.New(l.StandardWriter(opts), "", 0)
}

func (l *raftLogger) StandardWriter(*hclog.StandardLoggerOptions) io.Writer { return lineWriter{l} }

// lineWriter logs each write as one line.
type lineWriter struct{ l *raftLogger }

func (w lineWriter) Write(p []byte) (int, error) {
	w.l.Info(string(p))
	return len(p), nil
}
