package wasmtime

import "errors"

var errStub = errors.New("wasmtime: not built yet")

// Config says how an [Engine] is set up. The zero value is a server's engine for a small machine.
type Config struct {
	// MaxInstances is how many instances can exist at once, 64 by default. Address space for all of them is
	// reserved when the engine is made; memory is used only by those that run.
	MaxInstances int
	// MaxMemory is the largest size of one linear memory, in bytes, 1 GiB by default and 4 GiB at most. A component
	// whose memory starts larger is refused.
	MaxMemory uint64
	// KeepResident is how many bytes at the start of each linear memory stay mapped when an instance is dropped: they
	// are cleared by writing instead of being given back to the kernel. 2 MiB by default.
	KeepResident uint64
	// StackSize is how much stack one call may use inside the guest, in bytes, 512 KiB by default.
	StackSize uint64
	// Compiler makes an engine without pooled instances, for the process that only compiles. What it compiles loads
	// in every engine of the same Fingerprint.
	Compiler bool
}

// Engine compiles and runs components. It is safe for concurrent use.
type Engine struct{}

// NewEngine makes an engine, to be closed with [Engine.Close].
func NewEngine(Config) (*Engine, error) { return nil, errStub }

// Close releases the engine. Components, templates and instances made from it keep working.
func (e *Engine) Close() {}

// Tick advances the engine's epoch: every running guest then looks at its [Interrupt]. A ticker should call it every
// few milliseconds while calls run.
func (e *Engine) Tick() {}

// Fingerprint returns a name, in hexadecimal, for the compiled code that this engine can load: it covers the engine's
// version, its settings and the features of the CPU.
func (e *Engine) Fingerprint() string { return "" }

// Compile compiles a component binary, using all cores. Hostile input can make this take very long and use much
// memory: do it in a process of its own.
func (e *Engine) Compile(wasm []byte) (*Component, error) { return nil, errStub }

// Load maps compiled code, the bytes of [Component.Serialize], from a file. The file must not change while the
// component or an instance of it lives: replace it by rename. It is executed: its content must be trusted.
func (e *Engine) Load(path string) (*Component, error) { return nil, errStub }

// Component is compiled code. It is safe for concurrent use.
type Component struct{}

// Serialize returns the compiled code, for [Engine.Load].
func (c *Component) Serialize() ([]byte, error) { return nil, errStub }

// Close releases the component. Templates and instances made from it keep working.
func (c *Component) Close() {}

// WatToWasm translates the text format of a component or module to binary.
func WatToWasm(text string) ([]byte, error) { return nil, errStub }

// Linker holds what the host provides to guests. Define everything, then prepare templates; a linker must not be
// changed once a template was made from it.
type Linker struct{}

// NewLinker returns an empty linker.
func (e *Engine) NewLinker() *Linker { return &Linker{} }

// AddWASI provides the wasi:cli, io, clocks, random, filesystem and sockets interfaces, version 0.2. Guests have no
// files and no network; their environment, stdout and stderr are those of [InstanceConfig].
func (l *Linker) AddWASI() error { return errStub }

// Define provides a function of an interface, such as "wasi:logging/logging@0.1.0-draft"; the empty interface is
// the world itself.
func (l *Linker) Define(iface, name string, f HostFunc) error { return errStub }

// Close releases the linker. Templates and instances made with it keep working.
func (l *Linker) Close() {}

// HostFunc is a function that a guest calls. Calls come from the goroutine that called the guest, so several
// instances may call one HostFunc at once. An error that it returns traps the guest with that message, and the
// [Trap] wraps it. A panic becomes such an error. It must not call runtime.Goexit.
type HostFunc func(call *HostCall) error

// HostCall is one call of a [HostFunc]; it is valid until that returns.
type HostCall struct{}

// Data returns the Data of the instance's [InstanceConfig].
func (c *HostCall) Data() any { return nil }

// Args returns the arguments.
func (c *HostCall) Args() Values { return Values{} }

