package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit/merge"
)

// sandbox is the kernels as a component, in an engine that is set up as weft's.
type sandbox struct {
	engine   *wasmtime.Engine
	template *wasmtime.Template
}

func newSandbox(file string, uninterruptible bool) (*sandbox, error) {
	wasm, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	s := &sandbox{}
	if s.engine, err = wasmtime.NewEngine(wasmtime.Config{MaxInstances: 1, Uninterruptible: uninterruptible}); err != nil {
		return nil, err
	}
	if err := s.prepare(wasm); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *sandbox) prepare(wasm []byte) error {
	if merged, err := merge.Component(wasm); err == nil { // as nodes compile it
		wasm = merged
	}
	compiled, err := s.engine.Compile(wasm)
	if err != nil {
		return err
	}
	defer compiled.Close()
	linker := s.engine.NewLinker()
	defer linker.Close()
	if err := linker.AddWASI(); err != nil {
		return err
	}
	s.template, err = linker.Prepare(compiled, []wasmtime.Export{{Interface: "bench:kernels/kernels@1.0.0", Function: "run"}})
	return err
}

// compute makes an instance, calls it and drops it, all of which is in the time.
func (s *sandbox) compute(k kernel) (digest uint64, took time.Duration, err error) {
	arena := wasmtime.NewArena()
	defer arena.Free()
	args := arena.Args(2)
	if err := arena.SetText(args.At(0), k.name); err != nil {
		return 0, 0, err
	}
	arena.SetU32(args.At(1), uint32(k.size))
	interrupt := wasmtime.NewInterrupt()
	defer interrupt.Close()

	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, err := threadCPU()
	if err != nil {
		return 0, 0, err
	}
	if digest, err = s.call(arena, interrupt, k); err != nil {
		return 0, 0, err
	}
	after, err := threadCPU()
	return digest, after - before, err
}

func (s *sandbox) call(arena *wasmtime.Arena, interrupt *wasmtime.Interrupt, k kernel) (uint64, error) {
	instance, err := s.template.NewInstance(wasmtime.InstanceConfig{Interrupt: interrupt})
	if err != nil {
		return 0, err
	}
	defer instance.Close()
	result, err := instance.Call(0, arena)
	if err != nil {
		return 0, err
	}
	defer result.Close()
	value, _ := result.Value()
	digest, known := value.Option()
	if !known {
		return 0, fmt.Errorf("the component has no kernel %s", k.name)
	}
	return digest.U64(), nil
}

// threadCPU is the processor time, user and system, that the calling thread has used: clock_gettime(2).
func threadCPU() (time.Duration, error) {
	var now unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now)
	return time.Duration(now.Nano()), err
}

func (s *sandbox) close() error {
	if s.template != nil {
		s.template.Close()
	}
	s.engine.Close()
	return nil
}
