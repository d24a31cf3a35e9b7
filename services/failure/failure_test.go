package failure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/executor/transcode"
)

var orders = Call{Key: executor.Key{Namespace: "default", Function: "orders", Revision: 3}, ID: "abc-1"}

// info gives the only ErrorInfo of an error.
func info(t *testing.T, err error) *errdetails.ErrorInfo {
	t.Helper()
	var found *errdetails.ErrorInfo
	for _, detail := range status.Convert(err).Details() {
		if i, ok := detail.(*errdetails.ErrorInfo); ok {
			if found != nil {
				t.Errorf("two ErrorInfos in %v", err)
			}
			found = i
		}
	}
	return found
}

func TestEveryReasonHasACode(t *testing.T) {
	for reason, want := range map[executor.Reason]codes.Code{
		executor.NotLoaded:        codes.Unavailable,
		executor.UnknownMethod:    codes.Unimplemented,
		executor.MalformedRequest: codes.InvalidArgument,
		executor.RequestTooLarge:  codes.ResourceExhausted,
		executor.ResponseTooLarge: codes.ResourceExhausted,
		executor.Deadline:         codes.DeadlineExceeded,
		executor.Canceled:         codes.Canceled,
		executor.QueueFull:        codes.ResourceExhausted,
		executor.WaitLimit:        codes.ResourceExhausted,
		executor.MemoryLimit:      codes.ResourceExhausted,
		executor.Trap:             codes.Internal,
		executor.Unsupported:      codes.FailedPrecondition,
		executor.CompileFailed:    codes.FailedPrecondition,
		executor.Closing:          codes.Unavailable,
		executor.Internal:         codes.Internal,
		"NODE_LOST":               codes.Unavailable,
		"NODE_UNREACHABLE":        codes.Unavailable,
		"SOMETHING_NEW":           codes.Internal,
	} {
		err := FromCall(&executor.Error{Reason: reason, Message: "what and where"}, orders)
		if got := status.Code(err); got != want {
			t.Errorf("%s: %v; want %v", reason, got, want)
		}
		i := info(t, err)
		if i.GetDomain() != Domain || i.GetReason() != string(reason) || ReasonOf(err) != Reason(reason) {
			t.Errorf("%s: %v", reason, i)
		}
		if m := i.GetMetadata(); m["namespace"] != "default" || m["function"] != "orders" || m["revision"] != "3" || m["call"] != "abc-1" {
			t.Errorf("%s: metadata %v", reason, m)
		}
	}
}

func TestOtherErrors(t *testing.T) {
	for _, test := range []struct {
		err    error
		code   codes.Code
		reason Reason
	}{
		{context.DeadlineExceeded, codes.DeadlineExceeded, Deadline},
		{fmt.Errorf("x: %w", context.Canceled), codes.Canceled, Canceled},
		{io.ErrShortWrite, codes.Internal, Internal},
	} {
		if err := FromCall(test.err, orders); status.Code(err) != test.code || ReasonOf(err) != test.reason {
			t.Errorf("%v became %v", test.err, err)
		}
	}
}

func TestFunctionErrorsCarryTheirDetailOnly(t *testing.T) {
	for name, want := range map[string]codes.Code{
		"cancelled": codes.Canceled, "canceled": codes.Canceled, "unknown": codes.Unknown, "invalid-argument": codes.InvalidArgument,
		"deadline-exceeded": codes.DeadlineExceeded, "not-found": codes.NotFound, "already-exists": codes.AlreadyExists,
		"permission-denied": codes.PermissionDenied, "resource-exhausted": codes.ResourceExhausted,
		"failed-precondition": codes.FailedPrecondition, "aborted": codes.Aborted, "out-of-range": codes.OutOfRange,
		"unimplemented": codes.Unimplemented, "internal": codes.Internal, "unavailable": codes.Unavailable,
		"data-loss": codes.DataLoss, "unauthenticated": codes.Unauthenticated,
		"ok": codes.FailedPrecondition, "NotFound": codes.FailedPrecondition, "": codes.FailedPrecondition, "sold-out": codes.FailedPrecondition,
	} {
		err := FromCall(fmt.Errorf("wrapped: %w", &executor.FunctionError{
			Case: name, Message: "no such order", DetailType: "demo.orders.v1.Error", Detail: []byte{1, 2},
		}), orders)
		p := status.Convert(err).Proto()
		if codes.Code(p.GetCode()) != want || p.GetMessage() != "no such order" {
			t.Errorf("%q: %v", name, err)
		}
		if len(p.GetDetails()) != 1 || p.GetDetails()[0].GetTypeUrl() != "type.googleapis.com/demo.orders.v1.Error" || string(p.GetDetails()[0].GetValue()) != "\x01\x02" {
			t.Errorf("%q: details %v", name, p.GetDetails())
		}
		if ReasonOf(err) != "" {
			t.Errorf("%q has a reason of weft", name)
		}
	}
	bare := status.Convert(FromCall(&executor.FunctionError{Message: "m"}, orders)).Proto()
	if len(bare.GetDetails()) != 0 {
		t.Errorf("an error without payload has details %v", bare.GetDetails())
	}
}

