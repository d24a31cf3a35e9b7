package guest

import (
	"context"
	"errors"
	"math"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/keyvalue"
)

func (g *Guests) increment(call *executor.HostCall) error {
	sum, err := g.add(call, call.Arg(2).S64())
	if err != nil {
		return fail(call.Result().Err(), err)
	}
	call.Result().OK().S64(sum)
	return nil
}

// incrementUnsigned is increment of 0.2.0-draft, whose numbers have no sign.
func (g *Guests) incrementUnsigned(call *executor.HostCall) error {
	delta := call.Arg(2).U64()
	if delta > math.MaxInt64 {
		return fail(call.Result().Err(), keyvalue.Refused("%d is more than can be added at once, %d", delta, int64(math.MaxInt64)))
	}
	sum, err := g.add(call, int64(delta))
	if err == nil && sum < 0 {
		err = keyvalue.Refused("the number was incremented and is %d, which this version of the interface has no place for", sum)
	}
	if err != nil {
		return fail(call.Result().Err(), err)
	}
	call.Result().OK().U64(uint64(sum))
	return nil
}

func (g *Guests) add(call *executor.HostCall, delta int64) (sum int64, err error) {
	b, key := bucketOf(call), call.Arg(1).Text()
	err = call.Wait(func(ctx context.Context) (err error) {
		sum, err = g.config.Store.Increment(ctx, b.Bucket, key, delta)
		return err
	})
	return sum, err
}

// cas is the resource of that name.
type cas struct {
	bucket keyvalue.Bucket
	key    string
	entry  keyvalue.Entry // its value is dropped if it is over keptValue
}

// keptValue is how large a value a handle keeps. A guest may have thousands of handles, so it is little; larger ones are
// read again when they are asked for.
const keptValue = 16 << 10

// look makes a handle of what a key has now.
func (g *Guests) look(call *executor.HostCall, b keyvalue.Bucket, key string) (*cas, error) {
	handle := &cas{bucket: b, key: key}
	err := call.Wait(func(ctx context.Context) (err error) {
		handle.entry, err = g.config.Store.Get(ctx, b, key)
		return err
	})
	if len(handle.entry.Value) > keptValue {
		handle.entry.Value = nil
	}
	return handle, err
}

func (g *Guests) newCAS(call *executor.HostCall) error {
	handle, err := g.look(call, bucketOf(call).Bucket, call.Arg(1).Text())
	if err != nil {
		return fail(call.Result().Err(), err)
	}
	return call.Result().OK().Resource(handle)
}

// current gives the value that the handle was made with. A large one is read again, and may be a newer one: then the swap
// will fail.
func (g *Guests) current(call *executor.HostCall) error {
	handle := call.Resource(0).(*cas)
	e := handle.entry
	if e.Exists() && e.Value == nil {
		err := call.Wait(func(ctx context.Context) (err error) {
			e, err = g.config.Store.Get(ctx, handle.bucket, handle.key)
			return err
		})
		if err != nil {
			return fail(call.Result().Err(), err)
		}
	}
	optional(call.Result().OK(), e)
	return nil
}

func (g *Guests) swap(call *executor.HostCall) error {
	handle := call.Resource(0).(*cas)
	value, err := valueOf(call.Arg(1), keyvalue.MaxValue)
	if err == nil {
		err = call.Wait(func(ctx context.Context) error {
			return g.config.Store.Swap(ctx, handle.bucket, handle.key, handle.entry.Version, value)
		})
	}
	if err == nil {
		call.Result().OK()
		return nil
	}
	if errors.Is(err, keyvalue.ErrChanged) {
		var fresh *cas
		if fresh, err = g.look(call, handle.bucket, handle.key); err == nil {
			return call.Result().Err().Case("cas-failed").Resource(fresh)
		}
	}
	return fail(call.Result().Err().Case("store-error"), err)
}
