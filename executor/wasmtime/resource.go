package wasmtime

// #include "weft.h"
// #include <stdlib.h>
import "C"

import (
	"errors"
	"fmt"
	"sync/atomic"
	"unicode/utf8"
	"unsafe"
)

// MaxResources is how many resources of the host one instance may have at once.
const MaxResources = 4096

// ErrTooManyResources is returned where an instance would have more than MaxResources.
var ErrTooManyResources = fmt.Errorf("wasmtime: the instance has %d resources of the host already; drop some first", MaxResources)

// ResourceType is a type of resources that the host gives to guests, such as a bucket. Guests hold handles, which the engine
// checks: they can't be made up, nor used after they were dropped, nor passed as another type.
type ResourceType struct {
	name string
	id   uint32
	drop func(value any)
}

// lastResourceType numbers the types.
var lastResourceType atomic.Uint32

// NewResourceType makes a type, different from every other. What is behind a resource is any value of Go; drop, if not nil,
// is called once for each, when its guest drops it or is gone, in that guest's goroutine. It must neither block nor panic.
func NewResourceType(name string, drop func(value any)) *ResourceType {
	return &ResourceType{name: name, id: lastResourceType.Add(1), drop: drop}
}

// DefineResource provides a resource type of an interface. Other interfaces that use the type refer to this one, and must
// not define it again.
func (l *Linker) DefineResource(iface, name string, t *ResourceType) error {
	if err := l.filling(); err != nil {
		return err
	}
	defer l.mu.Unlock()
	switch {
	case name == "" || t == nil:
		return &Error{Op: "link", Message: fmt.Sprintf("interface %q: a resource without a name or a type", iface)}
	case !utf8.ValidString(iface) || !utf8.ValidString(name):
		return fmt.Errorf("%w: interface %q, resource %q", ErrNotUTF8, iface, name)
	case l.types[iface][name] != nil:
		return &Error{Op: "link", Message: fmt.Sprintf("interface %q, resource %q is defined twice", iface, name)}
	case l.types[iface] == nil:
		l.types[iface] = map[string]*ResourceType{}
	}
	l.types[iface][name] = t
	return nil
}

// Resource returns what is behind the argument at index i, a resource of type t. Where the parameter is a borrow, the guest
// still has it; where it is owned, it is dropped when the function returns. It panics with a [*KindError] if the argument is
// no resource.
func (c *HostCall) Resource(i int, t *ResourceType) (any, error) {
	value, err := c.ResourceIn(c.args.At(i), t)
	if err != nil {
		return nil, fmt.Errorf("wasmtime: argument %d: %w", i, err)
	}
	return value, nil
}

// ResourceIn is [HostCall.Resource] for an element of an argument that is a list of borrowed resources.
func (c *HostCall) ResourceIn(v Value, t *ResourceType) (any, error) {
	r := c.of.resources.find(uint32(v.must(KindResource).b))
	if r == nil || r.typ != t {
		return nil, fmt.Errorf("wasmtime: it is no %s of this instance", t.name)
	}
	return r.value, nil
}

// SetResource sets v, a part of the result, to a new resource that the guest owns. If the function fails afterwards, the
// resource is dropped with the instance. It returns [ErrTooManyResources] when there are too many; the value is not kept
// then, nor dropped.
func (c *HostCall) SetResource(v Value, t *ResourceType, value any) error {
	rep, err := c.of.resources.add(t, value)
	if err != nil {
		return err
	}
	var handle *C.wasmtime_component_resource_any_t
	if err := C.weft_resource_new(c.context, C.uint32_t(t.id), C.uint32_t(rep), &handle); err != nil {
		c.of.resources.forget(rep)
		return takeError("link", err)
	}
	c.made = append(c.made, handle)
	*v.s = slot{kind: KindResource, a: word(unsafe.Pointer(handle))}
	return nil
}

// free ends the call: what its result was made of, and the resources that the guest has handed over.
func (c *HostCall) free() {
	for _, handle := range c.made {
		C.wasmtime_component_resource_any_delete(handle)
	}
	c.arena.Free()
	for i := range c.args.Len() {
		if s := c.args.At(i).s; s.kind == KindResource && uint8(s.c) != 0 {
			_ = c.of.resources.drop(uint32(s.b)) // it is there: the engine has checked the handle
		}
	}
	c.of = nil // whoever keeps the call has nothing of the next instance
}

// resources are the host's resources of one instance. A rep, by which the engine knows one, is its index plus one.
type resources struct {
	list []resource
	free []uint32 // reps of entries that are not in use
}

type resource struct {
	typ   *ResourceType // nil if the entry is not in use
	value any
}

func (rs *resources) add(t *ResourceType, value any) (rep uint32, err error) {
	if n := len(rs.free); n > 0 {
		rep = rs.free[n-1]
		rs.free = rs.free[:n-1]
		rs.list[rep-1] = resource{t, value}
		return rep, nil
	}
	if len(rs.list) >= MaxResources {
		return 0, ErrTooManyResources
	}
	rs.list = append(rs.list, resource{t, value})
	return uint32(len(rs.list)), nil
}

// find returns a resource, nil if there is none.
func (rs *resources) find(rep uint32) *resource {
	if rep == 0 || int(rep) > len(rs.list) || rs.list[rep-1].typ == nil {
		return nil
	}
	return &rs.list[rep-1]
}

// forget removes a resource without dropping it.
func (rs *resources) forget(rep uint32) {
	rs.list[rep-1] = resource{}
	rs.free = append(rs.free, rep)
}

// errNoResource would be a fault of the engine.
var errNoResource = errors.New("wasmtime: drop of a resource that the instance does not have")

// drop ends a resource.
func (rs *resources) drop(rep uint32) error {
	r := rs.find(rep)
	if r == nil {
		return errNoResource
	}
	ended := *r
	rs.forget(rep)
	if ended.typ.drop != nil {
		ended.typ.drop(ended.value)
	}
	return nil
}

// dropAll ends all resources.
func (rs *resources) dropAll() {
	for i := range rs.list {
		if rs.list[i].typ != nil {
			_ = rs.drop(uint32(i) + 1)
		}
	}
}

//export weft_go_drop_resource
func weft_go_drop_resource(handle C.uintptr_t, rep C.uint32_t) *C.wasmtime_error_t {
	h := handleOf(handle)
	return h.trapped(guard(func() error { return h.resources.drop(uint32(rep)) }))
}
