package secrets

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// shelf is a catalog with secrets.
type shelf struct {
	t *testing.T
	*catalog.Catalog
}

func newShelf(t *testing.T) shelf {
	t.Helper()
	s := shelf{t, catalog.New()}
	for level := uint32(2); level <= 4; level++ {
		s.apply(&catalogv1.Command{Action: &catalogv1.Command_RaiseLevel{RaiseLevel: &catalogv1.RaiseLevel{Level: level}}})
	}
	return s
}

func (s shelf) apply(cmd *catalogv1.Command) {
	s.t.Helper()
	cmd.RequestId, cmd.Level = fmt.Sprint(s.Index()+1), s.View().Level()
	if got := s.Apply(s.Index()+1, cmd); got.GetRefusal() != nil {
		s.t.Fatal(got)
	}
}

func (s shelf) put(r *Keyring, function, key, text string) {
	s.t.Helper()
	row := seal(s.t, r, Name{"default", function, key}, text)
	s.apply(&catalogv1.Command{Action: &catalogv1.Command_PutSecret{PutSecret: &catalogv1.PutSecret{Secret: row}}})
}

func TestStore(t *testing.T) {
	shelf, r := newShelf(t), ring(t, 1)
	store := NewStore(r, shelf.View)
	want := func(function, key, want string) {
		t.Helper()
		got := "none"
		v, ok, err := store.Get("default", function, key)
		switch {
		case err != nil:
			got = "error"
		case ok:
			got = v.Reveal()
		}
		if got != want {
			t.Errorf("%s of %s is %q (%v), want %q", key, function, got, err, want)
		}
	}
	wantAll := func(function, want string) {
		t.Helper()
		pairs, err := store.All("default", function)
		var all []string
		for _, p := range pairs {
			all = append(all, p.Key+"="+p.Value.Reveal())
		}
		if got := strings.Join(all, " "); err != nil || got != want {
			t.Errorf("%s sees %q (%v), want %q", function, got, err, want)
		}
	}
	want("orders", "a", "none")
	wantAll("orders", "")
	shelf.put(r, "", "b", "all's b")
	shelf.put(r, "", "d", "all's d")
	shelf.put(r, "orders", "a", "own a")
	shelf.put(r, "orders", "b", "own b")
	shelf.put(r, "orders", "e", "own e")
	want("orders", "a", "own a")
	want("orders", "b", "own b")
	want("orders", "d", "all's d")
	want("stock", "a", "none")
	want("stock", "b", "all's b")
	wantAll("orders", "a=own a b=own b d=all's d e=own e")
	wantAll("stock", "b=all's b d=all's d")
	wantAll("order", "b=all's b d=all's d")
	if _, ok, _ := store.Get("other", "orders", "b"); ok {
		t.Error("another namespace sees it")
	}
	shelf.put(r, "orders", "b", "new b")
	want("orders", "b", "new b")
	shelf.apply(&catalogv1.Command{Action: &catalogv1.Command_DeleteSecret{DeleteSecret: &catalogv1.DeleteSecret{Namespace: "default", Function: "orders", Key: "b"}}})
	want("orders", "b", "all's b")

	shelf.put(ring(t, 2), "", "z", "of another key")
	want("orders", "z", "error")
	want("orders", "a", "own a")
	if all, err := store.All("default", "orders"); err == nil || len(all) > 0 {
		t.Errorf("all although one can't be read: %v", all)
	}
	if got := Missing(shelf.View().AllSecrets(), r.IDs()); len(got) != 1 || got[0] != ring(t, 2).First() {
		t.Errorf("missing keys %q", got)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(store)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			name := family.GetName()
			for _, label := range m.GetLabel() {
				name += " " + label.GetName() + "=" + label.GetValue()
			}
			got[name] = m.GetGauge().GetValue()
		}
	}
	if want := map[string]float64{"weft_secret_keys": 1, "weft_secrets readable=false": 1, "weft_secrets readable=true": 4}; !maps.Equal(got, want) {
		t.Errorf("metrics %v, want %v", got, want)
	}
}
