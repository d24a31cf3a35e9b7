package guest

import (
	"context"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/keyvalue"
)

// list is list-keys of draft2.
func (g *Guests) list(call *executor.HostCall) error {
	cursor := ""
	if v, has := call.Arg(1).Option(); has {
		cursor = v.Text()
	}
	page, err := g.page(call, cursor)
	if err != nil {
		return fail(call.Result().Err(), err)
	}
	next := writeKeys(call, page.Keys)
	if page.Next == "" {
		next.None()
		return nil
	}
	next.Some().Text(page.Next)
	return nil
}

// listNumbered is list-keys of 0.2.0-draft.
func (g *Guests) listNumbered(call *executor.HostCall) error {
	b, cursor := bucketOf(call), ""
	if v, has := call.Arg(1).Option(); has {
		var ok bool
		if cursor, ok = b.pages.find(v.U64()); !ok {
			return fail(call.Result().Err(), keyvalue.Refused("%d is no cursor that this bucket gave in this call, or there were over %d since; "+
				"wasi:keyvalue@0.2.0-draft2 has cursors that can be kept", v.U64(), maxPages))
		}
	}
	page, err := g.page(call, cursor)
	if err != nil {
		return fail(call.Result().Err(), err)
	}
	next := writeKeys(call, page.Keys)
	if page.Next == "" {
		next.None()
		return nil
	}
	next.Some().U64(b.pages.add(page.Next))
	return nil
}

func (g *Guests) page(call *executor.HostCall, cursor string) (page keyvalue.Page, err error) {
	b := bucketOf(call)
	err = call.Wait(func(ctx context.Context) (err error) {
		page, err = g.config.Store.List(ctx, b.Bucket, cursor)
		return err
	})
	return page, err
}

// writeKeys writes the keys of a key-response, and gives the place for its cursor.
func writeKeys(call *executor.HostCall, keys []string) executor.Out {
	response := call.Result().OK().Record()
	list := response.At(0).List(len(keys))
	for i, key := range keys {
		list.At(i).Text(key)
	}
	return response.At(1)
}

// maxPages is how many cursors a bucket that gives numbers remembers.
const maxPages = 64

// pages remembers cursors by number, where a guest can hold nothing else. A bucket is used by one guest, so by one
// goroutine at a time.
type pages struct {
	cursors []string
	first   uint64 // the number of the first that is remembered
}

func (p *pages) add(cursor string) uint64 {
	if len(p.cursors) == maxPages {
		p.cursors, p.first = append(p.cursors[:0], p.cursors[1:]...), p.first+1
	}
	p.cursors = append(p.cursors, cursor)
	return p.first + uint64(len(p.cursors)) - 1
}

func (p *pages) find(number uint64) (string, bool) {
	if number < p.first || number-p.first >= uint64(len(p.cursors)) {
		return "", false
	}
	return p.cursors[number-p.first], true
}
