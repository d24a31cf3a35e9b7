package keyvalue

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Function is whose data it is. All revisions of a function share its data.
type Function struct {
	Namespace, Name string
	// Created tells functions of one name apart: it is another one for a function that was deleted and made anew.
	Created uint64
}

// String names the function for backends: "default/shop/12". No two functions have one name.
func (f Function) String() string { return fmt.Sprintf("%s/%s/%d", f.Namespace, f.Name, f.Created) }

// ParseFunction reads what String gives.
func ParseFunction(text string) (Function, bool) {
	parts := strings.Split(text, "/")
	if len(parts) != 3 {
		return Function{}, false
	}
	created, err := strconv.ParseUint(parts[2], 10, 64)
	f := Function{Namespace: parts[0], Name: parts[1], Created: created}
	return f, err == nil && f.String() == text
}

// Bucket is a set of pairs of one function. It exists as long as there are pairs in it.
type Bucket struct {
	Function Function
	Name     string
}

// Pair is a key with its value.
type Pair struct {
	Key   string
	Value []byte
}

// Version tells the values that a key has had apart; backends have their own. Every change of the key gives another one.
// Empty: there is no such key.
type Version string

// Entry is what there is of a key.
type Entry struct {
	// Value is the caller's to keep. Nil, with no version, if there is no such key.
	Value   []byte
	Version Version
}

// Exists tells whether the key is there.
func (e Entry) Exists() bool { return e.Version != "" }

// Page is a part of the keys of a bucket.
type Page struct {
	Keys []string
	// Next is the cursor for what follows. Empty: that was all.
	Next string
}

// Backend keeps the pairs of all functions. Its methods are called by many goroutines, with arguments that keep to the
// bounds of this package, and return soon after ctx ends. Keys of one call differ from each other.
//
// They return *QuotaError, *RefusedError and ErrChanged for what the backend has decided, with nothing changed, and
// *UnavailableError for everything else that goes wrong. After the latter a change may have been made or not.
type Backend interface {
	// Get gives the entry of each key, in their order, with limit bytes of values at most: more are refused.
	Get(ctx context.Context, b Bucket, keys []string, limit int) ([]Entry, error)
	// Exists tells whether the key is there.
	Exists(ctx context.Context, b Bucket, key string) (bool, error)
	// Set gives keys these values.
	Set(ctx context.Context, b Bucket, pairs []Pair) error
	// Delete removes those keys that are there.
	Delete(ctx context.Context, b Bucket, keys []string) error
	// Increment adds to a number in decimal digits, and begins at zero where there is no such key. It gives the sum.
	Increment(ctx context.Context, b Bucket, key string, delta int64) (int64, error)
	// Swap gives the key this value if it still has that version, and returns ErrChanged otherwise.
	Swap(ctx context.Context, b Bucket, key string, version Version, value []byte) error
	// List gives up to limit keys, those after the cursor; an empty one is the beginning. Every key that is there from the
	// first page to the last is in one of them.
	List(ctx context.Context, b Bucket, cursor string, limit int) (Page, error)
	// Usage is what counts against the function's quota, in bytes.
	Usage(ctx context.Context, f Function) (int64, error)
	// Drop removes all that there is of a function.
	Drop(ctx context.Context, f Function) error
	// Close gives up what the backend holds. Calls that run are over by then or fail.
	Close() error
}
