package wasmtime

// #cgo CFLAGS: -std=gnu11
// #include "weft.h"
import "C"

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// The defaults of [Config].
const (
	defaultInstances = 64
	defaultMemory    = 1 << 30
	defaultResident  = 4 << 20
	defaultStack     = 512 << 10
)

// What bounds every component. These numbers cost address space at most: memory slots are reserved, not used, and
// tables are touched by the instances that have them.
const (
	// wasmPage is the unit of linear memories.
	wasmPage = 64 << 10
	// maxMemory is as far as 32-bit pointers reach.
	maxMemory = 4 << 30
	// memoryReservation and memoryGuard let compiled code access memory without checking bounds: whatever a 32-bit
	// index and a small constant offset reach is reserved. They are compiled into the code.
	memoryReservation = 4 << 30
	memoryGuard       = 32 << 20
	// memoriesPerInstance is how many memories the pool has for each instance, on average, and memoriesPerComponent
	// how many one component may have. Toolchains emit one; a composition has one per part.
	memoriesPerInstance  = 4
	memoriesPerComponent = 32
	// tables are for function pointers. JavaScript's engine has about 10,000 of them in one table.
	tablesPerInstance  = 8
	tablesPerComponent = 128
	tablesPerModule    = 16
	tableElements      = 100_000
	tableResident      = 64 << 10
	// coresPerComponent is how many core modules a component may be made of: Python with its libraries has dozens.
	coresPerComponent = 256
	// warmSlots is from how many idle memory slots on a component that used none of them takes the one that was idle the longest,
	// rather than one that was never used. Slots that were in use at once stay, however many they were.
	warmSlots = 32

	minStack = 64 << 10
	maxStack = 2 << 20
	// hostStack is what the engine itself uses of a thread's stack at most, beside the guest's, for one instance.
	hostStack = 128 << 10
)

// Config says how an [Engine] is set up. The zero value is a server's engine for a small machine.
type Config struct {
	// MaxInstances is how many instances can exist at once, 64 by default. Address space is reserved for all of them
	// when the engine is made, 16 GiB each and guards between; memory is used only by those that run.
	MaxInstances int
	// MaxMemory is up to how many bytes one linear memory can grow, 1 GiB by default and 4 GiB at most. A component
	// whose memory starts larger is refused.
	MaxMemory uint64
	// KeepResident is how many bytes at the start of each linear memory stay mapped when an instance is dropped: they
	// are cleared by writing instead of being given back to the kernel, which is faster for what every call touches.
	// 4 MiB by default. All memories that were in use at once keep theirs. With the long-term-support engine, where the kernel can
	// tell which pages were written, one that is larger keeps up to four times as much while all that are idle have less than 16
	// times KeepResident together: up to 15 times KeepResident more.
	KeepResident uint64
	// StackSize is how much stack one call may use inside the guest, in bytes, 512 KiB by default, 64 KiB to 2 MiB.
	StackSize uint64
	// Compiler makes an engine without pooled instances, for the process that only compiles. What it compiles loads
	// in every engine of the same Fingerprint. Components that exceed the bounds of the pool are refused there.
	Compiler bool
	// Uninterruptible makes an engine whose code never looks at its [Interrupt]: a guest that does not end by itself can not be
	// stopped. It is for measuring what looking costs, and has a Fingerprint of its own.
	Uninterruptible bool
}

// Engine compiles and runs components. It is safe for concurrent use.
type Engine struct {
	refs
	c           *C.wasm_engine_t
	maxMemory   uint64
	nesting     int
	fingerprint string
}

