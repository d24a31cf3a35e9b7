package wasmtime

// #include "weft.h"
import "C"

import (
	"fmt"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// InstanceConfig is what belongs to one instance.
type InstanceConfig struct {
	// Memory is up to how many bytes each linear memory may grow; the engine's MaxMemory if 0 or more than that.
	Memory uint64
	// Env is the environment, each entry "KEY=value". Without [Linker.AddWASI] nobody sees it.
	Env []string
	// Stdout and Stderr get what the guest writes, in the goroutine that called it; nil drops it. They must not keep
	// the bytes. A panic in them becomes the error of the call.
	Stdout, Stderr func([]byte)
	// Data is what HostCall.Data returns.
	Data any
	// Interrupt stops the instance or has it pause, if not nil. It must stay open until the instance is closed.
	Interrupt *Interrupt
	// Outer is an instance that waits for this one on the same thread, in a [HostFunc]: what stops it stops this one, too.
	// Nil: there is none.
	Outer *Instance
	// Restorable has the instance remember what it is like before its first call, for [Instance.Restore].
	Restorable bool
}

// Instance is a component in a store of its own. It must not be used by two goroutines at once. After an error from
// Call it is dead and can only be closed.
type Instance struct {
	*handle  // nil once it is closed
	template *Template
	c        *C.weft_instance
	dead     bool
}

// NewInstance makes an instance, to be closed with [Instance.Close], and runs its start functions. The error is a
// [*Trap] if they trapped and an [*Error] otherwise: one that wraps [ErrBusy] if all instances are in use, or
// [ErrMemory] if the component's memory starts larger than config allows.
func (t *Template) NewInstance(config InstanceConfig) (*Instance, error) {
	if t.unlinked != nil {
		return nil, t.unlinked
	}
	env, err := newEnv(config.Env)
	if err != nil {
		return nil, err
	}
	defer env.free()
	if !t.acquire() {
		return nil, ErrClosed
	}
	i := &Instance{template: t, handle: handles.get()}
	i.config = config
	l := t.linker
	setup := &i.setup
	*setup = C.weft_instance_config{
		engine:         l.engine,
		pre:            t.pre,
		memory:         C.uint64_t(l.limit),
		table_elements: tableElements,
		wasi:           C.bool(l.wasi),
		out:            C.bool(config.Stdout != nil),
		err:            C.bool(config.Stderr != nil),
		restorable:     C.bool(config.Restorable),
		envc:           C.size_t(env.n),
		names:          env.names,
		values:         env.values,
		handle:         C.uintptr_t(i.number),
	}
	if config.Memory != 0 && config.Memory < l.limit {
		setup.memory = C.uint64_t(config.Memory)
	}
	if it := config.Interrupt; it != nil {
		setup.interrupt, setup.generation = it.address(), C.uint32_t(it.generation)
	}
	if config.Outer != nil {
		setup.outer = config.Outer.c
	}
	made := C.weft_instance_new(&i.setup) // written so, cgo looks for Go's pointers in that member only
	*setup = C.weft_instance_config{}     // Go's memory keeps no pointer to what C frees
	i.c = made.instance
	if made.error != nil || i.fault != nil {
		err := i.failed("instantiate", made.error)
		i.Close()
		return nil, err
	}
	return i, nil
}

// Close drops the instance and all its memory. Results of its calls stay valid.
func (i *Instance) Close() { i.CloseWith(nil) }

// CloseWith closes a result, if it is not nil, and the instance, at less cost than one after the other.
func (i *Instance) CloseWith(r *Result) {
	if i.c == nil {
		if r != nil {
			r.Close()
		}
		return
	}
	var value *C.weft_val
	if r != nil {
		value, r.c = r.c, nil
	}
	C.weft_instance_delete(i.c, value)
	i.c = nil
	ended := i.handle
	i.handle = nil
	i.template.release(i.template.free)
	ended.end()
}

// Restores tells whether [Instance.Restore] may put the instance back. It is false where Restorable was not set, where the engine can't,
// where the component has what is not put back, such as references to what is collected, and where it called the host while it
// started, as the next instance may get other answers.
func (i *Instance) Restores() bool { return i.c != nil && i.c.initial != nil }

// Restore puts the instance back to what it was like when it was made, to the last byte and handle, so that the next call finds what that
// of a new instance would. It closes a result, if it is not nil. It is false if that can't be done; then the instance is dead: after an
// error, if the guest has handles left, if one of its tables has grown, and if it wrote more than KeepResident to a memory.
func (i *Instance) Restore(r *Result) bool {
	if i.dead || !i.Restores() {
		if r != nil {
			r.Close()
		}
		return false
	}
	var value *C.weft_val
	if r != nil {
		value, r.c = r.c, nil
	}
	i.dead = !bool(C.weft_instance_restore(i.c, value))
	if i.dead {
		return false
	}
	left := i.resources
	i.resources = resources{}
	left.dropAll()
	return true
}

// Call calls the export with that index in [Linker.Prepare]. The arguments are those of [Arena.Args]; a nil arena has
// none. Their number and types must be those of the function; if not, that is an [*Error]. The error is a [*Trap] if
// the guest trapped. The result is to be closed with [Result.Close].
func (i *Instance) Call(export int, args *Arena) (*Result, error) { return i.call(export, args, false) }

// CallApart is Call for calls that take long: the guest runs on a thread that Go does not know. A goroutine that is in C keeps its
// processor of Go's scheduler (its P) until the runtime notices, some ten microseconds to milliseconds later, and all that is to run
// there waits meanwhile. To hand a call over and back costs some ten microseconds.
func (i *Instance) CallApart(export int, args *Arena) (*Result, error) {
	return i.call(export, args, true)
}

func (i *Instance) call(export int, arguments *Arena, apart bool) (*Result, error) {
	if i.c == nil {
		return nil, ErrClosed
	}
	if i.dead {
		return nil, &Error{Op: "call", Message: "the instance failed before"}
	}
	e := i.template.exports[export]
	var row Values
	if arguments != nil {
		row = arguments.args
	}
	collect()
	var out C.weft_called
	args, n := (*C.weft_val)(row.base), C.size_t(row.n)
	apart = apart && i.mayEnd()
	// Where there is no thread to be had, the call is made on this one.
	if apart && bool(C.weft_call_apart(i.c, e, args, n)) {
		<-i.ended
		out = C.weft_called_apart(i.c)
	} else {
		out = C.weft_call(i.c, e, args, n)
	}
	result := &Result{c: out.value}
	if out.error != nil || i.fault != nil {
		result.Close()
		return nil, i.failed("call", out.error)
	}
	return result, nil
}

// failed marks the instance dead and makes the error.
func (i *Instance) failed(op string, err *C.wasmtime_error_t) error {
	i.dead = true
	if err == nil {
		return i.fault // a callback panicked where the engine has no way to fail
	}
	return describe(op, err, bool(i.c.interrupted), i.fault)
}

// Result is what a call returned: C memory that is valid until it is closed, even after its instance is.
type Result struct{ c *C.weft_val }

// Value returns the value, and whether the function returns one.
func (r *Result) Value() (Value, bool) {
	collect()
	if r.c == nil {
		return Value{}, false
	}
	return Value{(*slot)(unsafe.Pointer(r.c))}, true
}

// Close frees the value and all that was read from it.
func (r *Result) Close() {
	if r.c != nil {
		C.weft_value_delete(r.c)
		r.c = nil
	}
}

// env is an environment in C memory.
type env struct {
	arena         *Arena
	n             int
	names, values **C.char
}

// newEnv checks and copies an environment.
func newEnv(entries []string) (env, error) {
	if len(entries) == 0 {
		return env{}, nil
	}
	a := NewArena()
	names := unsafe.Slice((*uint64)(a.alloc(uintptr(len(entries))*8)), len(entries))
	values := unsafe.Slice((*uint64)(a.alloc(uintptr(len(entries))*8)), len(entries))
	for i, e := range entries {
		key, value, found := strings.Cut(e, "=")
		if !found || key == "" || !utf8.ValidString(e) || strings.ContainsRune(e, 0) {
			a.Free()
			return env{}, &Error{Op: "instantiate", Message: fmt.Sprintf("environment entry %d is not KEY=value in UTF-8 without NUL", i)}
		}
		names[i], values[i] = a.text(append([]byte(key), 0)), a.text(append([]byte(value), 0))
	}
	return env{
		arena: a, n: len(entries),
		names:  (**C.char)(unsafe.Pointer(unsafe.SliceData(names))),
		values: (**C.char)(unsafe.Pointer(unsafe.SliceData(values))),
	}, nil
}

func (e env) free() {
	if e.arena != nil {
		e.arena.Free()
	}
}
