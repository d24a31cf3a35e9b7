package keyvalue

import (
	"errors"
	"fmt"
)

// ErrChanged is why a swap was not made: the key has changed since its version was read.
var ErrChanged = errors.New("keyvalue: the key has changed since it was read")

// QuotaError says that a function may not store so much. Nothing was stored; of a batch in a backend without transactions
// the pairs that still fit.
type QuotaError struct {
	Function Function
	// Quota is in bytes.
	Quota int64
}

func (e *QuotaError) Error() string {
	return fmt.Sprintf("quota exceeded: function %s/%s may store %d bytes on this server (--keyvalue-quota); delete something first",
		e.Function.Namespace, e.Function.Name, e.Quota)
}

// RefusedError says that a request is not one that can be done: it is over a bound, or about a value that is no number.
type RefusedError struct{ Text string }

func (e *RefusedError) Error() string { return e.Text }

// Refused makes a *RefusedError.
func Refused(format string, args ...any) error {
	return &RefusedError{Text: fmt.Sprintf(format, args...)}
}

// NoSuchBucketError says that no bucket can have that name.
type NoSuchBucketError struct{ Name string }

func (e *NoSuchBucketError) Error() string {
	return fmt.Sprintf("%.80q names no bucket: names have up to %d letters, digits, dots, hyphens and underscores, and begin with a letter or digit", e.Name, MaxBucketName)
}

// UnavailableError says that the backend can't be reached or does not work. Of a change it is not known whether it was made.
type UnavailableError struct {
	// Backend is which: "redis".
	Backend string
	// Err is why, without credentials. It may name addresses, so guests do not see it.
	Err error
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("key-value storage (%s) does not answer: %v", e.Backend, e.Err)
}

func (e *UnavailableError) Unwrap() error { return e.Err }
