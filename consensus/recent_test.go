package consensus

import (
	"testing"

	"github.com/hashicorp/raft"
)

func logEntries(from, to uint64, term uint64, size int) (entries []*raft.Log) {
	for i := from; i <= to; i++ {
		entries = append(entries, &raft.Log{Index: i, Term: term, Data: make([]byte, size)})
	}
	return entries
}

func TestRecent(t *testing.T) {
	var r recent
	holds := func(index, term uint64) bool {
		var entry raft.Log
		return r.get(index, &entry) && entry.Index == index && entry.Term == term
	}
	if holds(0, 0) || holds(1, 1) {
		t.Error("an empty one holds something")
	}
	r.add(logEntries(5, 9, 1, 10))
	if !holds(5, 1) || !holds(9, 1) || holds(4, 1) || holds(10, 1) {
		t.Error("it does not hold what was written")
	}

	// The end is cut off and written anew by another leader: nothing of the old is left.
	r.forget()
	r.add(logEntries(8, 10, 2, 10))
	if holds(5, 1) || holds(9, 1) || !holds(9, 2) {
		t.Error("it holds what was cut off")
	}
	r.add(logEntries(20, 21, 3, 10)) // after a snapshot from elsewhere
	if holds(9, 2) || !holds(20, 3) {
		t.Error("it holds entries on both sides of a gap")
	}

	// It is bounded in entries and in bytes.
	r.add(logEntries(22, 22+recentEntries, 3, 1))
	if holds(21, 3) || !holds(22+recentEntries, 3) || len(r.entries) > recentEntries {
		t.Errorf("%d entries", len(r.entries))
	}
	r.forget()
	r.add(logEntries(1, 10, 1, recentBytes/4))
	if holds(5, 1) || !holds(10, 1) || r.bytes > recentBytes {
		t.Errorf("%d bytes", r.bytes)
	}
	r.add(logEntries(11, 11, 1, 2*recentBytes))
	if holds(11, 1) || r.bytes != 0 {
		t.Errorf("%d bytes", r.bytes)
	}
}

func TestTail(t *testing.T) {
	var l tail
	add := func(indexes ...uint64) {
		for _, i := range indexes {
			l.add(Entry{Index: i, Data: make([]byte, 10)})
		}
	}
	add(2, 3, 7, 8)
	for _, tt := range []struct {
		after uint64
		limit int
		want  []uint64
	}{{0, 1000, []uint64{2, 3, 7, 8}}, {2, 1000, []uint64{3, 7, 8}}, {4, 1000, []uint64{7, 8}}, {8, 1000, nil}, {99, 1000, nil}, {0, 11, []uint64{2, 3}}, {0, 1, []uint64{2}}} {
		entries, ok := l.after(tt.after, tt.limit)
		var got []uint64
		for _, e := range entries {
			got = append(got, e.Index)
		}
		if !ok || len(got) != len(tt.want) || len(got) > 0 && (got[0] != tt.want[0] || got[len(got)-1] != tt.want[len(tt.want)-1]) {
			t.Errorf("after %d, %d bytes: %v, %v, want %v", tt.after, tt.limit, got, ok, tt.want)
		}
	}
	add(2, 3, 7, 8, 9) // a replay
	if entries, _ := l.after(0, 1000); len(entries) != 5 {
		t.Errorf("%d entries after a replay", len(entries))
	}
	for i := range uint64(tailEntries) {
		add(10 + i)
	}
	if _, ok := l.after(3, 1000); ok {
		t.Error("it does not say that entries are missing")
	}
	if entries, ok := l.after(9, 10); !ok || entries[0].Index != 10 {
		t.Errorf("%v, %v", entries, ok)
	}
	l.restart(50)
	if _, ok := l.after(49, 1000); ok {
		t.Error("it does not say that a snapshot came in between")
	}
}

func TestTrail(t *testing.T) {
	var l trail
	hash := func(b byte) []byte {
		h := make([]byte, 32)
		h[0] = b
		return h
	}
	at := func(index uint64) int {
		if h, ok := l.at(index); ok {
			return int(h[0])
		}
		return -1
	}
	l.note(3, hash(3))
	l.note(5, hash(5))
	l.note(3, hash(9)) // a replay
	if at(3) != 3 || at(5) != 5 || at(4) != -1 {
		t.Error(at(3), at(4), at(5))
	}
	for i := range uint64(trailLength) {
		l.note(6+i, hash(1))
	}
	if at(5) != -1 || at(6) != 1 || at(5+trailLength) != 1 {
		t.Error(at(5), at(6), at(5+trailLength))
	}
	l.restart(2, hash(2))
	if at(6) != -1 || at(2) != 2 {
		t.Error(at(6), at(2))
	}
	l.note(3, hash(4))
	if at(3) != 4 || at(2) != 2 {
		t.Error(at(3), at(2))
	}
}