// NewEngine makes an engine, to be closed with [Engine.Close]. A process should have one that is no compiler.
func NewEngine(config Config) (*Engine, error) {
	cc, err := config.resolve()
	if err != nil {
		return nil, err
	}
	e := &Engine{c: C.weft_engine_new(&cc), maxMemory: uint64(cc.memory_size),
		nesting: max(1, int(C.weft_thread_stack()/(cc.stack+hostStack)))}
	e.own()
	if e.fingerprint, err = e.identify(); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// resolve fills defaults in and refuses what would make the engine abort the process.
func (c Config) resolve() (C.weft_engine_config, error) {
	instances := uint64(defaultInstances)
	if c.MaxInstances != 0 {
		instances = uint64(c.MaxInstances)
	}
	memory, resident, stack := orDefault(c.MaxMemory, defaultMemory), orDefault(c.KeepResident, defaultResident),
		orDefault(c.StackSize, defaultStack)
	memory = (memory + wasmPage - 1) / wasmPage * wasmPage
	resident = min(resident, memory)
	none := C.weft_engine_config{}
	switch {
	case instances > 1<<16: // or negative
		return none, fmt.Errorf("wasmtime: MaxInstances is %d; it must be between 1 and %d", c.MaxInstances, 1<<16)
	case memory > maxMemory || memory < c.MaxMemory:
		return none, fmt.Errorf("wasmtime: MaxMemory is %d bytes; it must be at most %d", c.MaxMemory, uint64(maxMemory))
	case stack < minStack || stack > maxStack:
		return none, fmt.Errorf("wasmtime: StackSize is %d bytes; it must be between %d and %d", stack, minStack, maxStack)
	}
	if thread := uint64(C.weft_thread_stack()); thread < 2*stack {
		return none, fmt.Errorf("wasmtime: threads have %d bytes of stack, less than twice the StackSize of %d; "+
			"raise the limit (ulimit -s)", thread, stack)
	}
	if !c.Compiler {
		size := (memoryReservation+memoryGuard)*memoriesPerInstance*instances + memoryGuard
		if !bool(C.weft_can_reserve(C.size_t(size))) {
			return none, fmt.Errorf("wasmtime: can't reserve %d GiB of address space for %d instances; "+
				"lower MaxInstances or raise the limit (ulimit -v)", size>>30, instances)
		}
	}
	return C.weft_engine_config{
		pooling:                  C.bool(!c.Compiler),
		epochs:                   C.bool(!c.Uninterruptible),
		instances:                C.uint32_t(instances),
		core_instances:           C.uint32_t(instances * coresPerComponent),
		memories:                 C.uint32_t(instances * memoriesPerInstance),
		tables:                   C.uint32_t(instances * tablesPerInstance),
		component_core_instances: coresPerComponent,
		component_memories:       memoriesPerComponent,
		component_tables:         tablesPerComponent,
		module_tables:            tablesPerModule,
		warm_slots:               warmSlots,
		memory_size:              C.size_t(memory),
		memory_reservation:       memoryReservation,
		memory_guard:             memoryGuard,
		memory_resident:          C.size_t(resident),
		table_elements:           tableElements,
		table_resident:           tableResident,
		stack:                    C.size_t(stack),
	}, nil
}

func orDefault(v, d uint64) uint64 {
	if v == 0 {
		return d
	}
	return v
}

// Close releases the engine. Components, templates and instances made from it keep working.
func (e *Engine) Close() { e.close(e.free) }

func (e *Engine) free() { C.wasm_engine_delete(e.c) }

// Tick advances the engine's epoch: every running guest then looks at its [Interrupt]. A ticker should call it every
// few milliseconds while calls run.
func (e *Engine) Tick() {
	if e.acquire() {
		C.wasmtime_engine_increment_epoch(e.c)
		e.release(e.free)
	}
}

// Nesting returns how many instances can be in a call at once on one thread, each called by a [HostFunc] of the one before:
// each may use up its whole stack.
func (e *Engine) Nesting() int { return e.nesting }

// Fingerprint returns a name, in hexadecimal, for the compiled code that this engine can load: it covers the engine's
// version, the settings that code depends on, and the features of the CPU. It does not differ between an engine that
// pools instances and one that only compiles.
func (e *Engine) Fingerprint() string { return e.fingerprint }

// identify computes the fingerprint: a hash of what compiled code says about the engine that made it, which is what
// the engine compares when it loads code.
func (e *Engine) identify() (string, error) {
	wasm, err := WatToWasm("(component)")
	if err != nil {
		return "", err
	}
	c, err := e.Compile(wasm)
	if err != nil {
		return "", err
	}
	defer c.Close()
	code, err := c.Serialize()
	if err != nil {
		return "", err
	}
	id, err := engineSection(code)
	if err != nil {
		return "", err
	}
	return fingerprint(id), nil
}

func fingerprint(id []byte) string {
	sum := sha256.Sum256(id)
	return hex.EncodeToString(sum[:])
}

// Trim gives memory back to the system that the C allocator keeps after values were freed. It takes up to some
// hundred milliseconds after gigabytes; other calls go on meanwhile, but for short waits.
func Trim() { C.weft_trim() }
