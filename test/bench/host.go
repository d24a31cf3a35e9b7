package main

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weft-run/weft/executor"
	receiptv1 "github.com/weft-run/weft/test/bench/proto/bench/receipt/v1"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/component"
	"github.com/weft-run/weft/wit/contract"
)

// The method that the function in every language has.
var receiptService, receiptMethod = receiptv1.Till_ServiceDesc.ServiceName, receiptv1.Till_ServiceDesc.Methods[0].MethodName

// host is an executor on its own, without a node around it.
type host struct {
	*executor.Executor

	message []byte
}

// newHost starts an executor with an empty cache.
func newHost(dir string) (*host, error) {
	message, err := proto.Marshal(receipt)
	if err != nil {
		return nil, err
	}
	x, err := executor.New(executor.Config{Dir: dir, FreshInstances: true})
	return &host{Executor: x, message: message}, err
}

// stop ends the executor, even if ctx has ended.
func (h *host) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return h.Close(ctx)
}

// key names a language's function.
func (c *implementation) key() executor.Key {
	return executor.Key{Namespace: "bench", Function: c.id, Revision: 1}
}

// typesOf gives a component's world, and binds what it exports to the contract that is made of it.
func typesOf(file, function string) (*wit.World, []*contract.Service, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	world, err := component.Decode(content)
	if err != nil {
		return nil, nil, err
	}
	built, err := contract.Build(contract.Input{Function: function, World: world})
	if err != nil {
		return nil, nil, err
	}
	return world, built.Services, nil
}

// compile is what it took to make a function ready.
type compile struct{ time, cpu time.Duration }

// load makes a language's function ready, of which nothing is in the cache. No other process of this one's may end meanwhile.
func (h *host) load(ctx context.Context, c *implementation) (compile, error) {
	world, services, err := typesOf(c.component, c.id)
	if err != nil {
		return compile{}, err
	}
	before, began := childrenCPU(), time.Now()
	err = h.Load(ctx, executor.Revision{Key: c.key(), Digest: c.digest, Path: c.component, World: world, Services: services})
	return compile{time.Since(began), childrenCPU() - before}, err
}

// childrenCPU is the processor time, user and system, of the processes that this one has waited for.
func childrenCPU() time.Duration {
	var usage syscall.Rusage
	// It fails only where the arguments are wrong.
	_ = syscall.Getrusage(syscall.RUSAGE_CHILDREN, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// call calls a language's function and returns how long that took, from the bytes of the request to those of the answer.
func (h *host) call(ctx context.Context, c *implementation) (time.Duration, error) {
	began := time.Now()
	response, err := h.Call(ctx, executor.Request{Key: c.key(), Service: receiptService, Method: receiptMethod, Message: h.message})
	took := time.Since(began)
	if err != nil {
		return 0, err
	}
	return took, checkMessage(response.Message)
}

// compileCold has an executor that knows nothing make a language's function ready.
func compileCold(ctx context.Context, c *implementation, dir string) (took compile, err error) {
	h, err := newHost(dir) //nolint:contextcheck // it ends with stop
	if err != nil {
		return took, err
	}
	defer func() { err = errors.Join(err, h.stop(ctx), os.RemoveAll(dir)) }()
	return h.load(ctx, c)
}