func TestMalformedRequestsNameTheField(t *testing.T) {
	for want, cause := range map[string]error{
		"v.kids[2].size|256 is no u8": &transcode.Error{Path: "v.kids[2].size", Msg: "256 is no u8"},
		"|wire type 7":                &transcode.Error{Msg: "wire type 7"},
		"|something else":             errors.New("something else"),
	} {
		err := FromCall(&executor.Error{Reason: executor.MalformedRequest, Message: cause.Error(), Err: cause}, orders)
		var got string
		for _, detail := range status.Convert(err).Details() {
			if bad, ok := detail.(*errdetails.BadRequest); ok {
				got = bad.GetFieldViolations()[0].GetField() + "|" + bad.GetFieldViolations()[0].GetDescription()
			}
		}
		if got != want {
			t.Errorf("%v: %q; want %q", cause, got, want)
		}
	}
}

func TestHiddenTraps(t *testing.T) {
	hide := orders
	hide.HideTraps = true
	for reason, says := range map[executor.Reason]string{executor.Trap: "abc-1", executor.MemoryLimit: "memory is out"} {
		fault := &executor.Error{Reason: reason, Message: "memory is out\n  at secret::function", Summary: "memory is out",
			Backtrace: []string{"secret::function"}}
		if m := status.Convert(FromCall(fault, hide)).Message(); strings.Contains(m, "secret") || !strings.Contains(m, says) {
			t.Errorf("%s, hidden: %q", reason, m)
		}
		if m := status.Convert(FromCall(fault, orders)).Message(); !strings.Contains(m, "secret") {
			t.Errorf("%s, shown: %q", reason, m)
		}
	}
}

func TestWithAddsFacts(t *testing.T) {
	err := With(Newf(codes.ResourceExhausted, RequestTooLarge, "%d is too much", 5), map[string]string{"limit": "4"})
	err = With(err, map[string]string{"more": "x"})
	if i := info(t, err); i.GetMetadata()["limit"] != "4" || i.GetMetadata()["more"] != "x" || i.GetReason() != "REQUEST_TOO_LARGE" {
		t.Errorf("%v", i)
	}
	if m := status.Convert(err).Message(); m != "5 is too much" {
		t.Errorf("message %q", m)
	}
	for _, other := range []error{nil, errors.New("x"), status.Error(codes.NotFound, "y")} {
		if got := With(other, map[string]string{"a": "b"}); !errors.Is(got, other) {
			t.Errorf("%v became %v", other, got)
		}
	}
}

func TestReasonOfOthers(t *testing.T) {
	for _, err := range []error{nil, errors.New("x"), status.Error(codes.Internal, "y")} {
		if r := ReasonOf(err); r != "" {
			t.Errorf("%v has reason %q", err, r)
		}
	}
}

// TestStatusesFitIntoTrailers makes statuses of arbitrary bytes: they fit, and are valid.
func TestStatusesFitIntoTrailers(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.Custom(func(t *rapid.T) string {
		return strings.Repeat(rapid.SampledFrom([]string{"x", "ä", "\n", "€", "\xff", "%"}).Draw(t, "part"), rapid.IntRange(0, 5000).Draw(t, "count"))
	}))
	rapid.Check(t, func(t *rapid.T) {
		var err error
		if rapid.Bool().Draw(t, "own") {
			err = FromCall(&executor.FunctionError{
				Message: text.Draw(t, "message"), DetailType: "demo.Detail",
				Detail: make([]byte, rapid.SampledFrom([]int{0, 10, 1000, 1700, 1800, 3000, 10_000, 1 << 20}).Draw(t, "detail")),
			}, orders)
		} else {
			err = New(codes.Internal, Internal, text.Draw(t, "message"), &errdetails.DebugInfo{Detail: text.Draw(t, "debug")})
		}
		p := status.Convert(err).Proto()
		if n := wire(p); n > MaxWire {
			t.Fatalf("%d bytes on the wire", n)
		}
		if !utf8.ValidString(p.GetMessage()) {
			t.Fatalf("message %q", p.GetMessage())
		}
		if _, err := proto.Marshal(p); err != nil {
			t.Fatal(err)
		}
	})
}

func TestSmallDetailsStay(t *testing.T) {
	message := strings.Repeat("m", 1024)
	p := status.Convert(FromCall(&executor.FunctionError{Message: message, DetailType: "d.D", Detail: make([]byte, 3000)}, orders)).Proto()
	if p.GetMessage() != message || len(p.GetDetails()) != 1 {
		t.Errorf("message of %d bytes, %d details", len(p.GetMessage()), len(p.GetDetails()))
	}
	p = status.Convert(FromCall(&executor.FunctionError{Message: message, DetailType: "d.D", Detail: make([]byte, 8000)}, orders)).Proto()
	if len(p.GetDetails()) != 0 || !strings.Contains(p.GetMessage(), "detail type.googleapis.com/d.D of 8000 bytes left out") {
		t.Errorf("%d details, message %q", len(p.GetDetails()), p.GetMessage())
	}
}
