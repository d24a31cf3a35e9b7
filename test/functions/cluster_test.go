package functions

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/metadata"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/node"
	"github.com/weft-run/weft/test/wat"
)

// on places a function on the nodes with a label.
func on(place string) func(*weftv1.DeploySpec) {
	return func(spec *weftv1.DeploySpec) {
		spec.Scheduling = &weftv1.Scheduling{Require: map[string]string{"place": place}}
	}
}

// TestAcrossNodes has functions on two nodes call one another.
func TestAcrossNodes(t *testing.T) {
	first := start(t, func(c *node.Config) { c.Labels = map[string]string{"place": "first"} })
	token, err := first.CreateToken(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	second := start(t, func(c *node.Config) {
		c.Name, c.Labels = "n2", map[string]string{"place": "second"}
		c.Join, c.Token = first.node.ClusterAddr(), token.GetToken()
	})
	first.deploy("c", wat.Chain{Export: iface("c")}, on("first"))
	first.deploy("b", wat.Chain{Export: iface("b"), Import: iface("c")}, on("second"))
	first.deploy("a", wat.Chain{Export: iface("a"), Import: iface("b")}, on("first"))
	for _, s := range []*server{first, second} {
		for n := range 50 {
			s.want("A/Ask", n, n+2)
		}
		var trailer metadata.MD
		if _, err := s.call("A/Tell", 1, weft.ReceiveMetadata(nil, &trailer), weft.WithMetadata(metadata.Pairs("weft-trace", "true"))); err != nil {
			t.Fatal(err)
		}
		lines := trailer.Get("weft-trace")
		if len(lines) != 2 || !strings.Contains(lines[0], "node=n2") || !strings.Contains(lines[1], "node=n1") {
			t.Errorf("trace %q", lines)
		}
	}
	for i := range 3 {
		first.deploy("c", wat.Chain{Export: iface("c"), Mark: fmt.Sprint(i)}, on([]string{"second", "first"}[i%2]))
		second.want("A/Ask", 7, 9)
	}
}
