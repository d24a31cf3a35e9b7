package conformance

import (
	"testing"

	weft "github.com/weft-run/weft/clients/go"
)

// languages are the implementations of the contract in each language: that of conformance, which is in Rust.
var languages = []string{"conformance", "conformance-go", "polyglot-c", "polyglot-js", "polyglot-ts", "polyglot-python"}

// TestLanguages drives every implementation with the same calls and demands equal answers.
func TestLanguages(t *testing.T) {
	var deployments []deployment
	for _, name := range languages {
		deployments = append(deployments, deployment{name: name})
	}
	client := start(t, deployments...)
	for _, name := range languages {
		t.Run(name, func(t *testing.T) {
			one := weft.OfFunction(name)
			for _, table := range [][]call{echoes(t, scalars, named, unnamed), calls, changed} {
				for _, c := range table {
					t.Run(c.method+" "+c.request, func(t *testing.T) {
						m := method(t, client, c.method)
						got, err := m.Call(t.Context(), []byte(c.request), one)
						if err != nil {
							t.Fatal(err)
						}
						equal(t, m, got, []byte(c.response))
					})
				}
			}
			for _, f := range failures {
				t.Run(f.method+" "+f.request, func(t *testing.T) {
					f.check(t, fails(t, method(t, client, "test.conformance.v1.Errors/"+f.method), f.request, one))
				})
			}
		})
	}
}

// echoes are the calls of echo functions.
func echoes(t *testing.T, tables ...[]echo) (out []call) {
	t.Helper()
	for _, table := range tables {
		for _, e := range table {
			out = append(out, call{"test.conformance.v1." + e.method, string(wrap(t, "v", e.value)), string(wrap(t, "value", e.value))})
		}
	}
	return out
}
