//go:build wasmtime_lts

package wasmtime

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The memories of TestResident: so much of each stays resident whatever there is, and up to four times that of those that have grown.
const (
	residentAlways = 512 << 10
	residentGrown  = 4 * residentAlways
	residentMemory = 2 * residentGrown
)

// writer prepares a function that writes to each of the first pages of its memory, in an engine that keeps little.
func writer(t *testing.T) *Template {
	t.Helper()
	e, err := NewEngine(Config{KeepResident: residentAlways})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return prepareOn(t, e, fmt.Sprintf(`(component
  (core module $m
    (memory %d)
    (func (export "run") (param $bytes i32) (result i64)
      (loop $again
        (local.set $bytes (i32.sub (local.get $bytes) (i32.const 4096)))
        (i32.store (local.get $bytes) (i32.const 7))
        (br_if $again (local.get $bytes)))
      (i64.const 1)))
  (core instance $i (instantiate $m))
  (func (export "run") (param "bytes" u32) (result u64) (canon lift (core func $i "run"))))`, residentMemory/wasmPage))
}

// write calls such a function in a new instance, which the caller closes.
func write(t *testing.T, tmpl *Template, bytes uint32) *Instance {
	t.Helper()
	i, err := tmpl.NewInstance(InstanceConfig{})
	if err != nil {
		t.Fatal(err)
	}
	a := NewArena()
	defer a.Free()
	a.SetU32(a.Args(1).At(0), bytes)
	r, err := i.Call(0, a)
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	return i
}

// TestResident expects what an instance wrote in a memory that has grown to be there for the next one, without page faults.
func TestResident(t *testing.T) {
	if !scansPagemap(t) {
		t.Skip("the kernel can't tell which pages were written")
	}
	tmpl := writer(t)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	faults := func() int64 {
		var usage unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_THREAD, &usage); err != nil {
			t.Fatal(err)
		}
		return usage.Minflt
	}
	for _, size := range []uint32{residentAlways / 2, residentGrown * 3 / 4} {
		write(t, tmpl, size).Close()
		before := faults()
		write(t, tmpl, size).Close()
		if got, pages := faults()-before, int64(size/4096); got > pages/8 {
			t.Errorf("%d page faults where %d pages were written before", got, pages)
		}
	}
}

// TestResidentInAll expects memories that are not in use to keep no more together than is said: what the process has less once
// their engine is gone. It stays on one thread, as the engine's pool gives each other slots.
func TestResidentInAll(t *testing.T) {
	const memories = 48
	idle := 0
	t.Run("idle", func(t *testing.T) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		tmpl := writer(t)
		for range 3 {
			var all []*Instance
			for range memories {
				all = append(all, write(t, tmpl, residentMemory))
			}
			for _, i := range all {
				i.Close()
			}
		}
		idle = resident(t)
	})
	const most = (memories + 15) * residentAlways
	if kept := idle - resident(t); kept > most {
		t.Errorf("%d KiB stayed resident of %d memories, want at most %d", kept>>10, memories, most>>10)
	}
}

// resident is how much memory the process has.
func resident(t *testing.T) int {
	t.Helper()
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// scansPagemap tells whether the kernel has PAGEMAP_SCAN: asked to scan nothing by an argument that is not there, it says so.
func scansPagemap(t *testing.T) bool {
	t.Helper()
	file, err := os.Open("/proc/self/pagemap")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	const pagemapScan = 0xc0606610
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, file.Fd(), pagemapScan, 0)
	return !errors.Is(errno, unix.ENOTTY)
}
