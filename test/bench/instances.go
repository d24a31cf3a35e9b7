package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weft-run/weft/executor/transcode"
	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit/contract"
)

// live is what instances that stay cost: a process of its own makes them, as the executor drops its instances.
type live struct {
	Bytes int64         `json:"bytes"` // of memory for each
	Warm  time.Duration `json:"warm"`  // of a call of one that was called before
}

// measureLive has a process make instances of a language's function.
func measureLive(ctx context.Context, o options, h *host, c *implementation) (l live, err error) {
	code, _, _, ok := h.Code(c.digest)
	if !ok {
		return l, fmt.Errorf("%s: no compiled code", c.name)
	}
	self, err := os.Executable()
	if err != nil {
		return l, err
	}
	command := exec.CommandContext(ctx, self, instancesName, c.component, code, strconv.Itoa(o.instances), strconv.Itoa(o.calls))
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return l, err
	}
	return l, json.Unmarshal(out, &l)
}

// instancesName makes this program the process of measureLive.
const instancesName = "instances"

// runInstances is the process of measureLive.
func runInstances(args []string) error {
	if len(args) != 4 {
		return errors.New("usage: instances COMPONENT CODE INSTANCES CALLS")
	}
	count, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	calls, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	l, err := makeInstances(args[0], args[1], count, calls)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(l)
}

// makeInstances makes instances that have answered a call each, and reads the memory of the process before and after. The
// first one is there before: what all share is not counted.
func makeInstances(component, code string, count, calls int) (l live, err error) {
	m, err := newMaker(component, code)
	if err != nil {
		return l, err
	}
	defer m.close()
	if err := m.make(); err != nil {
		return l, err
	}
	before, err := proportional()
	if err != nil {
		return l, err
	}
	for range count {
		if err := m.make(); err != nil {
			return l, err
		}
	}
	after, err := proportional()
	if err != nil {
		return l, err
	}
	l.Bytes = (after - before) / int64(count)
	took := make([]float64, calls)
	for i := range took {
		began := time.Now()
		response, err := m.call(m.instances[0])
		took[i] = float64(time.Since(began))
		if err := errors.Join(err, checkMessage(response)); err != nil {
			return l, err
		}
	}
	l.Warm = time.Duration(median(took))
	return l, nil
}

// maker makes instances of one component, as the executor does.
type maker struct {
	engine    *wasmtime.Engine
	template  *wasmtime.Template
	plans     *transcode.Plans
	plan      *transcode.Plan
	message   []byte
	instances []*wasmtime.Instance
}

func newMaker(file, code string) (*maker, error) {
	_, bound, err := typesOf(file, "bench")
	if err != nil {
		return nil, err
	}
	message, err := proto.Marshal(receipt)
	if err != nil {
		return nil, err
	}
	m := &maker{message: message}
	if m.engine, err = wasmtime.NewEngine(wasmtime.Config{}); err != nil {
		return nil, err
	}
	if err := m.prepare(bound, code); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

func (m *maker) prepare(bound []*contract.Service, code string) error {
	compiled, err := m.engine.Load(code)
	if err != nil {
		return err
	}
	defer compiled.Close()
	linker := m.engine.NewLinker()
	defer linker.Close()
	if err := linker.AddWASI(); err != nil {
		return err
	}
	for _, s := range bound {
		for _, method := range s.Methods {
			if s.Name != receiptService || method.Name != receiptMethod {
				continue
			}
			if m.plans, err = transcode.New(bound); err != nil {
				return err
			}
			m.plan = m.plans.Method(s.Name, method.Name)
			m.template, err = linker.Prepare(compiled, []wasmtime.Export{{Interface: s.Interface, Function: method.Function.Name}})
			return err
		}
	}
	return fmt.Errorf("the component does not export %s/%s", receiptService, receiptMethod)
}

// make makes one more instance, and calls it.
func (m *maker) make() error {
	instance, err := m.template.NewInstance(wasmtime.InstanceConfig{})
	if err != nil {
		return err
	}
	m.instances = append(m.instances, instance)
	response, err := m.call(instance)
	return errors.Join(err, checkMessage(response))
}

// call calls an instance, from the bytes of the request to those of the answer.
func (m *maker) call(instance *wasmtime.Instance) ([]byte, error) {
	arena := wasmtime.NewArena()
	defer arena.Free()
	if _, err := m.plan.Decode(m.message, arena); err != nil {
		return nil, err
	}
	result, err := instance.Call(0, arena)
	if err != nil {
		return nil, err
	}
	defer result.Close()
	value, _ := result.Value()
	return m.plan.Encode(value, 1<<20)
}

func (m *maker) close() {
	for _, instance := range m.instances {
		instance.Close()
	}
	if m.template != nil {
		m.template.Close()
	}
	if m.plans != nil {
		m.plans.Close()
	}
	m.engine.Close()
}

// proportional is the resident memory of this process in bytes, where a page that is mapped several times counts once: Pss of
// smaps_rollup, proc_pid_smaps(5). Instances share the pages of their initial memory until they write to them.
func proportional() (int64, error) {
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		return 0, err
	}
	return kilobytes(string(text), "Pss:")
}
