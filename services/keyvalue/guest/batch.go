package guest

import (
	"context"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/keyvalue"
)

// valueOf reads a list<u8> of at most limit bytes; a longer one is not copied.
func valueOf(arg executor.Value, limit int) ([]byte, error) {
	if n := arg.List().Len(); n > limit {
		return nil, keyvalue.Refused("the value has %d bytes; it may have %d", n, limit)
	}
	return arg.U8s(nil), nil
}

// many reads a list whose elements are keys, or have keys; a longer one than a batch may be is not read.
func many[T any](arg executor.Value, read func(executor.Value) (T, error)) ([]T, error) {
	list := arg.List()
	if list.Len() > keyvalue.MaxBatch {
		return nil, keyvalue.Refused("the batch has %d keys; it may have %d", list.Len(), keyvalue.MaxBatch)
	}
	all := make([]T, list.Len())
	for i := range all {
		var err error
		if all[i], err = read(list.At(i)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func keysOf(arg executor.Value) ([]string, error) {
	return many(arg, func(v executor.Value) (string, error) { return v.Text(), nil })
}

func (g *Guests) setMany(call *executor.HostCall) error {
	b, left := bucketOf(call), keyvalue.MaxBatchBytes
	pairs, err := many(call.Arg(1), func(v executor.Value) (p keyvalue.Pair, err error) {
		p.Key = v.Tuple().At(0).Text()
		if p.Value, err = valueOf(v.Tuple().At(1), keyvalue.MaxValue); err != nil {
			return p, err
		}
		if left -= len(p.Value); left < 0 {
			return p, keyvalue.Refused("the values of a batch may have %d bytes together", keyvalue.MaxBatchBytes)
		}
		return p, nil
	})
	if err != nil {
		return done(call, err)
	}
	return done(call, call.Wait(func(ctx context.Context) error { return g.config.Store.SetMany(ctx, b.Bucket, pairs) }))
}

func (g *Guests) deleteMany(call *executor.HostCall) error {
	b := bucketOf(call)
	keys, err := keysOf(call.Arg(1))
	if err != nil {
		return done(call, err)
	}
	return done(call, call.Wait(func(ctx context.Context) error { return g.config.Store.DeleteMany(ctx, b.Bucket, keys) }))
}

// entries looks keys up.
func (g *Guests) entries(call *executor.HostCall) (keys []string, entries []keyvalue.Entry, err error) {
	b := bucketOf(call)
	if keys, err = keysOf(call.Arg(1)); err != nil {
		return nil, nil, err
	}
	err = call.Wait(func(ctx context.Context) (err error) {
		entries, err = g.config.Store.GetMany(ctx, b.Bucket, keys)
		return err
	})
	return keys, entries, err
}

// getPairs is get-many of 0.2.0-draft.
func (g *Guests) getPairs(call *executor.HostCall) error {
	keys, entries, err := g.entries(call)
	if err != nil {
		return fail(call.Result().Err(), err)
	}
	list := call.Result().OK().List(len(keys))
	for i, e := range entries {
		if !e.Exists() {
			list.At(i).None()
			continue
		}
		pair := list.At(i).Some().Tuple()
		pair.At(0).Text(keys[i])
		pair.At(1).Bytes(e.Value)
	}
	return nil
}

// getValues is get-many of draft2.
func (g *Guests) getValues(call *executor.HostCall) error {
	keys, entries, err := g.entries(call)
	if err != nil {
		return fail(call.Result().Err(), err)
	}
	list := call.Result().OK().List(len(keys))
	for i, e := range entries {
		pair := list.At(i).Tuple()
		pair.At(0).Text(keys[i])
		optional(pair.At(1), e)
	}
	return nil
}
