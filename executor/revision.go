package executor

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync/atomic"

	"github.com/weft-run/weft/executor/transcode"
	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
	"github.com/weft-run/weft/wit/transcoder"
)

// revision is a loaded revision. It is freed when it is unloaded and its last call has ended.
type revision struct {
	key     Key
	limits  Limits
	env     []string // "NAME=VALUE", ordered
	methods map[string]map[string]*method
	parts   []Part

	variables map[string]string // what env is made of

	component *wasmtime.Component
	template  *wasmtime.Template
	pool      *pool
	plans     *transcode.Plans
	imports   *transcode.Plans

	// bulk is the form with a transcoder, once it is made, and later begins to make it if that was put off.
	bulk  atomic.Pointer[bulk]
	later atomic.Pointer[func()]

	line    *line
	journal *journal
	metrics *callMetrics
	reuse   int   // calls that an instance may answer
	code    int64 // bytes of compiled code
	grown   int64 // bytes that it is taken to need besides (residency.grow), guarded by residency.mu
	counted bool  // by the residency, guarded by its mu

	refs  atomic.Int64 // its resident's and one of each call
	used  atomic.Int64 // when it was last called, Unix nanoseconds
	freed func()
}

// retain keeps the revision for one more user; the caller has a reference already.
func (r *revision) retain() { r.refs.Add(1) }

