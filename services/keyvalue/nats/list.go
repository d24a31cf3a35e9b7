package nats

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/weft-run/weft/services/keyvalue"
)

// List implements [keyvalue.Backend]. Keys are in the order of their last change, and the cursor is the sequence number of
// that: a key that is changed meanwhile comes again later. The server reads the page only, and no values.
func (s *Store) List(ctx context.Context, b keyvalue.Bucket, cursor string, limit int) (keyvalue.Page, error) {
	var after uint64
	if cursor != "" {
		var err error
		if after, err = strconv.ParseUint(cursor, 10, 63); err != nil {
			return keyvalue.Page{}, keyvalue.Refused("%.40q is no cursor of a listing", cursor)
		}
	}
	f, err := s.open(ctx, b.Function)
	if err != nil {
		return keyvalue.Page{}, err
	}
	reader, err := f.stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		FilterSubject: f.subject(name(b, "") + "*"), HeadersOnly: true,
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: after + 1,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: keyvalue.OperationTime,
	})
	if err != nil {
		return keyvalue.Page{}, s.failed(b.Function, err)
	}
	info := reader.CachedInfo()
	defer func() {
		// Without this it goes by itself, a little later.
		brief, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = f.stream.DeleteConsumer(brief, info.Name)
	}()
	if info.NumPending == 0 {
		return keyvalue.Page{}, nil
	}
	page, err := read(reader, limit)
	if err != nil {
		return keyvalue.Page{}, s.failed(b.Function, err)
	}
	return page, nil
}

// read reads what there is now, up to limit keys.
func read(reader jetstream.Consumer, limit int) (page keyvalue.Page, err error) {
	batch, err := reader.FetchNoWait(limit)
	if err != nil {
		return page, err
	}
	var last, left uint64
	for message := range batch.Messages() {
		at, err := message.Metadata()
		if err != nil {
			return page, err
		}
		last, left = at.Sequence.Stream, at.NumPending
		if message.Headers().Get("KV-Operation") != "" {
			continue // a marker that some other client of NATS left for a key that it removed
		}
		subject := message.Subject()
		key, err := encoding.DecodeString(subject[strings.LastIndexByte(subject, '.')+1:])
		if err != nil {
			continue // nobody's key
		}
		page.Keys = append(page.Keys, string(key))
	}
	if left > 0 {
		page.Next = strconv.FormatUint(last, 10)
	}
	return page, batch.Error()
}
