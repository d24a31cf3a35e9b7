package keyvalue

import "context"

// GetMany gives the entry of each key, in their order.
func (s *Store) GetMany(ctx context.Context, b Bucket, keys []string) ([]Entry, error) {
	unique, err := distinct(keys)
	if err != nil || len(unique) == 0 {
		return nil, err
	}
	var entries []Entry
	err = s.do(ctx, b.Function, "get-many", func(ctx context.Context) (err error) {
		entries, err = s.backend.Get(ctx, b, unique, MaxBatchBytes)
		return err
	})
	if err != nil || len(unique) == len(keys) {
		return entries, err
	}
	found := make(map[string]Entry, len(unique))
	for i, key := range unique {
		found[key] = entries[i]
	}
	all := make([]Entry, len(keys))
	for i, key := range keys {
		all[i] = found[key]
	}
	return all, nil
}

// SetMany gives keys values; of a key that is named twice the last one counts.
func (s *Store) SetMany(ctx context.Context, b Bucket, pairs []Pair) error {
	if err := checkCount(len(pairs)); err != nil || len(pairs) == 0 {
		return err
	}
	place := make(map[string]int, len(pairs))
	unique := make([]Pair, 0, len(pairs))
	for _, p := range pairs {
		if at, twice := place[p.Key]; twice {
			unique[at] = p
			continue
		}
		place[p.Key] = len(unique)
		unique = append(unique, p)
	}
	return s.set(ctx, "set-many", b, unique)
}

// DeleteMany removes those keys that are there.
func (s *Store) DeleteMany(ctx context.Context, b Bucket, keys []string) error {
	unique, err := distinct(keys)
	if err != nil || len(unique) == 0 {
		return err
	}
	return s.delete(ctx, "delete-many", b, unique)
}

func (s *Store) set(ctx context.Context, operation string, b Bucket, pairs []Pair) error {
	size := 0
	for _, p := range pairs {
		if err := checkKey(p.Key); err != nil {
			return err
		}
		if err := checkValue(p.Key, len(p.Value)); err != nil {
			return err
		}
		size += len(p.Value)
	}
	if size > MaxBatchBytes {
		return Refused("the values have %d bytes together; a batch may have %d", size, MaxBatchBytes)
	}
	return s.do(ctx, b.Function, operation, func(ctx context.Context) error { return s.backend.Set(ctx, b, pairs) })
}

func (s *Store) delete(ctx context.Context, operation string, b Bucket, keys []string) error {
	for _, key := range keys {
		if err := checkKey(key); err != nil {
			return err
		}
	}
	return s.do(ctx, b.Function, operation, func(ctx context.Context) error { return s.backend.Delete(ctx, b, keys) })
}

// distinct gives each key once, in the order of their first appearance.
func distinct(keys []string) ([]string, error) {
	if err := checkCount(len(keys)); err != nil {
		return nil, err
	}
	seen := make(map[string]bool, len(keys))
	unique := make([]string, 0, len(keys))
	for _, key := range keys {
		if err := checkKey(key); err != nil {
			return nil, err
		}
		if !seen[key] {
			seen[key] = true
			unique = append(unique, key)
		}
	}
	return unique, nil
}

func checkCount(n int) error {
	if n > MaxBatch {
		return Refused("the batch has %d keys; it may have %d", n, MaxBatch)
	}
	return nil
}