// tryRetain is retain for a caller without a reference. It is false if the revision is gone.
func (r *revision) tryRetain() bool {
	for {
		n := r.refs.Load()
		if n == 0 {
			return false
		}
		if r.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (r *revision) release() {
	if r.refs.Add(-1) > 0 {
		return
	}
	r.close()
}

func (r *revision) close() {
	if r.pool != nil {
		r.pool.close()
	}
	r.freed()
	r.journal.close()
	if b := r.bulk.Load(); b != nil {
		b.close()
	}
	if r.template != nil {
		r.template.Close()
	}
	if r.component != nil {
		r.component.Close()
	}
	for _, plans := range []*transcode.Plans{r.plans, r.imports} {
		if plans != nil {
			plans.Close()
		}
	}
}

// method gives a method, nil if there is none of that name.
func (r *revision) method(service, name string) *method { return r.methods[service][name] }

// unknown says what the revision has instead of a method.
func (r *revision) unknown(service, name string) string {
	methods, ok := r.methods[service]
	if !ok {
		return fmt.Sprintf("%s has no service %s; it has %s", r.key, service, listText(r.methods))
	}
	return fmt.Sprintf("%s has no method %s in %s; it has %s", r.key, name, service, listText(methods))
}

// listText lists the keys of a map, ten at most.
func listText[V any](m map[string]V) string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	if len(names) == 0 {
		return "none"
	}
	if len(names) > 10 {
		names = append(names[:10], "…")
	}
	return strings.Join(names, ", ")
}

// guestCall is what host functions know of the call that a guest works on.
type guestCall struct {
	x   *Executor
	job *job
	out output
	// instance is nil while it is made, calls is how many it has answered before, and kept is set when it waits for another one.
	// Those that are displaced gave way to it then.
	instance  *wasmtime.Instance
	calls     int
	kept      bool
	displaced []seat
	// restorable is set where a new instance is to be one that can be restored, and restores is where it is to be when the call has ended.
	restorable bool
	restores   *pool
	result     *wasmtime.Result // of the plain path, nil if there is none
	// large is set when the guest was given large values.
	large bool
	// imported is how many bytes of messages a transcoder would have passed on in the calls that the guest made, and last what the last
	// one that it did pass on brought.
	imported int
	last     *transcodedReply
}

// guestCall begins the work of a guest on a job, to be ended with end.
func (x *Executor) guestCall(j *job) *guestCall {
	return &guestCall{x: x, job: j, out: newOutput(j.rev.journal, j.callID)}
}

// take takes an instance. It is false if there is none; then the job is answered.
func (in *guestCall) take(p *pool) bool {
	i, calls, err := p.take(in)
	if err != nil {
		in.job.answer(nil, in.x.guestError(in.job, &in.out, err, "while it started"))
		return false
	}
	in.instance, in.calls = i, calls
	return true
}

// keep has the instance wait for another call, if it may answer one. As it is, it does so before the caller has its answer: who calls
// again finds it. It is put back to what it was like when the caller has it.
func (in *guestCall) keep(p *pool) {
	if in.displaced, in.kept = p.keep(in.instance, in.calls); !in.kept && in.instance.Restores() {
		in.restores = p
	}
}

// end drops the instance, or if that is kept those that gave way to it. It sets large if the guest was given large values.
func (in *guestCall) end(large *bool) {
	if in.restores != nil {
		in.displaced, in.kept = in.restores.restore(in.instance, in.result)
		in.result = nil
	}
	drop(in.displaced)
	switch {
	case in.instance != nil && !in.kept:
		in.instance.CloseWith(in.result)
	case in.result != nil:
		in.result.Close()
	}
	*large = *large || in.large
	in.out.close()
}

// called takes note of what the guest passed on while it was called. That is before the caller has its answer, as in keep.
func (in *guestCall) called() {
	if size := int64(in.imported); in.job.method.imported.Load() != size {
		in.job.method.imported.Store(size)
	}
}

// instantiate makes an instance of one of the revision's templates, for one call.
func (r *revision) instantiate(t *wasmtime.Template, in *guestCall) (*wasmtime.Instance, error) {
	config := wasmtime.InstanceConfig{
		Memory:     r.limits.Memory,
		Data:       in,
		Interrupt:  in.job.interrupt,
		Restorable: in.restorable,
	}
	config.Outer = in.outer()
	return t.NewInstance(config)
}

// outer is the instance that waits for this one on the same thread, nil if there is none.
func (in *guestCall) outer() *wasmtime.Instance {
	if in.job.outer == nil {
		return nil
	}
	return in.job.outer.instance
}

// prepare makes a revision out of a component: plans and links. Lines that it prints go to log.
func (x *Executor) prepare(r Revision, path string, code int64, log func(Line)) (_ *revision, err error) {
	rev := &revision{
		key: r.Key, parts: r.Parts, limits: r.Limits.withDefaults(), reuse: r.Reuse, code: code,
		methods: make(map[string]map[string]*method),
	}
	rev.refs.Store(1)
	x.code.Add(code)
	rev.line = x.queue.join(function{r.Namespace, r.Function}, rev.limits)
	rev.freed = func() {
		x.queue.leave(rev.line)
		if b := rev.bulk.Load(); b != nil {
			x.code.Add(-b.code)
		}
		x.code.Add(-code)
	}
	rev.journal = newJournal(r.Key, log, func(n int) { x.metrics.dropped.Add(float64(n)) })
	rev.variables = r.Environment
	for k, v := range r.Environment {
		rev.env = append(rev.env, k+"="+v)
	}
	slices.Sort(rev.env)
	defer func() {
		if err != nil {
			rev.close()
		}
	}()
	if rev.limits.Memory > maxMemory {
		return nil, &Error{Reason: MemoryLimit, Message: fmt.Sprintf("%s: a memory limit of %s; this node allows %s", r.Key,
			sizeText(rev.limits.Memory), sizeText(maxMemory))}
	}
	if rev.limits.Message > maxMessage {
		return nil, &Error{Reason: RequestTooLarge, Message: fmt.Sprintf("%s: a message limit of %s; this node allows %s", r.Key,
			sizeText(rev.limits.Message), sizeText(maxMessage))}
	}
	if rev.component, err = x.engine.Load(path); err != nil {
		return nil, &refusedCode{path, err}
	}
	if rev.plans, err = transcode.New(r.Services); err != nil {
		return nil, &Error{Reason: Internal, Message: fmt.Sprintf("%s: %v", r.Key, err), Err: err}
	}
	if rev.imports, err = transcode.New(r.Imports); err != nil {
		return nil, &Error{Reason: Internal, Message: fmt.Sprintf("%s: imports: %v", r.Key, err), Err: err}
	}
	if len(r.Imports) > 0 && x.config.Outgoing == nil {
		return nil, unsupported("%s: import %s: this node makes no calls for functions", r.Key, r.Imports[0].Interface)
	}
	linker, err := x.linker(r, rev.imports, nil)
	if err != nil {
		return nil, &Error{Reason: Internal, Message: fmt.Sprintf("%s: %v", r.Key, err), Err: err}
	}
	defer linker.Close()
	if rev.template, err = linker.Prepare(rev.component, rev.bind(r.Services)); err != nil {
		return nil, &Error{Reason: Unsupported, Message: fmt.Sprintf("%s: %v", r.Key, err), Err: err}
	}
	rev.pool = &pool{all: x.pools, rev: rev, template: rev.template, path: path}
	return rev, nil
}

// bind lists the functions that callers reach, and makes the table of methods on the way.
func (r *revision) bind(services []*contract.Service) []wasmtime.Export {
	var exports []wasmtime.Export
	for _, s := range services {
		methods := make(map[string]*method, len(s.Methods))
		for _, m := range s.Methods {
			methods[m.Name] = &method{name: s.Name + "/" + m.Name, export: len(exports), plan: r.plans.Method(s.Name, m.Name),
				direct: isDirect(r.plans, s, m)}
			exports = append(exports, wasmtime.Export{Interface: s.Interface, Function: m.Function.Name})
		}
		r.methods[s.Name] = methods
	}
	return exports
}

// linker makes what the revision's imports are linked with, and what its transcoder imports, if there is one.
func (x *Executor) linker(r Revision, imports *transcode.Plans, t *transcoder.Transcoder) (*wasmtime.Linker, error) {
	l := x.engine.NewLinker()
	var err error
	if r.World != nil {
		err = errors.Join(err, x.linkHosts(l, slices.DeleteFunc(slices.Clone(r.World.Imports), func(i *wit.Interface) bool {
			return isBound(i, r.Imports)
		})))
	}
	for _, s := range r.Imports {
		for _, m := range s.Methods {
			c := &callee{x: x, iface: s.Interface, service: s.Name, method: m.Name, returns: m.Function.Result != nil,
				fallible: m.Fallible, plan: imports.Method(s.Name, m.Name)}
			err = errors.Join(err, c.define(l, s, m, imports, t))
		}
	}
	if t != nil {
		err = errors.Join(err, l.DefineBytes(transcoder.Host, transcoder.Again, 0, wasmtime.ReturnsEither, again))
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}
