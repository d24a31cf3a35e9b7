package main

import (
	"context"
	"errors"
	"os"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weft-run/weft/executor"
	receiptv1 "github.com/weft-run/weft/test/bench/proto/bench/receipt/v1"
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
	x, err := executor.New(executor.Config{Dir: dir})
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

// services binds what a component exports to the contract that is made of it.
func services(file, function string) ([]*contract.Service, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	world, err := component.Decode(content)
	if err != nil {
		return nil, err
	}
	built, err := contract.Build(contract.Input{Function: function, World: world})
	if err != nil {
		return nil, err
	}
	return built.Services, nil
}

// load makes a language's function ready and returns how long that took: nothing of it is in the cache.
func (h *host) load(ctx context.Context, c *implementation) (time.Duration, error) {
	services, err := services(c.component, c.id)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	err = h.Load(ctx, executor.Revision{Key: c.key(), Digest: c.digest, Path: c.component, Services: services})
	return time.Since(began), err
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

// compileCold is how long an executor that knows nothing takes until a language's function is ready.
func compileCold(ctx context.Context, c *implementation, dir string) (took time.Duration, err error) {
	h, err := newHost(dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, h.stop(ctx), os.RemoveAll(dir)) }()
	return h.load(ctx, c)
}
