package guest

import (
	"errors"
	"fmt"
)

// Result is a WIT result where it is a value. The result that a function itself returns is (T, error) instead. A side
// without a payload is struct{}.
type Result[T, E any] struct {
	// Failed tells which of the two counts.
	Failed bool
	OK     T
	Err    E
}

// OK returns a result that holds a value.
func OK[T, E any](v T) Result[T, E] { return Result[T, E]{OK: v} }

// Err returns a result that holds an error.
func Err[T, E any](e E) Result[T, E] { return Result[T, E]{Failed: true, Err: e} }

// Error is the error of a function whose WIT error type has no name that could be a Go error: result<u32, string>
// gives Error[string]. An export of that type may return any error: its text is the string.
type Error[E any] struct {
	Value E
}

func (e Error[E]) Error() string {
	if text, ok := any(e.Value).(string); ok {
		return text
	}
	if _, ok := any(e.Value).(struct{}); ok {
		return "failed"
	}
	return fmt.Sprintf("%+v", e.Value)
}

// Check makes the WIT result of what an export returned; convert takes the WIT error out of a Go error.
func Check[T, E any](v T, err error, convert func(error) E) Result[T, E] {
	if err != nil {
		return Err[T](convert(err))
	}
	return OK[T, E](v)
}

// Typed takes an error of type E out of the error that an export returned. It panics if there is none: the caller has
// a right to the type that the WIT promises.
func Typed[E error](err error) E {
	var e E
	if !errors.As(err, &e) {
		panic(fmt.Sprintf("an export returned an error of type %T, which is not what its WIT says: %v", err, err))
	}
	return e
}

// Untyped is [Typed] for errors that have no name in WIT.
func Untyped[E any](err error) E { return Typed[Error[E]](err).Value }

// Text is the error of an export that fails with a string.
func Text(err error) string { return err.Error() }

// Nothing is the error of an export that fails without saying why.
func Nothing(error) struct{} { return struct{}{} }

// Describe is the text of an error: the name of its type or case, and what it holds.
func Describe(name string, v any) string { return fmt.Sprintf("%s: %+v", name, v) }

// Name returns the name with a number.
func Name(n int, names ...string) string {
	if n < len(names) {
		return names[n]
	}
	return fmt.Sprintf("unknown(%d)", n)
}

// Unknown is the text of a panic: a variant or result has a case that its WIT does not have, or is nil.
func Unknown(name string, found any) string {
	return fmt.Sprintf("%s has no case %v", name, found)
}

// Missing is the text of a panic: an export is called before anybody gave an implementation.
func Missing(id string) string {
	return "nothing implements " + id + ": call Export of its package in an init function"
}

// Outside is the text of a panic: an import is called in a program that is no component.
func Outside(function string) string {
	return function + " is an import: it is there in a component only"
}
