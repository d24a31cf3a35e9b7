package executor

import (
	"github.com/weft-run/weft/executor/transcode"
	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit/contract"
)

// isDirect tells whether a method has nothing but bytes, and the engine can call it with them.
func isDirect(plans *transcode.Plans, s *contract.Service, m *contract.Method) bool {
	_, direct := plans.Method(s.Name, m.Name).Returns()
	return direct && wasmtime.HasBytes
}

// runDirect answers a job whose method is direct: bytes go to the guest and come back as they are. The caller may leave meanwhile, as the
// guest may already run. It tells whether what crossed was large, but for the request.
func (x *Executor) runDirect(j *job) (large bool) {
	plan := j.method.plan
	message, release := j.keep()
	defer release()
	args, err := plan.Arguments(message)
	if err != nil {
		j.answer(nil, &Error{Reason: MalformedRequest, Message: err.Error(), Err: err})
		return false
	}
	returns, _ := plan.Returns()
	return x.callBytes(j, j.rev.pool, j.method.export, returns, args, func(result *wasmtime.Bytes) {
		response, err := plan.Answer(result.Value(), result.Failed(), int(j.rev.limits.Message))
		j.answer(response, j.encodeError(err))
	})
}

// callBytes takes an instance, calls it with bytes, passes what it returned to answer, which answers the job, and drops the instance
// unless it may be called again. It tells whether what crossed was large, but for the arguments.
func (x *Executor) callBytes(j *job, p *pool, export int, returns wasmtime.Returns, args [][]byte,
	answer func(*wasmtime.Bytes)) (large bool) {
	in := x.guestCall(j)
	defer in.end(&large)
	if !in.take(p) {
		return false
	}
	call := in.instance.CallBytes
	if j.apart {
		call = in.instance.CallBytesApart
	}
	result, err := call(export, returns, args...)
	in.called()
	if err != nil {
		j.answer(nil, x.guestError(j, &in.out, err, ""))
		return false
	}
	defer result.Close()
	in.keep(p)
	answer(result)
	return len(result.Value()) >= largeMessage
}
