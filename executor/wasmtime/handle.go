package wasmtime

// #include "weft.h"
import "C"

import "runtime/cgo"

// idleHandles is how many handles without an instance are kept, besides those that processors have at hand.
const idleHandles = 1024

// handle is how C names an instance when it calls Go. Making a [cgo.Handle] and deleting it costs as much as many calls do beside their
// guests, so one serves many instances, one after the other.
type handle struct {
	number   cgo.Handle // of the handle itself
	instance *Instance  // nil while it is idle
	// setup is what C reads while the instance is made. It is here to be on the heap without an allocation for each instance.
	setup C.weft_instance_config
}

var handles = spares[*handle]{most: idleHandles, drop: func(h *handle) { h.number.Delete() }, more: func() []*handle {
	h := &handle{}
	h.number = cgo.NewHandle(h)
	return []*handle{h}
}}

// newHandle gives a handle for an instance, to be closed once C does not know it any more.
func newHandle(i *Instance) *handle {
	h := handles.get()
	h.instance = i
	return h
}

func (h *handle) close() {
	h.instance = nil
	handles.put(h)
}

// instanceOf gives the instance whose guest calls.
func instanceOf(number C.uintptr_t) *Instance {
	return cgo.Handle(number).Value().(*handle).instance //nolint:forcetypeassert // C has no others for this
}
