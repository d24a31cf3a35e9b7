package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// logged is a line written so many seconds after some moment.
func logged(second int64, message string) *weftv1.LogsResponse {
	return &weftv1.LogsResponse{Time: &timestamppb.Timestamp{Seconds: second}, Message: message}
}

// keeps is a source of some lines that ends or, with follow, waits.
func keeps(node string, follow bool, lines ...*weftv1.LogsResponse) source {
	return source{node: node, read: func(ctx context.Context, line func(*weftv1.LogsResponse) bool, caughtUp func()) error {
		for _, l := range lines {
			if !line(l) {
				return nil
			}
		}
		caughtUp()
		if follow {
			<-ctx.Done()
		}
		return nil
	}}
}

func listed(sources ...source) func() []source { return func() []source { return sources } }

func TestGather(t *testing.T) {
	gathered := func(tail int, sources ...source) (messages []string) {
		t.Helper()
		if err := gather(t.Context(), listed(sources...), false, tail, func(l *weftv1.LogsResponse) error {
			messages = append(messages, l.GetMessage())
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return messages
	}
	a := keeps("a", false, logged(1, "a1"), logged(4, "a4"), logged(5, "a5"))
	b := keeps("b", false, logged(2, "b2"), logged(3, "b3"), logged(6, "b6"))
	if got := gathered(100, a, b); !slices.Equal(got, []string{"a1", "b2", "b3", "a4", "a5", "b6"}) {
		t.Errorf("gathered %v", got)
	}
	if got := gathered(2, a, b); !slices.Equal(got, []string{"a5", "b6"}) {
		t.Errorf("the last two are %v", got)
	}
	broken := source{node: "c", read: func(context.Context, func(*weftv1.LogsResponse) bool, func()) error {
		return errors.New("it is down")
	}}
	if got := gathered(100, a, broken); len(got) != 4 || !slices.ContainsFunc(got, func(m string) bool {
		return strings.Contains(m, "node c can't be read: it is down")
	}) {
		t.Errorf("with a broken node: %v", got)
	}
}

// TestGatherFollows has a node that says nothing, which holds up the kept lines of others for a while and new ones never.
func TestGatherFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := source{node: "silent", read: func(ctx context.Context, _ func(*weftv1.LogsResponse) bool, _ func()) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		live := source{node: "live", read: func(ctx context.Context, line func(*weftv1.LogsResponse) bool, caughtUp func()) error {
			line(logged(1, "kept"))
			caughtUp()
			time.Sleep(time.Minute)
			line(logged(2, "new"))
			<-ctx.Done()
			return nil
		}}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		began := time.Now()
		var at []time.Duration
		err := gather(ctx, listed(silent, live, keeps("idle", true)), true, 10, func(l *weftv1.LogsResponse) error {
			at = append(at, time.Since(began))
			if l.GetMessage() == "new" {
				cancel()
			}
			return nil
		})
		if err != nil || !slices.Equal(at, []time.Duration{gatherLimit, time.Minute}) {
			t.Fatalf("lines came after %v: %v", at, err)
		}
		stop := errors.New("the client is gone")
		if err := gather(t.Context(), listed(keeps("a", true, logged(1, "x"))), true, 10, func(*weftv1.LogsResponse) error {
			return stop
		}); !errors.Is(err, stop) {
			t.Fatalf("error %v", err)
		}
		synctest.Wait()
	})
}

// TestGatherEnds: with nothing to read any more, whoever follows is done.
func TestGatherEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listed := []source{keeps("a", false, logged(1, "a1"))}
		if err := gather(t.Context(), func() []source { return listed }, true, 10, func(*weftv1.LogsResponse) error {
			listed = nil
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
}

// TestGatherFindsNodes: whoever follows reads nodes that come later or come back, no line twice, and is told once of a node that is lost.
func TestGatherFindsNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		at := func(second int) *weftv1.LogsResponse {
			return &weftv1.LogsResponse{Time: timestamppb.New(began.Add(time.Duration(second) * time.Second)), Message: fmt.Sprint(second)}
		}
		reads := 0
		flaky := source{node: "flaky", read: func(ctx context.Context, line func(*weftv1.LogsResponse) bool, caughtUp func()) error {
			switch reads++; reads {
			case 1: // what it has kept, a new line, and its end
				line(at(-5))
				caughtUp()
				time.Sleep(1500 * time.Millisecond)
				line(at(1))
				return status.Error(codes.Unavailable, "it is down")
			case 2, 3: // it is not back yet
				return status.Error(codes.Unavailable, "it is down")
			}
			line(at(-5)) // only the connection was lost
			line(at(1))
			line(at(2))
			caughtUp()
			line(at(6))
			<-ctx.Done()
			return nil
		}}
		late := keeps("late", true, at(-7), at(7)) // it was not there, and has kept a line from before
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var got []string
		err := gather(ctx, func() []source {
			if time.Since(began) < 10*time.Second {
				return []source{keeps("self", true), flaky}
			}
			return []source{keeps("self", true), flaky, late}
		}, true, 10, func(l *weftv1.LogsResponse) error {
			got = append(got, l.GetMessage())
			return nil
		})
		if want := []string{"-5", "1", "node flaky can't be read: it is down", "2", "6", "7"}; err != nil || !slices.Equal(got, want) {
			t.Errorf("gathered %q, %v; want %q", got, err, want)
		}
		cancel()
		synctest.Wait()
	})
}
