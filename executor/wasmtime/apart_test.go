package wasmtime

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/weft-run/weft/wit"
)

// callApart calls export 0 of a new instance with a string, on a thread of its own, and gives the string that it returns.
func callApart(t *testing.T, tmpl *Template, config InstanceConfig, s string) (string, error) {
	t.Helper()
	i, err := tmpl.NewInstance(config)
	if err != nil {
		return "", err
	}
	defer i.Close()
	a := NewArena()
	defer a.Free()
	if err := a.SetString(a.Args(1).At(0), []byte(s)); err != nil {
		return "", err
	}
	r, err := i.CallApart(0, a)
	if err != nil {
		return "", err
	}
	defer r.Close()
	v, _ := r.Value()
	return string(v.Bytes()), nil
}

// TestCallApart makes calls apart, many at once, whose guests call Go; some of them fail.
func TestCallApart(t *testing.T) {
	refused := errors.New("refused")
	tmpl := prepare(t, echo(&wit.Type{Kind: wit.String}), map[string]HostFunc{"f": func(c *HostCall) error {
		switch s := string(c.Args().At(0).Bytes()); {
		case strings.HasPrefix(s, "refuse"):
			return refused
		case strings.HasPrefix(s, "panic"):
			panic(s)
		default:
			return c.Arena().SetString(c.Result(), []byte("got "+s))
		}
	}}, "run")
	var callers sync.WaitGroup
	for n := range 32 {
		callers.Go(func() {
			for k := range 20 {
				text := fmt.Sprint("call ", n, " ", k)
				if got, err := callApart(t, tmpl, InstanceConfig{}, text); err != nil || got != "got "+text {
					t.Errorf("%q, %v", got, err)
				}
			}
			if _, err := callApart(t, tmpl, InstanceConfig{}, "refuse"); !errors.Is(err, refused) {
				t.Errorf("%v where the host refuses", err)
			}
			if _, err := callApart(t, tmpl, InstanceConfig{}, "panic"); trapOf(t, err).Kind != TrapHost {
				t.Errorf("%v where the host panics", err)
			}
		})
	}
	callers.Wait()
}

// TestCallApartInterrupt pauses and cancels a guest apart, and looks at what it uses.
func TestCallApartInterrupt(t *testing.T) {
	tmpl := prepare(t, core(spinner), nil, "run")
	it := NewInterrupt()
	defer it.Close()
	it.Measure()
	i := instance(t, tmpl, InstanceConfig{Interrupt: it})
	started := it.Used()
	ended := make(chan error, 1)
	go func() {
		_, err := i.CallApart(0, nil)
		ended <- err
	}()
	tickUntil(t, func() bool { return it.Used() > started+time.Millisecond })
	if trap := stopped(t, it, ended); trap.Kind != TrapInterrupted {
		t.Error(trap)
	}
	if used := it.Used(); used < time.Millisecond || it.Used() != used {
		t.Errorf("it has used %v when it has ended, and then %v", used, it.Used())
	}
}

// TestUsed looks at what a guest uses that is measured only later, and a thread that burns and one that sleeps.
func TestUsed(t *testing.T) {
	it := NewInterrupt()
	defer it.Close()
	i := instance(t, prepare(t, core(spinner), nil, "run"), InstanceConfig{Interrupt: it})
	ended := make(chan struct{})
	go func() {
		_, _ = i.Call(0, nil)
		close(ended)
	}()
	testEngine().Tick()
	if used := it.Used(); used != 0 {
		t.Errorf("%v without Measure", used)
	}
	it.Measure()
	tickUntil(t, func() bool { return it.Used() > time.Millisecond })
	it.Cancel(1)
	tickUntil(t, func() bool {
		select {
		case <-ended:
			return true
		default:
			return false
		}
	})
	if used := it.Used(); used < time.Millisecond {
		t.Errorf("%v when it has ended", used)
	}

	const while = 20 * time.Millisecond
	uses := func(f func()) time.Duration {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		before, ok := threadTime(unix.Gettid())
		f()
		after, still := threadTime(unix.Gettid())
		if !ok || !still {
			t.Error("it can't be told what the thread of the test has used")
		}
		return after - before
	}
	if used := uses(func() {
		for begin := time.Now(); time.Since(begin) < while; {
			runtime.Gosched()
		}
	}); used <= 0 || used > time.Minute {
		t.Errorf("what burns for %v has used %v", while, used)
	}
	if used := uses(func() { time.Sleep(while) }); used >= while {
		t.Errorf("what sleeps for %v has used %v", while, used)
	}
	if _, ok := threadTime(1 << 22); ok { // more than the kernel's PID_MAX_LIMIT
		t.Error("a thread that is none has used something")
	}
}
