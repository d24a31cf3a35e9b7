package directory

import (
	"hash/maphash"
	"iter"
	"maps"

	"github.com/weft-run/weft/executor"
)

// shardCount makes a change of one among 10,000 revisions copy some 80 entries.
const shardCount = 128

var seed = maphash.MakeSeed()

// shards is a map by revision that never changes. A changed copy shares the parts that did not change. The zero value is
// empty.
type shards[V any] struct {
	parts *[shardCount]map[executor.Key]V // nil while empty
	size  int
}

func shardOf(k executor.Key) int { return int(maphash.Comparable(seed, k) % shardCount) }

func (s shards[V]) get(k executor.Key) (v V, ok bool) {
	if s.parts == nil {
		return v, false
	}
	v, ok = s.parts[shardOf(k)][k]
	return v, ok
}

func (s shards[V]) all() iter.Seq2[executor.Key, V] {
	return func(yield func(executor.Key, V) bool) {
		if s.parts == nil {
			return
		}
		for _, part := range s.parts {
			for k, v := range part {
				if !yield(k, v) {
					return
				}
			}
		}
	}
}

// edit makes a changed copy: change it by set and remove, then use its shards. It belongs to one goroutine.
type edit[V any] struct {
	shards[V]
	copied [shardCount]bool
}

func (s shards[V]) edit() *edit[V] {
	e := &edit[V]{shards: shards[V]{parts: new([shardCount]map[executor.Key]V), size: s.size}}
	if s.parts != nil {
		*e.parts = *s.parts
	}
	return e
}

// part gives the part of a key to be changed.
func (e *edit[V]) part(k executor.Key) map[executor.Key]V {
	i := shardOf(k)
	if !e.copied[i] {
		e.copied[i] = true
		if e.parts[i] == nil {
			e.parts[i] = map[executor.Key]V{}
		} else {
			e.parts[i] = maps.Clone(e.parts[i])
		}
	}
	return e.parts[i]
}

func (e *edit[V]) set(k executor.Key, v V) {
	part := e.part(k)
	before := len(part)
	part[k] = v
	e.size += len(part) - before
}

func (e *edit[V]) remove(k executor.Key) {
	if _, ok := e.get(k); ok {
		delete(e.part(k), k)
		e.size--
	}
}
