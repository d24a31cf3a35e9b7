package functions

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/test/wat"
)

// link links a function with its providers.
func link(spec *weftv1.DeploySpec) { spec.Link = true }

// TestLinkedChain: a chain of functions gives the same answers by the router and linked.
func TestLinkedChain(t *testing.T) {
	s := start(t)
	s.chain()
	s.deploy("l", wat.Chain{Export: iface("l"), Import: iface("b")}, link)
	for _, n := range []int{0, 1, 999, 1000, 1001} {
		for _, method := range []string{"Ask", "Tell"} {
			a, errA := s.call("A/"+method, n)
			l, errL := s.call("L/"+method, n)
			if a != l || (errA == nil) != (errL == nil) || errA != nil && errA.Error() != errL.Error() {
				t.Errorf("%s(%d): by router %d, %v; linked %d, %v", method, n, a, errA, l, errL)
			}
		}
	}
	s.fails("L/Tell", 3000, codes.Internal, "in c@1, which is linked", "unreachable")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.callContext(ctx, "L/Tell", 2000); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}
