package executor

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit/merge"
)

// childName is the name under which a compile child runs: os.Args[0], which no shell gives a program by accident.
const childName = "weft-compile"

// The exit statuses of a compile child, beside 0. What went wrong is on its stdout.
const (
	exitInvalid = 80 // the component does not compile
	exitFile    = 81 // a file can't be read or written
	exitFull    = 82 // the disk is full
)

// RunCompileChild does the work of a compile child and exits, if this process is one; otherwise it returns at once. It
// must be the first thing in main, and in TestMain of each package whose tests load components.
func RunCompileChild() {
	if len(os.Args) != 4 || os.Args[0] != childName {
		return
	}
	os.Exit(compileChild(os.Args[1], os.Args[2], os.Args[3], os.Stdout))
}

// compileChild compiles a component to a file, within a number of bytes of memory.
func compileChild(component, code, memory string, report io.Writer) (status int) {
	fail := func(status int, err error) int {
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			status = exitFull
		}
		if _, err := fmt.Fprint(report, err); err != nil {
			return exitFile
		}
		return status
	}
	limit, err := strconv.ParseUint(memory, 10, 64)
	if err != nil {
		return fail(exitFile, err)
	}
	if err := confine(limit); err != nil {
		return fail(exitFile, err)
	}
	wasm, err := os.ReadFile(component)
	if err != nil {
		return fail(exitFile, err)
	}
	engine, err := wasmtime.NewEngine(wasmtime.Config{Compiler: true})
	if err != nil {
		return fail(exitFile, err)
	}
	compiled, err := compileMerged(engine, wasm)
	if err != nil {
		return fail(exitInvalid, err)
	}
	out, err := compiled.Serialize()
	if err != nil {
		return fail(exitInvalid, err)
	}
	if err := writeFile(code, out); err != nil {
		return fail(exitFile, err)
	}
	return 0
}

// compiledForm says what is made of components before they are compiled. Another one has another name, so that no code of the one before is
// taken for it.
const compiledForm = "merged modules"

// compileMerged compiles a component with as few core modules as its work can be done with: an instance of each takes time in every call.
func compileMerged(engine *wasmtime.Engine, wasm []byte) (*wasmtime.Component, error) {
	if merged, err := merge.Component(wasm); err == nil {
		if c, err := engine.Compile(merged); err == nil {
			return c, nil
		}
	}
	return engine.Compile(wasm)
}

// confine limits what the process may use, and lets others go first.
func confine(memory uint64) error {
	// RLIMIT_DATA counts private memory that can be written. The address space has a limit as well, a wider one, as
	// threads and Go's runtime reserve much that they never use.
	for resource, limit := range map[int]uint64{unix.RLIMIT_DATA: memory, unix.RLIMIT_AS: memory + addressSlack,
		unix.RLIMIT_CORE: 0} {
		var now unix.Rlimit
		if err := unix.Getrlimit(resource, &now); err != nil {
			return err
		}
		limit = min(limit, now.Max)
		if err := unix.Setrlimit(resource, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
			return err
		}
	}
	return unix.Setpriority(unix.PRIO_PROCESS, 0, 10)
}

const addressSlack = 16 << 30

// writeFile writes a private file and waits until it is on disk.
func writeFile(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
