package guest

// Handle is what an imported resource is known by. The zero Handle is that of a resource that was dropped or given
// away.
type Handle struct {
	id uint32
}

// NewHandle wraps the number that the host gave.
func NewHandle(id uint32) Handle { return Handle{id} }

// Borrow returns the number, to be lent for one call. It panics if the resource is gone.
func (h *Handle) Borrow() uint32 {
	if h.id == 0 {
		panic("a resource is used after it was dropped or given away")
	}
	return h.id
}

// Take returns the number, to be given away. It panics if the resource is gone.
func (h *Handle) Take() uint32 {
	id := h.Borrow()
	h.id = 0
	return id
}

// Gone tells whether the resource was dropped or given away.
func (h *Handle) Gone() bool { return h.id == 0 }

// lent are the resources that the caller of the running export lends to it.
var lent []interface{ Drop() }

// Lent keeps a resource that is to be given back when the running export ends, and returns it.
func Lent[R interface{ Drop() }](r R) R {
	lent = append(lent, r)
	return r
}

// GiveBack ends what the caller lent to the running export.
func GiveBack() {
	for _, r := range lent {
		r.Drop()
	}
	clear(lent)
	lent = lent[:0]
}

// Table holds the values of an exported resource that others have handles of. It is not safe for concurrent use, and
// need not be: Go code in a component runs on one thread and is not interrupted.
type Table[R any] struct {
	// New, Rep and Drop are the host's functions for the resource.
	New, Rep func(uint32) uint32
	Drop     func(uint32)

	values map[uint32]R
	next   uint32
}

// Own makes a handle for a value, to be given away.
func (t *Table[R]) Own(v R) uint32 {
	if t.values == nil {
		t.values = map[uint32]R{}
	}
	for t.next++; ; t.next++ {
		if _, taken := t.values[t.next]; !taken && t.next != 0 {
			break
		}
	}
	t.values[t.next] = v
	return t.New(t.next)
}

// Receive returns the value of a handle that was given back. Its Drop method is not called: the receiver has it now.
func (t *Table[R]) Receive(handle uint32) R {
	rep := t.Rep(handle)
	v := t.values[rep]
	delete(t.values, rep)
	t.Drop(handle)
	return v
}

// Value returns the value of a handle that is lent.
func (t *Table[R]) Value(rep uint32) R { return t.values[rep] }

// Destroy forgets a value whose last handle is gone, and calls its Drop method if it has one.
func (t *Table[R]) Destroy(rep uint32) {
	v, ok := t.values[rep]
	delete(t.values, rep)
	if !ok {
		return
	}
	if d, ok := any(v).(interface{ Drop() }); ok {
		d.Drop()
	}
}