// Arena returns the arena that writes the result.
func (c *HostCall) Arena() *Arena { return nil }

// Result returns the value to be set where the function returns one. It panics if it returns none.
func (c *HostCall) Result() Value { return Value{} }

// Export names an exported function.
type Export struct {
	// Interface is the exported interface, such as "demo:orders/orders@1.2.0"; empty for a function that the world
	// itself exports.
	Interface string
	// Function is its name, in kebab case.
	Function string
}

// Template is a component with its imports provided and its exports resolved. It is safe for concurrent use.
type Template struct{}

// Prepare resolves exports; [Instance.Call] names them by their index in the slice.
func (l *Linker) Prepare(c *Component, exports []Export) (*Template, error) { return nil, errStub }

// Close releases the template. Instances made from it keep working.
func (t *Template) Close() {}

// InstanceConfig is what belongs to one instance.
type InstanceConfig struct {
	// Memory is up to how many bytes each linear memory may grow, Config.MaxMemory if 0.
	Memory uint64
	// Env is the environment, each entry "KEY=value". It needs AddWASI.
	Env []string
	// Stdout and Stderr get what the guest writes, on the goroutine that called it; nil drops it. They must not keep
	// the bytes.
	Stdout, Stderr func([]byte)
	// Data is what HostCall.Data returns.
	Data any
	// Interrupt stops the instance, if not nil.
	Interrupt *Interrupt
}

// Instance is a running component with a store of its own. It must not be used by two goroutines at once. After an
// error from Call it is dead and can only be closed.
type Instance struct{}

// NewInstance makes an instance and runs its start functions. To be closed with [Instance.Close].
func (t *Template) NewInstance(InstanceConfig) (*Instance, error) { return nil, errStub }

// Call calls the export with that index. The arguments are those of [Arena.Args]; nil is none. The error is a
// [*Trap] if the guest trapped, an [*Error] otherwise.
func (i *Instance) Call(export int, args *Arena) (*Result, error) { return nil, errStub }

// Close drops the instance.
func (i *Instance) Close() {}

// Result is what a call returned. It is valid until it is closed, even after its instance is.
type Result struct{}

// Value returns the value, and whether the function returns one.
func (r *Result) Value() (Value, bool) { return Value{}, false }

// Close frees the value.
func (r *Result) Close() {}

// Interrupt lets another goroutine stop a guest. One Interrupt serves one call at a time.
type Interrupt struct{}

// NewInterrupt returns an interrupt that is not cancelled, to be closed with [Interrupt.Close].
func NewInterrupt() *Interrupt { return &Interrupt{} }

// Cancel makes the guest trap, with [TrapInterrupted], at the next [Engine.Tick]. Only the first cause, which must not be 0,
// counts. Cancel may be called by any goroutine at any time, even after Close, when it does nothing.
func (i *Interrupt) Cancel(cause int32) {}

// Cause returns the cause of the first Cancel, 0 if there was none.
func (i *Interrupt) Cause() int32 { return 0 }

// Close gives the interrupt back once its instance is closed.
func (i *Interrupt) Close() {}

// TrapKind says why a guest trapped.
type TrapKind uint8

// Frame is one function of a guest's backtrace.
type Frame struct {
	// Module is the name of the core module, empty if it has none.
	Module string
	// Function is the demangled name of the function, empty if the binary has no name for it.
	Function string
	// Index is the function's index in its module, and Offset that of the instruction in the module's binary.
	Index  uint32
	Offset uint64
}

// Trap is the error of a call in which the guest trapped, or in which a [HostFunc] failed.
type Trap struct {
	Kind    TrapKind
	Message string
	// Frames is the guest's backtrace, innermost first.
	Frames []Frame
}

func (t *Trap) Error() string { return t.Message }

// Error is any failure of the engine that is no trap.
type Error struct {
	// Op is what was being done: "compile", "instantiate", "call".
	Op      string
	Message string
}

func (e *Error) Error() string { return "wasmtime: " + e.Op + ": " + e.Message }
