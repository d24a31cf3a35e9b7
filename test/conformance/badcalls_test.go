package conformance

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/durationpb"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/test/components"
)

// rawCodec sends and receives bytes as they are.
type rawCodec struct{}

func (rawCodec) Marshal(v any) ([]byte, error)      { return v.([]byte), nil }
func (rawCodec) Unmarshal(data []byte, v any) error { *v.(*[]byte) = bytes.Clone(data); return nil }
func (rawCodec) Name() string                       { return "proto" }

// raw calls a method of the test component with the bytes of a message.
func (n *server) raw(ctx context.Context, method string, message []byte) ([]byte, error) {
	var answer []byte
	err := n.Conn().Invoke(ctx, "/test.conformance.v1."+method, message, &answer, grpc.ForceCodec(rawCodec{}))
	return answer, err
}

// field 1 of a message, in the ways of protobuf.
func number(v uint64) []byte { return protowire.AppendVarint([]byte{0x08}, v) }
func text(v string) []byte   { return protowire.AppendString([]byte{0x0a}, v) }

// TestBadCalls calls with what a caller should not send, and functions that do what they should not. Each gets the code,
// the reason and the words that say what and where; the next call works; and the memory comes back.
func TestBadCalls(t *testing.T) {
	n := startNode(t)
	file := components.Bytes(t, "conformance")
	if _, err := n.Deploy(t.Context(), bytes.NewReader(file), &weftv1.DeploySpec{Name: "conformance", Limits: &weftv1.Limits{
		Timeout: durationpb.New(2 * time.Second), MessageBytes: 1 << 20, MemoryBytes: 32 << 20,
	}}, nil); err != nil {
		t.Fatal(err)
	}
	works := func(t *testing.T) {
		t.Helper()
		answer, err := n.raw(t.Context(), "Scalars/EchoU8", number(7))
		if err != nil || !bytes.Equal(answer, number(7)) {
			t.Fatalf("the next call gives %x, %v", answer, err)
		}
	}
	works(t)
	nested := []byte{}
	for range 1000 {
		nested = protowire.AppendBytes([]byte{0x0a}, nested)
	}
	before := n.resident(t)
	for _, c := range []struct {
		name, method string
		message      []byte
		code         codes.Code
		reason       failure.Reason
		words        []string
	}{
		{"not protobuf", "Scalars/EchoU8", []byte{0xff, 0xff, 0xff}, codes.InvalidArgument, "MALFORMED_REQUEST", nil},
		{"cut off", "Scalars/EchoString", text("hello")[:4], codes.InvalidArgument, "MALFORMED_REQUEST", []string{"v"}},
		{"wrong wire type", "Scalars/EchoU8", text("x"), codes.InvalidArgument, "MALFORMED_REQUEST", []string{"v"}},
		{"not UTF-8", "Scalars/EchoString", text("a\xffb"), codes.InvalidArgument, "MALFORMED_REQUEST", []string{"v", "UTF-8"}},
		{"u8 of 256", "Scalars/EchoU8", number(256), codes.InvalidArgument, "MALFORMED_REQUEST", []string{"v", "256"}},
		{"char of two", "Scalars/EchoChar", text("ab"), codes.InvalidArgument, "MALFORMED_REQUEST", []string{"v"}},
		{"no record", "Shapes/EchoPoint", nil, codes.InvalidArgument, "MALFORMED_REQUEST", []string{"v"}},
		{"unset oneof", "Shapes/EchoShape", text(""), codes.InvalidArgument, "MALFORMED_REQUEST", []string{"v"}},
		{"unknown enum", "Shapes/EchoLevel", number(77), codes.InvalidArgument, "MALFORMED_REQUEST", []string{"v", "77"}},
		{"zero enum", "Shapes/EchoLevel", number(0), codes.InvalidArgument, "MALFORMED_REQUEST", []string{"v"}},
		{"1,000 levels", "Shapes/EchoTree", nested, codes.InvalidArgument, "MALFORMED_REQUEST", nil},
		{"request over the limit", "Scalars/EchoBytes", text(strings.Repeat("x", 2<<20)), codes.ResourceExhausted, "REQUEST_TOO_LARGE", []string{"1048576"}},
		{"response over the limit", "Hostile/Text", number(2 << 20), codes.ResourceExhausted, "RESPONSE_TOO_LARGE", nil},
		{"300,000 records", "Hostile/Rows", number(300_000), codes.ResourceExhausted, "", nil},
		{"endless loop", "Hostile/EndlessLoop", nil, codes.DeadlineExceeded, "DEADLINE", []string{"2s"}},
		{"endless recursion", "Hostile/EndlessRecursion", nil, codes.Internal, "TRAP", []string{"stack", "descend"}},
		{"endless growth", "Hostile/EndlessGrowth", nil, codes.ResourceExhausted, "MEMORY_LIMIT", []string{"32 MiB", "--memory"}},
		{"trap", "Hostile/Panic", text("on purpose"), codes.Internal, "TRAP", []string{"panic"}},
		{"exit", "Hostile/Exit", number(3), codes.Internal, "TRAP", []string{"ended itself"}},
		{"unknown method", "Hostile/Nothing", nil, codes.Unimplemented, "UNKNOWN_METHOD", []string{"Nothing"}},
		{"unknown service", "Nothing/Nothing", nil, codes.Unimplemented, "UNKNOWN_SERVICE", []string{"Nothing"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer, err := n.raw(t.Context(), c.method, c.message)
			if status.Code(err) != c.code || c.reason != "" && failure.ReasonOf(err) != c.reason {
				t.Fatalf("%d bytes, %v (%s); want %v, %s", len(answer), err, failure.ReasonOf(err), c.code, c.reason)
			}
			for _, word := range c.words {
				if !strings.Contains(status.Convert(err).Message(), word) {
					t.Errorf("%q says nothing of %q", status.Convert(err).Message(), word)
				}
			}
			works(t)
		})
	}
	t.Run("prints 100 MB", func(t *testing.T) {
		if _, err := n.raw(t.Context(), "Hostile/Print", number(100_000_000)); err != nil && status.Code(err) != codes.DeadlineExceeded {
			t.Error(err)
		}
		works(t)
	})
	t.Run("client disconnects", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := n.raw(ctx, "Hostile/EndlessLoop", nil); status.Code(err) != codes.DeadlineExceeded {
			t.Error(err)
		}
		works(t)
	})
	t.Run("sleeps an hour", func(t *testing.T) {
		began := time.Now()
		if _, err := n.raw(t.Context(), "Hostile/Sleep", number(3600)); status.Code(err) != codes.DeadlineExceeded {
			t.Error(err)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("the caller had its answer after %v", took)
		}
		works(t)
		rests := regexp.MustCompile(`(?ms)^weft_guests_sleeping 0$.*^weft_instances_running 0$.*^weft_slots_lost 0$`)
		for deadline := time.Now().Add(10 * time.Second); !rests.MatchString(n.metrics(t)); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the guest still sleeps")
			}
		}
	})
	// What calls have used goes back a second after the last one of them.
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		runtime.GC()
		after := n.resident(t)
		if after < before+200<<20 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d MiB resident, %d before", after>>20, before>>20)
		}
	}
}

// resident is the memory that the process holds, in bytes.
func (n *server) resident(t *testing.T) int64 {
	t.Helper()
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(data))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// metrics are those of the node, as Prometheus reads them.
func (n *server) metrics(t *testing.T) string {
	t.Helper()
	r, err := http.Get("http://" + n.http + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
