// Package guest gives key-value storage to functions: it answers wasi:keyvalue, whose WIT is in wit/host/wasi-keyvalue-draft and
// wit/host/wasi-keyvalue-draft2.
//
// # The two drafts
//
// Toolchains have one or the other, so both are here. They differ in four places: cursors of listings are numbers in 0.2.0-draft
// and text in draft2; increments are unsigned there and signed here; get-many has a pair or nothing for each key there, and
// each key with a value or nothing here; and only draft2 has swaps, by the resource cas. An earlier form of draft2 whose
// get-many is that of 0.2.0-draft exists too: a component that imports batch in it is refused, and told what differs.
//
// # Errors
//
// no-such-store is a name that no bucket can have, access-denied a function that was deleted while its call runs, and everything
// else is other, in words. What is wrong with a server, such as its address, is for the node's log and not for guests.
package guest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/keyvalue"
	"github.com/weft-run/weft/wit/host"
)

// Config configures what guests get.
type Config struct {
	Store *keyvalue.Store
	// View gives the catalog, which says which functions there are.
	View   func() *catalog.View
	Logger *slog.Logger
}

// Guests answers what functions ask of key-value storage, and removes what functions that are gone have stored.
type Guests struct {
	config Config
	life   sync.WaitGroup
	stop   context.CancelFunc
}

// New makes them. They must be closed.
func New(config Config) *Guests { return &Guests{config: config, stop: func() {}} }

// Start begins to remove what functions that are gone have stored.
func (g *Guests) Start() {
	ctx, stop := context.WithCancel(context.Background())
	g.stop = stop
	g.life.Go(func() { g.follow(ctx) })
}

// Close ends what Start began. Calls of guests must be over.
func (g *Guests) Close() {
	g.stop()
	g.life.Wait()
}

// Interfaces are wasi:keyvalue in both drafts.
func (g *Guests) Interfaces() []executor.HostInterface {
	common := map[string]executor.HostFunc{
		"open":                  g.open,
		"[method]bucket.get":    g.get,
		"[method]bucket.set":    g.set,
		"[method]bucket.delete": g.delete,
		"[method]bucket.exists": g.exists,
		"set-many":              g.setMany,
		"delete-many":           g.deleteMany,
	}
	first, second := maps.Clone(common), maps.Clone(common)
	maps.Copy(first, map[string]executor.HostFunc{
		"[method]bucket.list-keys": g.listNumbered,
		"increment":                g.incrementUnsigned,
		"get-many":                 g.getPairs,
	})
	maps.Copy(second, map[string]executor.HostFunc{
		"[method]bucket.list-keys": g.list,
		"increment":                g.increment,
		"get-many":                 g.getValues,
		"[static]cas.new":          g.newCAS,
		"[method]cas.current":      g.current,
		"swap":                     g.swap,
	})
	var all []executor.HostInterface
	for dir, functions := range map[string]map[string]executor.HostFunc{"wasi-keyvalue-draft": first, "wasi-keyvalue-draft2": second} {
		interfaces := host.Interfaces(dir)
		for _, name := range []string{"store", "atomics", "batch"} {
			all = append(all, executor.HostInterface{Type: interfaces[name], Functions: functions,
				Resources: map[string]func(any){"bucket": nil, "cas": nil}})
		}
	}
	return all
}

// bucket is the resource of that name.
type bucket struct {
	keyvalue.Bucket

	pages pages // of listings with numbers as cursors
}

// errGone is what a function gets that was deleted.
var errGone = errors.New("the function is gone")

// owner gives the function whose guest calls.
func (g *Guests) owner(from executor.Key) (keyvalue.Function, error) {
	f := g.config.View().Function(from.Namespace, from.Function)
	if f == nil {
		return keyvalue.Function{}, errGone
	}
	return keyvalue.Function{Namespace: from.Namespace, Name: from.Function, Created: f.GetCreatedIndex()}, nil
}

func (g *Guests) open(call *executor.HostCall) error {
	name, err := keyvalue.ParseBucket(call.Arg(0).Text())
	if err != nil {
		return fail(call.Result().Err(), err)
	}
	owner, err := g.owner(call.From())
	if err != nil {
		return fail(call.Result().Err(), err)
	}
	return call.Result().OK().Resource(&bucket{Bucket: keyvalue.Bucket{Function: owner, Name: name}})
}

func bucketOf(call *executor.HostCall) *bucket { return call.Resource(0).(*bucket) }

// fail writes an error of the interface store.
func fail(out executor.Out, err error) error {
	_, noSuch := errors.AsType[*keyvalue.NoSuchBucketError](err)
	unavailable, away := errors.AsType[*keyvalue.UnavailableError](err)
	switch {
	case noSuch:
		out.Case("no-such-store")
	case errors.Is(err, errGone):
		out.Case("access-denied")
	case away:
		out.Case("other").Text(fmt.Sprintf("key-value storage (%s) does not answer; a change may have been made or not", unavailable.Backend))
	default:
		out.Case("other").Text(err.Error())
	}
	return nil
}

func (g *Guests) get(call *executor.HostCall) error {
	b, key := bucketOf(call), call.Arg(1).Text()
	var e keyvalue.Entry
	err := call.Wait(func(ctx context.Context) (err error) {
		e, err = g.config.Store.Get(ctx, b.Bucket, key)
		return err
	})
	if err != nil {
		return fail(call.Result().Err(), err)
	}
	optional(call.Result().OK(), e)
	return nil
}

// optional writes an option<list<u8>>.
func optional(out executor.Out, e keyvalue.Entry) {
	if !e.Exists() {
		out.None()
		return
	}
	out.Some().Bytes(e.Value)
}

// done writes a result without a value.
func done(call *executor.HostCall, err error) error {
	if err != nil {
		return fail(call.Result().Err(), err)
	}
	call.Result().OK()
	return nil
}

func (g *Guests) set(call *executor.HostCall) error {
	b, key := bucketOf(call), call.Arg(1).Text()
	value, err := valueOf(call.Arg(2), keyvalue.MaxValue)
	if err != nil {
		return done(call, err)
	}
	return done(call, call.Wait(func(ctx context.Context) error { return g.config.Store.Set(ctx, b.Bucket, key, value) }))
}

func (g *Guests) delete(call *executor.HostCall) error {
	b, key := bucketOf(call), call.Arg(1).Text()
	return done(call, call.Wait(func(ctx context.Context) error { return g.config.Store.Delete(ctx, b.Bucket, key) }))
}

func (g *Guests) exists(call *executor.HostCall) error {
	b, key := bucketOf(call), call.Arg(1).Text()
	var found bool
	err := call.Wait(func(ctx context.Context) (err error) {
		found, err = g.config.Store.Exists(ctx, b.Bucket, key)
		return err
	})
	if err != nil {
		return fail(call.Result().Err(), err)
	}
	call.Result().OK().Bool(found)
	return nil
}
