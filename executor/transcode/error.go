package transcode

import (
	"errors"
	"fmt"
	"strconv"
)

// Error says why a message does not fit the types of the method.
type Error struct {
	// Path leads to the value, in the names of the protobuf schema: "v.kids[2].rect.f0". It is empty for the message
	// itself.
	Path string
	// Msg says what is wrong with it.
	Msg string
}

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Msg
	}
	return e.Path + ": " + e.Msg
}

// ErrTooLarge is returned by Encode and EncodeArgs for a message over the limit.
var ErrTooLarge = errors.New("transcode: message over the limit")

func errorf(format string, args ...any) *Error { return &Error{Msg: fmt.Sprintf(format, args...)} }

// in puts a field in front of the path. Nil stays nil.
func (e *Error) in(field string) *Error {
	if e == nil {
		return nil
	}
	switch {
	case e.Path == "":
		e.Path = field
	case e.Path[0] == '[':
		e.Path = field + e.Path
	default:
		e.Path = field + "." + e.Path
	}
	return e
}

// at puts an index in front of the path. Nil stays nil.
func (e *Error) at(index int) *Error {
	if e == nil {
		return nil
	}
	segment := "[" + strconv.Itoa(index) + "]"
	if e.Path != "" && e.Path[0] != '[' {
		segment += "."
	}
	e.Path = segment + e.Path
	return e
}
