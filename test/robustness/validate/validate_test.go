package validate

import (
	"testing"
	"time"

	"github.com/weft-run/weft/test/robustness/model"
)

// read is a read at a node that takes from one second to just before another.
func read(kind model.Kind, node string, start, began, ended int, index uint64, seen string) model.Operation {
	return model.Operation{
		Input: model.Input{Kind: kind, Function: "f"}, Output: model.Output{Seen: seen}, Node: node, Start: start, Index: index,
		Began: time.Duration(began) * time.Second, Ended: time.Duration(ended)*time.Second - 1,
	}
}

func made(began, ended int, mark string, number uint32) model.Operation {
	return model.Operation{
		Input: model.Input{Kind: model.Deploy, Function: "f", Mark: mark}, Output: model.Output{Revision: number},
		Began: time.Duration(began) * time.Second, Ended: time.Duration(ended)*time.Second - 1,
	}
}

func TestRules(t *testing.T) {
	const get, stale, call = model.Get, model.Stale, model.Call
	for name, test := range map[string]struct {
		record Record
		rule   string // that is broken; empty if none is
	}{
		"all is well": {Record{Operations: []model.Operation{
			made(0, 1, "a", 1), read(get, "n1", 1, 1, 2, 5, "1:a"), read(stale, "n2", 1, 2, 3, 4, ""), read(stale, "n2", 1, 3, 4, 5, "1:a"),
			read(call, "n2", 1, 2, 3, 0, "a"),
		}, Samples: []Sample{{Node: "n1", Index: 5, Hash: "x"}, {Node: "n2", Index: 5, Hash: "x"}, {Node: "n2", Index: 4, Hash: "y"}}}, ""},
		"a lost deploy": {Record{Operations: []model.Operation{made(0, 1, "a", 1), read(get, "n1", 1, 1, 2, 5, "")}}, "linearizable"},
		"a node that goes back": {Record{Operations: []model.Operation{
			made(0, 1, "a", 1), read(stale, "n1", 1, 1, 2, 5, "1:a"), read(stale, "n1", 1, 2, 3, 4, ""),
		}}, "monotonic"},
		"a node that goes back with a restart": {Record{Operations: []model.Operation{
			made(0, 1, "a", 1), read(stale, "n1", 1, 1, 2, 5, "1:a"), read(stale, "n1", 2, 2, 3, 4, ""),
		}}, "monotonic"},
		"a lossy node that goes back with a restart": {Record{Lossy: true, Operations: []model.Operation{
			made(0, 1, "a", 1), read(stale, "n1", 1, 1, 2, 5, "1:a"), read(stale, "n1", 2, 2, 3, 4, ""),
		}}, ""},
		"reads at once in any order": {Record{Operations: []model.Operation{
			made(0, 1, "a", 1), read(stale, "n1", 1, 1, 3, 5, "1:a"), read(stale, "n1", 1, 2, 3, 4, ""),
		}}, ""},
		"linearizable reads that go back": {Record{Operations: []model.Operation{
			read(get, "n1", 1, 1, 2, 5, ""), read(get, "n2", 1, 2, 3, 4, ""),
		}}, "monotonic"},
		"two nodes that differ": {Record{Operations: []model.Operation{
			made(0, 9, "a", 1), read(stale, "n1", 1, 1, 4, 5, "1:a"), read(stale, "n2", 1, 2, 4, 5, ""),
		}}, "consistent"},
		"two catalogs at one index":   {Record{Samples: []Sample{{Node: "n1", Index: 5, Hash: "x"}, {Node: "n2", Index: 5, Hash: "y"}}}, "fork"},
		"a call of nobody's revision": {Record{Operations: []model.Operation{made(0, 1, "a", 1), read(call, "n1", 1, 2, 3, 0, "b")}}, "call"},
		"a call before its revision":  {Record{Operations: []model.Operation{made(5, 6, "a", 1), read(call, "n1", 1, 2, 3, 0, "a")}}, "call"},
	} {
		t.Run(name, func(t *testing.T) {
			violations := Check(test.record)
			switch {
			case test.rule == "" && len(violations) != 0:
				t.Errorf("violations: %v", violations)
			case test.rule != "" && (len(violations) != 1 || violations[0].Rule != test.rule):
				t.Errorf("violations: %v", violations)
			}
		})
	}
}
