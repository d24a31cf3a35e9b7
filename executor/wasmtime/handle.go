package wasmtime

// #include "weft.h"
import "C"

import "runtime/cgo"

// idleHandles is how many handles without an instance are kept, besides those that processors have at hand.
const idleHandles = 1024

// handle is how C names an instance when it calls Go, and what callbacks need of it. Making a [cgo.Handle] and deleting it costs as much
// as many calls do beside their guests, so one serves many instances, one after the other.
type handle struct {
	number cgo.Handle // of the handle itself
	config InstanceConfig
	// fault is the first failure of a callback into Go. It explains the trap that follows.
	fault error
	ended chan struct{} // has an element when a call apart has ended; nil before the first
	// resources are those of the host that the guest has.
	resources resources
	// setup is what C reads while the instance is made. It is here to be on the heap without an allocation for each instance.
	setup C.weft_instance_config
}

var handles = spares[*handle]{most: idleHandles, drop: func(h *handle) { h.number.Delete() }, more: func() []*handle {
	h := &handle{}
	h.number = cgo.NewHandle(h)
	return []*handle{h}
}}

// end ends what the instance has, once C does not know it any more.
func (h *handle) end() {
	left := h.resources
	h.config, h.fault, h.resources = InstanceConfig{}, nil, resources{}
	handles.put(h)
	left.dropAll()
}

// handleOf gives the handle of the instance whose guest calls.
func handleOf(number C.uintptr_t) *handle {
	return cgo.Handle(number).Value().(*handle) //nolint:forcetypeassert // C has no others for this
}
