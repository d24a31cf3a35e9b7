package executor

import "fmt"

const (
	// maxWrite is how many bytes a guest may write to a stream at once, as the stream's check-write tells it.
	maxWrite = 64 << 10
	// maxBlockingWrite is what WASI has as the most that the blocking writes take.
	maxBlockingWrite = 4096
)

// standardInput is stdin, which is at its end.
type standardInput struct{}

// standardOutput is stdout or stderr, which go to the log of the function with the ID of the call that runs.
type standardOutput struct{ name string }

func (s standardOutput) write(c *HostCall, contents []byte) {
	if s.name == StreamStderr {
		c.in.out.writeStderr(contents)
	} else {
		c.in.out.writeStdout(contents)
	}
}

// wasiStreams is wasi:io/streams. Nothing in it blocks, as nothing waits for input, and the log takes what it is given.
func wasiStreams() map[string]HostFunc {
	closed := func(c *HostCall) error {
		c.Result().Err().Case("closed")
		return nil
	}
	done := func(c *HostCall) error { //nolint:unparam // it is a HostFunc
		c.Result().OK()
		return nil
	}
	ready := newResource(pollable{})
	write := func(most int) HostFunc {
		return func(c *HostCall) error {
			contents := c.Arg(1).U8s(nil)
			if len(contents) > most {
				return fmt.Errorf("%d bytes are written at once; the most is %d", len(contents), most)
			}
			c.Resource(0).(standardOutput).write(c, contents)
			return done(c)
		}
	}
	zeroes := func(most uint64) HostFunc {
		return func(c *HostCall) error {
			n := c.Arg(1).U64()
			if n > most {
				return fmt.Errorf("%d bytes are written at once; the most is %d", n, most)
			}
			c.Resource(0).(standardOutput).write(c, make([]byte, n))
			return done(c)
		}
	}
	return map[string]HostFunc{
		"[method]input-stream.read":          closed,
		"[method]input-stream.blocking-read": closed,
		"[method]input-stream.skip":          closed,
		"[method]input-stream.blocking-skip": closed,
		"[method]input-stream.subscribe":     ready,

		"[method]output-stream.check-write": func(c *HostCall) error {
			c.Result().OK().U64(maxWrite)
			return nil
		},
		"[method]output-stream.write":                           write(maxWrite),
		"[method]output-stream.blocking-write-and-flush":        write(maxBlockingWrite),
		"[method]output-stream.flush":                           done,
		"[method]output-stream.blocking-flush":                  done,
		"[method]output-stream.subscribe":                       ready,
		"[method]output-stream.write-zeroes":                    zeroes(maxWrite),
		"[method]output-stream.blocking-write-zeroes-and-flush": zeroes(maxBlockingWrite),
		"[method]output-stream.splice":                          closed,
		"[method]output-stream.blocking-splice":                 closed,
	}
}
