package guest

import (
	"errors"
	"fmt"
	"testing"
)

type code uint8

func (c code) Error() string { return Name(int(c), "low", "high") }

func TestCheck(t *testing.T) {
	if r := Check(7, nil, Text); r.Failed || r.OK != 7 {
		t.Errorf("%+v, want 7", r)
	}
	if r := Check(0, fmt.Errorf("reading: %w", code(1)), Typed[code]); !r.Failed || r.Err != 1 {
		t.Errorf("%+v, want the code that the error wraps", r)
	}
	if r := Check(0, Error[uint32]{Value: 4}, Untyped[uint32]); !r.Failed || r.Err != 4 {
		t.Errorf("%+v, want 4", r)
	}
	defer func() {
		if recover() == nil {
			t.Error("an error of another type was taken")
		}
	}()
	Check(0, errors.New("other"), Typed[code])
}

func TestErrorText(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{Error[string]{Value: "no"}, "no"},
		{Error[struct{}]{}, "failed"},
		{Error[[]int]{Value: []int{1}}, "[1]"},
		{code(1), "high"},
		{code(9), "unknown(9)"},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

type dropping struct{ dropped *int }

func (d dropping) Drop() { *d.dropped++ }

// host is the part of a host that knows handles: a handle is the value's number plus 100.
func host(table *Table[dropping]) {
	table.New = func(rep uint32) uint32 { return rep + 100 }
	table.Rep = func(handle uint32) uint32 { return handle - 100 }
	table.Drop = func(handle uint32) { table.Destroy(handle - 100) }
}

func TestTable(t *testing.T) {
	var table Table[dropping]
	host(&table)
	drops := [2]int{}
	lent, given := table.Own(dropping{&drops[0]}), table.Own(dropping{&drops[1]})
	if v := table.Value(lent - 100); v.dropped != &drops[0] {
		t.Error("the handle is another value's")
	}
	if v := table.Receive(given); v.dropped != &drops[1] || drops[1] != 0 {
		t.Errorf("what comes back was dropped %d times", drops[1])
	}
	table.Drop(lent)
	table.Destroy(lent - 100)
	if drops[0] != 1 {
		t.Errorf("dropped %d times, want once", drops[0])
	}
}

func TestHandle(t *testing.T) {
	h := NewHandle(5)
	if h.Borrow() != 5 || h.Gone() || h.Take() != 5 || !h.Gone() {
		t.Error("a handle is gone when it is taken, and not before")
	}
	defer func() {
		if recover() == nil {
			t.Error("a resource was used after it was given away")
		}
	}()
	h.Borrow()
}
