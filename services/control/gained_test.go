package control

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/weft-run/weft/executor"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/test/wat"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
)

// bare is an engine that provides no interface.
type bare struct{ *engine }

func (bare) CheckImports(w *wit.World, _ ...*contract.Service) error {
	if len(w.Imports) > 0 {
		return errors.New("not provided")
	}
	return nil
}

// anywhere allows every address, and takes what is there for what is imported.
type anywhere struct{}

func (anywhere) Allowed(string) error { return nil }
func (anywhere) Compare(context.Context, string, *contract.Service, *descriptorpb.FileDescriptorSet) error {
	return nil
}

// TestServiceThatWasImportedFromOutside: the contracts have it, and no function ever exported it.
func TestServiceThatWasImportedFromOutside(t *testing.T) {
	b := newBench(t)
	b.raise(3) // which has bindings
	b.server.config.Executor, b.server.config.Outside = bare{b.engine}, anywhere{}
	shop := wat.Chain{Export: "demo:chain/shop@1.0.0", Import: "demo:chain/pay@1.0.0"}.Bytes(t)
	_, err := b.Deploy(t.Context(), bytes.NewReader(shop), &weftv1.DeploySpec{
		Name: "shop", Bindings: map[string]string{"demo:chain/pay": "grpc://pay.example:443"}, Wait: noWait,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	pay := wat.Chain{Export: "demo:chain/pay@1.0.0"}.Bytes(t)
	r, err := b.Diff(t.Context(), bytes.NewReader(pay), &weftv1.DeploySpec{Name: "pay"})
	if err != nil {
		t.Fatal(err)
	}
	want := "service exported by pay; no other function exports it"
	if c := r.GetChanges(); len(c) != 1 || c[0].GetPath() != "demo.chain.v1.Pay" || c[0].GetDescription() != want {
		t.Errorf("changes %v", c)
	}
}

// without are components of which that of one function is lost.
type without struct {
	nowhere

	function string
}

func (w without) Revision(ctx context.Context, k executor.Key) (executor.Revision, error) {
	if k.Function == w.function {
		return executor.Revision{}, errors.New("no node has it")
	}
	return w.nowhere.Revision(ctx, k)
}

// TestDeployInsteadOfALostOwner: a function whose component is lost keeps no other from being deployed.
func TestDeployInsteadOfALostOwner(t *testing.T) {
	b := newBench(t)
	for _, f := range []struct{ name, iface string }{{"older", "demo:calc/extra@1.0.0"}, {"owner", "demo:calc/calc@1.0.0"}} {
		if _, err := b.deploy(wat.Guest{Interface: f.iface}, &weftv1.DeploySpec{Name: f.name}); err != nil {
			t.Fatal(err)
		}
	}
	b.server.config.Components = without{function: "owner"}
	r, err := b.deploy(wat.Guest{}, &weftv1.DeploySpec{Name: "older", AllowBreaking: true}) // it drops Extra
	if err != nil {
		t.Fatal(err)
	}
	want := "methods of older could not be compared with those of owner, whose revision 1 can't be read: no node has it"
	said := slices.ContainsFunc(r.GetChanges(), func(c *weftv1.Change) bool {
		return c.GetPath() == "demo.calc.v1.Calc" && c.GetDescription() == want && !c.GetBreaking()
	})
	instead := slices.ContainsFunc(r.GetChanges(), func(c *weftv1.Change) bool { return strings.Contains(c.GetDescription(), "instead of owner") })
	if !said || !instead {
		t.Errorf("changes %v", r.GetChanges())
	}
}
