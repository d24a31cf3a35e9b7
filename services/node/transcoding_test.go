package node

import (
	"bytes"
	"errors"
	"testing"

	weft "github.com/weft-run/weft/clients/go"
	"github.com/weft-run/weft/executor"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/test/wat"
)

// TestFailedTranscoderIsDescribed expects a description to say what failed when the transcoder of a function was made. The function has no lists, so that
// the executor makes none, and has nothing to say of it.
func TestFailedTranscoderIsDescribed(t *testing.T) {
	n, err := Start(t.Context(), local(t))
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, n)
	client, err := weft.Connect(n.GRPCAddr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := client.Deploy(t.Context(), bytes.NewReader(wat.Chain{Export: "demo:chain/pay@1.0.0"}.Bytes(t)), &weftv1.DeploySpec{Name: "pay"}, nil); err != nil {
		t.Fatal(err)
	}
	const why = "compiling the component took longer than 2m0s and was stopped"
	n.table.Transcoded(executor.Key{Namespace: "default", Function: "pay", Revision: 1}, errors.New(why))
	r, err := client.Get(t.Context(), "pay")
	if err != nil {
		t.Fatal(err)
	}
	f := r.GetFunction()
	if got := f.GetTranscoding(); got.GetReason() != why || len(got.GetMethods()) > 0 {
		t.Errorf("%v have a transcoder; the reason is %q", got.GetMethods(), got.GetReason())
	}
	placements := f.GetRevisions()[0].GetPlacements()
	if len(placements) != 1 || placements[0].GetPlainReason() != why {
		t.Errorf("the placements are %v", placements)
	}
}
