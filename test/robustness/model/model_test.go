package model

import (
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// op is an operation on f that takes from one second to another.
func op(began, ended int, kind Kind, mark string, out Output) Operation {
	return Operation{
		Input: Input{Kind: kind, Function: "f", Mark: mark}, Output: out,
		Began: time.Duration(began) * time.Second, Ended: time.Duration(ended)*time.Second - 1,
	}
}

func TestModel(t *testing.T) {
	deployed := func(number uint32) Output { return Output{Revision: number} }
	sees := func(text string) Output { return Output{Seen: text} }
	gone := Output{NotFound: true}
	unknown := Output{Unknown: true}
	for name, test := range map[string]struct {
		history []Operation
		legal   bool
	}{
		"in order": {[]Operation{
			op(0, 1, Get, "", sees("")), op(1, 2, Deploy, "a", deployed(1)), op(2, 3, Update, "b", deployed(2)),
			op(3, 4, Get, "", sees("1:a 2:b")), op(4, 5, Delete, "", Output{Deleted: 2}), op(5, 6, Delete, "", gone),
			op(6, 7, Update, "c", gone), op(7, 8, Deploy, "d", deployed(3)), op(8, 9, Get, "", sees("3:d")),
		}, true},
		"a lost deploy": {[]Operation{op(0, 1, Deploy, "a", deployed(1)), op(1, 2, Get, "", sees(""))}, false},
		"a number given twice": {[]Operation{
			op(0, 1, Deploy, "a", deployed(1)), op(1, 2, Delete, "", Output{Deleted: 1}), op(2, 3, Deploy, "b", deployed(1)),
		}, false},
		"a read of the past":   {[]Operation{op(0, 1, Deploy, "a", deployed(1)), op(1, 2, Deploy, "b", deployed(2)), op(2, 3, Get, "", sees("1:a"))}, false},
		"a read of the future": {[]Operation{op(0, 1, Get, "", sees("1:a")), op(1, 2, Deploy, "a", deployed(1))}, false},
		"back and forth": {[]Operation{
			op(0, 9, Deploy, "a", deployed(1)), op(1, 2, Get, "", sees("1:a")), op(3, 4, Get, "", sees("")),
		}, false},
		"unknown, with effect later":  {[]Operation{op(0, 1, Deploy, "a", unknown), op(2, 3, Get, "", sees("")), op(4, 5, Get, "", sees("1:a"))}, true},
		"unknown, without effect":     {[]Operation{op(0, 1, Deploy, "a", unknown), op(2, 3, Deploy, "b", deployed(1)), op(4, 5, Get, "", sees("1:b"))}, true},
		"unknown, with two effects":   {[]Operation{op(0, 1, Deploy, "a", unknown), op(4, 5, Get, "", sees("1:a 2:a"))}, false},
		"unknown, effect before call": {[]Operation{op(0, 1, Get, "", sees("1:a")), op(2, 3, Deploy, "a", unknown)}, false},
		"a number that is not told":   {[]Operation{op(0, 1, Deploy, "a", Output{}), op(1, 2, Get, "", sees("1:a"))}, true},
		"a deploy that nobody made":   {[]Operation{op(1, 2, Get, "", sees("1:a"))}, false},
		"a stale read": {[]Operation{
			op(0, 1, Deploy, "a", deployed(1)), op(1, 2, Deploy, "b", deployed(2)), op(3, 4, Stale, "", sees("1:a")), op(4, 5, Stale, "", sees("")),
		}, true},
		"a stale read of the future": {[]Operation{op(0, 1, Stale, "", sees("1:a")), op(2, 3, Deploy, "a", deployed(1))}, false},
		"a stale read of what never was": {[]Operation{
			op(0, 1, Deploy, "a", deployed(1)), op(1, 2, Deploy, "b", deployed(2)), op(3, 4, Stale, "", sees("2:b")),
		}, false},
		"not found although it is there": {[]Operation{op(0, 1, Deploy, "a", deployed(1)), op(1, 2, Update, "b", gone)}, false},
		"routes": {[]Operation{
			op(0, 1, Owner, "", sees("left")), op(1, 2, Route, "right", sees("left")), op(2, 3, Owner, "", sees("right")),
			op(3, 4, Route, "left", unknown), op(4, 5, Owner, "", sees("right")), op(5, 6, Owner, "", sees("left")),
		}, true},
		"a route that is lost": {[]Operation{op(1, 2, Route, "right", sees("left")), op(2, 3, Owner, "", sees("left"))}, false},
	} {
		t.Run(name, func(t *testing.T) {
			legal := porcupine.CheckOperations(Model("left"), Histories(test.history)["f"])
			if legal != test.legal {
				t.Errorf("legal: %v", legal)
			}
		})
	}
}

func TestHistories(t *testing.T) {
	h := Histories([]Operation{
		op(5, 6, Stale, "", Output{Seen: "1:a"}), op(2, 3, Stale, "", Output{Seen: "1:a"}), op(3, 4, Stale, "", Output{Seen: ""}),
		op(1, 2, Get, "", Output{Unknown: true}), op(1, 2, Call, "", Output{Seen: "a"}),
	})["f"]
	if len(h) != 2 || h[0].Return != int64(3*time.Second)-1 || h[0].Call != 0 {
		t.Errorf("%+v", h)
	}
}
