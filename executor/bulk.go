package executor

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/weft-run/weft/executor/transcode"
	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit/compose"
	"github.com/weft-run/weft/wit/contract"
	"github.com/weft-run/weft/wit/merge"
	"github.com/weft-run/weft/wit/transcoder"
)

// bulk is the second form of a component: with a transcoder around it, so that only bytes cross between Go and the sandbox. It is
// made once the revision is loaded, and takes the calls with large messages from then on.
type bulk struct {
	component *wasmtime.Component
	template  *wasmtime.Template
	pool      *pool
	// exports are those of the template, for methods that it has.
	exports map[*method]bulkExport
	// own is where in its binary the component is.
	own  compose.Placed
	code int64
}

// bulkExport is a function of the second form that answers a method.
type bulkExport struct {
	index int
	// gains is set if large messages of the method alone are a reason to call it.
	gains bool
}

func (b *bulk) close() {
	b.pool.close()
	b.template.Close()
	b.component.Close()
}

const (
	// bulkFrom is the size of a request or a response, in bytes, from which the transcoder is faster: an instance of a
	// composition takes longer to make.
	bulkFrom = 256
	// bulkMemory is how much of the memory limit a message may take: request, arguments, result and response are in one memory, of
	// which the transcoder's own lists take 8 times the request at most.
	bulkMemory = 16
	// maxBulk is the size of the largest component, in bytes, that is compiled a second time. Those with an interpreter inside are
	// larger: their compile takes seconds of all cores, and nearly all of a call's time is theirs.
	maxBulk = 8 << 20
	// directWorth is how many times as long it takes to pass on a byte of an import's message as values as it takes to have a
	// transcoder pass on one of a request that could go directly.
	directWorth = 16
	// bulkStart is the size of the transcoder's memory at first, in bytes. What is not touched costs nothing, and to grow takes a call
	// of the kernel for each 64 KiB, and another when the memory is given back.
	bulkStart = 4 << 20
)

// makeBulk begins to make the second form of a revision, where the engine has what it takes. x.loading is held.
func (x *Executor) makeBulk(r Revision, rev *revision) {
	if !wasmtime.HasBytes {
		return
	}
	rev.retain()
	x.bulks.Go(func() {
		defer rev.release()
		x.addBulk(r, rev)
	})
}

// addBulk makes the second form of a revision, if it can have one.
func (x *Executor) addBulk(r Revision, rev *revision) {
	b, err := x.bulk(x.stopping, r, rev)
	switch {
	case err == nil:
		x.code.Add(b.code)
		rev.bulk.Store(b)
		x.metrics.bulk.WithLabelValues("ok").Inc()
		x.config.Transcoded(rev.key, nil)
	case errors.Is(err, transcoder.ErrNone), isContext(err): // nothing went wrong
	default:
		x.metrics.bulk.WithLabelValues("error").Inc()
		rev.journal.weft("", "info", fmt.Sprintf("large messages take the plain path: %v", err))
		x.config.Transcoded(rev.key, err)
	}
}

// makeBulkLater has the second form made when the first large message comes. A revision that was loaded again for a call is
// needed at once, and most never have one.
func (x *Executor) makeBulkLater(r Revision, rev *revision) {
	if !wasmtime.HasBytes {
		return
	}
	begin := func() {
		x.loading.Lock()
		defer x.loading.Unlock()
		if !x.closed {
			x.makeBulk(r, rev)
		}
	}
	rev.later.Store(&begin)
}

// overflow takes note that a job's result, or what its guest passed to an import, had too many values to be unfolded. That call has
// failed, as its function can't be called again. Those that follow take the transcoder, whatever the size of their messages, also when the revision is loaded again.
func (x *Executor) overflow(j *job) {
	j.method.overflows.Store(true)
	if p := x.resident(j.rev.key); p != nil {
		p.overflows.Store(j.method.name, true)
	}
	j.rev.wantBulk()
}

// overflowed tells whether a revision has methods with such results, and has its second form take their calls.
func (p *resident) overflowed(rev *revision) (some bool) {
	for _, methods := range rev.methods {
		for _, m := range methods {
			if _, ok := p.overflows.Load(m.name); ok {
				m.overflows.Store(true)
				some = true
			}
		}
	}
	return some
}

// wantBulk begins to make the second form, if that was put off. The caller has a reference.
func (r *revision) wantBulk() {
	if r.later.Load() == nil {
		return
	}
	if begin := r.later.Swap(nil); begin != nil {
		(*begin)()
	}
}

