package near

import (
	"iter"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestNames(t *testing.T) {
	candidates := []string{
		"demo.orders.v1.Orders", "demo.orders.v2.Orders", "demo.billing.v1.Billing", "shop.v1.Orders", "orders", "borders", "users",
	}
	for name, want := range map[string][]string{
		"demo.orders.v1.Order":   {"demo.orders.v1.Orders", "demo.orders.v2.Orders"},
		"demo.orders.v1.orders":  {"demo.orders.v1.Orders", "demo.orders.v2.Orders", "orders"},
		"Orders":                 {"orders", "borders", "demo.orders.v1.Orders"},
		"oredrs":                 {"orders", "borders"},
		"demo.billing.v1.Biling": {"demo.billing.v1.Billing"},
		"nothing.like.it":        nil,
		"":                       nil,
		"x":                      nil,
	} {
		if got := Names(name, slices.Values(candidates)); !slices.Equal(got, want) {
			t.Errorf("%q: %v; want %v", name, got, want)
		}
	}
}

func TestFewCandidatesAreLookedAt(t *testing.T) {
	looked := 0
	var endless iter.Seq[string] = func(yield func(string) bool) {
		for yield("something.else") {
			looked++
		}
	}
	Names("name", endless)
	if looked > maxLooked {
		t.Errorf("looked at %d", looked)
	}
}

func TestHint(t *testing.T) {
	for want, names := range map[string][]string{
		"":                          nil,
		"; did you mean a?":         {"a"},
		"; did you mean a or b?":    {"a", "b"},
		"; did you mean a, b or c?": {"a", "b", "c"},
	} {
		if got := Hint(names); got != want {
			t.Errorf("%v: %q; want %q", names, got, want)
		}
	}
}

// plain is the same distance by its definition, exponential in the length.
func plain(a, b string) int {
	switch {
	case a == "":
		return len(b)
	case b == "":
		return len(a)
	}
	change := plain(a[1:], b[1:])
	if a[0] != b[0] {
		change++
	}
	d := min(change, plain(a[1:], b)+1, plain(a, b[1:])+1)
	if len(a) > 1 && len(b) > 1 && a[0] == b[1] && a[1] == b[0] {
		d = min(d, plain(a[2:], b[2:])+1)
	}
	return d
}

func TestDistanceIsTheDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.StringMatching("[abc]{0,6}").Draw(t, "a")
		b := rapid.StringMatching("[abc]{0,6}").Draw(t, "b")
		limit := rapid.IntRange(0, 6).Draw(t, "limit")
		want := min(plain(a, b), limit+1)
		if got := distance(a, b, limit); got != want {
			t.Fatalf("distance(%q, %q, %d) = %d; want %d", a, b, limit, got, want)
		}
	})
}
