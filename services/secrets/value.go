package secrets

import (
	"fmt"
	"log/slog"
)

// hidden is what a value shows of itself.
const hidden = "[secret]"

// Value is the plaintext of a secret. However it is printed, logged or encoded, alone or as part of something else, it
// shows "[secret]" or nothing. The zero value is empty.
type Value struct {
	// A function, since fmt looks into fields that are not exported and does not ask them how to be printed.
	reveal func() string
}

// NewValue hides a text.
func NewValue(text string) Value { return Value{reveal: func() string { return text }} }

// Reveal returns the text.
func (v Value) Reveal() string {
	if v.reveal == nil {
		return ""
	}
	return v.reveal()
}

// String implements fmt.Stringer.
func (Value) String() string { return hidden }

// Format implements fmt.Formatter, for all verbs.
func (Value) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// LogValue implements slog.LogValuer.
func (Value) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText implements encoding.TextMarshaler, and by it what JSON writes.
func (Value) MarshalText() ([]byte, error) { return []byte(hidden), nil }