// bulk makes the second form of a revision.
func (x *Executor) bulk(ctx context.Context, r Revision, rev *revision) (_ *bulk, err error) {
	t, err := newTranscoder(r, rev.limits, rev.plans, rev.imports)
	if err != nil {
		return nil, err
	}
	component, err := os.ReadFile(r.Path)
	if err != nil {
		return nil, err
	}
	if merged, err := merge.Component(component); err == nil {
		component = merged
	}
	c, err := t.Around(compose.Part{Name: rev.key.Function, Component: component, World: r.World, Once: r.Reuse <= 1})
	if err != nil {
		return nil, err
	}
	parts, err := compose.Read(c.Bytes())
	if err != nil {
		return nil, err
	}
	path, size, err := x.compiledBulk(ctx, r.Digest, c)
	if err != nil {
		return nil, err
	}
	b := &bulk{exports: make(map[*method]bulkExport), own: parts[1], code: size}
	if b.component, err = x.engine.Load(path); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			b.component.Close()
		}
	}()
	linker, err := x.linker(r, rev.imports, t)
	if err != nil {
		return nil, err
	}
	defer linker.Close()
	b.template, err = linker.Prepare(b.component, b.bind(r.Services, rev, t))
	b.pool = &pool{all: x.pools, rev: rev, template: b.template, path: path}
	return b, err
}

// bind lists the functions of the transcoder, and says which method each answers.
func (b *bulk) bind(services []*contract.Service, rev *revision, t *transcoder.Transcoder) []wasmtime.Export {
	var exports []wasmtime.Export
	for _, s := range services {
		for _, m := range s.Methods {
			if name := t.Export(m); name != "" {
				own := rev.method(s.Name, m.Name)
				own.returned.Store(bulkFrom) // as long as nobody knows
				own.imported.Store(bulkFrom)
				b.exports[own] = bulkExport{len(exports), !own.direct && transcoder.Gains(m)}
				exports = append(exports, wasmtime.Export{Function: name})
			}
		}
	}
	return exports
}

// compiledBulk gives the compiled code of a composition with a component, which is cached by its digest like that of any component.
func (x *Executor) compiledBulk(ctx context.Context, component [32]byte, c *compose.Composition) (path string, size int64, err error) {
	h := sha256.New()
	if _, err := io.Copy(h, c.Reader()); err != nil {
		return "", 0, err
	}
	digest := [32]byte(h.Sum(nil))
	if path, size, err = x.cache.find(digest); err != nil || path != "" {
		return path, size, err
	}
	f, err := os.CreateTemp(x.cache.home, "*.wasm"+temporary)
	if err != nil {
		return "", 0, err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = io.Copy(f, c.Reader())
	if err = errors.Join(err, f.Close()); err != nil {
		return "", 0, err
	}
	if path, size, err = x.compiled(ctx, digest, f.Name()); err != nil {
		return "", 0, err
	}
	path, err = x.cache.made(path, digest, component)
	return path, size, err
}

// takesBulk gives the form that is to answer a job, nil for the plain path: that with the transcoder if the request is large, or
// the last response was, or what its guest passed on in calls of its own, or if the plain path once failed.
func (j *job) takesBulk() (b *bulk, export int) {
	m := j.method
	imported := m.imported.Load()
	large := imported >= bulkFrom && (!m.direct || imported >= int64(len(j.message)/directWorth))
	overflows := m.overflows.Load()
	own := !m.direct && (len(j.message) >= bulkFrom || m.returned.Load() >= bulkFrom)
	if b = j.rev.bulk.Load(); b == nil {
		if large || own || overflows {
			j.rev.wantBulk()
		}
		return nil, 0
	}
	e, ok := b.exports[m]
	if ok && (large || overflows || own && e.gains) {
		return b, e.index
	}
	return nil, 0
}

// runBulk answers a job through the transcoder. It is false where that leaves the request to the plain path: the function was
// not called. Large is that of callBytes.
func (x *Executor) runBulk(j *job, b *bulk, export int, argument []byte) (answered, large bool) {
	j.form = b
	defer func() { j.form = nil }()
	answered = true
	large = x.callBytes(j, b.pool, export, wasmtime.ReturnsBytes, [][]byte{argument}, func(result *wasmtime.Bytes) {
		answer := result.Value()
		switch {
		case len(answer) == 0:
			j.answer(nil, &Error{Reason: Internal, Message: j.method.name + ": the transcoder gave no answer"})
		case answer[0] == transcoder.Refused:
			x.metrics.bulkCalls.WithLabelValues("refused").Inc()
			answered = false
		default:
			x.metrics.bulkCalls.WithLabelValues("answered").Inc()
			j.answerBulk(answer[0], append([]byte(nil), answer[1:]...))
		}
	})
	return answered, large
}

// answerBulk answers a job with what the transcoder wrote: the response, or the detail of a failure.
func (j *job) answerBulk(kind byte, message []byte) {
	j.method.returned.Store(int64(len(message)))
	var err error
	switch {
	case uint64(len(message)) > j.rev.limits.Message:
		err = transcode.ErrTooLarge
	case kind == transcoder.Failed:
		err = j.method.plan.Failed(message)
	}
	if err != nil {
		message = nil
	}
	j.answer(message, j.encodeError(err))
}
