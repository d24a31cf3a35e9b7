package wasi_test

import (
	"testing"

	"github.com/weft-run/weft/wit/wasi"
)

func TestInterfaces(t *testing.T) {
	all := wasi.Interfaces()
	if len(all) != 27 {
		t.Errorf("there are %d interfaces, want the 27 of WASI 0.2", len(all))
	}
	for name, i := range all {
		if i.Namespace != "wasi" || i.Version != wasi.Version || len(i.Functions)+len(i.Types) == 0 {
			t.Errorf("%s: %s has %d functions and %d types", name, i.ID, len(i.Functions), len(i.Types))
		}
	}
	poll := all["io/poll"]
	if poll == nil || len(poll.Functions) != 3 {
		t.Errorf("io/poll is %+v", poll)
	}
}
