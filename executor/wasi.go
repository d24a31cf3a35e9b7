package executor

import (
	"errors"
	"fmt"
	"strings"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/wasi"
)

// WASI 0.2 as guests have it: clocks, sleep, randomness, an environment, and output that goes to the log. There is no file, no
// network and no input. The executor answers all of it by itself instead of the engine, so that a guest that sleeps has no slot
// and can be ended, that nothing is set up for an instance that does not ask for it, and that neither engine lends a thread.
//
// A resource belongs to whoever defines it: the streams of wasi:cli are those of files and sockets. So whoever answers
// wasi:io answers everything.

// wasiInterfaces are the interfaces of WASI 0.2.
func wasiInterfaces() []HostInterface {
	answers := map[string]map[string]HostFunc{
		"cli/environment":     wasiEnvironment(),
		"cli/exit":            wasiExit(),
		"cli/terminal-stdin":  noTerminal("get-terminal-stdin"),
		"cli/terminal-stdout": noTerminal("get-terminal-stdout"),
		"cli/terminal-stderr": noTerminal("get-terminal-stderr"),
		"cli/stdin":           {"get-stdin": newResource(standardInput{})},
		"cli/stdout":          {"get-stdout": newResource(standardOutput{StreamStdout})},
		"cli/stderr":          {"get-stderr": newResource(standardOutput{StreamStderr})},

		"clocks/monotonic-clock": wasiMonotonicClock(),
		"clocks/wall-clock":      wasiWallClock(),
		"io/poll":                wasiPoll(),
		"io/streams":             wasiStreams(),
		"random/random":          secureRandom(),
		"random/insecure":        insecureRandom(),
		"random/insecure-seed":   insecureSeed(),

		"filesystem/types":          {"filesystem-error-code": func(c *HostCall) error { c.Result().None(); return nil }},
		"filesystem/preopens":       {"get-directories": func(c *HostCall) error { c.Result().List(0); return nil }},
		"sockets/instance-network":  {"instance-network": newResource(noNetwork{})},
		"sockets/tcp-create-socket": {"create-tcp-socket": accessDenied},
		"sockets/udp-create-socket": {"create-udp-socket": accessDenied},
		"sockets/ip-name-lookup":    {"resolve-addresses": accessDenied},
	}
	var all []HostInterface
	for name, i := range wasi.Interfaces() {
		hi := HostInterface{Type: i, Compatible: true, Functions: answers[name], Resources: map[string]func(any){}}
		if hi.Functions == nil {
			hi.Functions = map[string]HostFunc{}
		}
		for _, t := range i.Types {
			if t.Resource != nil && t.Resource.Interface == i {
				hi.Resources[t.Name] = nil
			}
		}
		for _, f := range i.Functions {
			if hi.Functions[f.Name] == nil && neverGiven(f) {
				hi.Functions[f.Name] = unreachable
			}
		}
		all = append(all, hi)
	}
	return all
}

// neverGiven tells whether a function is a method of a resource that no guest ever gets: a file, a socket, an error of I/O.
func neverGiven(f *wit.Function) bool {
	method, ok := strings.CutPrefix(f.Name, "[method]")
	resource, _, _ := strings.Cut(method, ".")
	switch resource {
	case "descriptor", "directory-entry-stream", "tcp-socket", "udp-socket", "incoming-datagram-stream", "outgoing-datagram-stream",
		"resolve-address-stream", "error":
		return ok
	}
	return false
}

// unreachable answers methods of what no guest has: the engine refuses handles that it did not give out.
func unreachable(*HostCall) error { return errors.New("the guest has no such resource") }

type noNetwork struct{}

func accessDenied(c *HostCall) error {
	c.Result().Err().Case("access-denied")
	return nil
}

// newResource answers with a resource.
func newResource(value any) HostFunc {
	return func(c *HostCall) error { return c.Result().Resource(value) }
}

func noTerminal(function string) map[string]HostFunc {
	return map[string]HostFunc{function: func(c *HostCall) error { c.Result().None(); return nil }}
}

func wasiEnvironment() map[string]HostFunc {
	return map[string]HostFunc{
		"get-environment": func(c *HostCall) error {
			env := c.in.job.rev.env
			list := c.Result().List(len(env))
			for i, entry := range env {
				name, value, _ := strings.Cut(entry, "=")
				pair := list.At(i).Tuple()
				pair.At(0).Text(name)
				pair.At(1).Text(value)
			}
			return nil
		},
		"get-arguments": func(c *HostCall) error { c.Result().List(0); return nil },
		"initial-cwd":   func(c *HostCall) error { c.Result().None(); return nil },
	}
}

// exitError ends a guest that called wasi:cli/exit.
type exitError struct{ status int }

func (e *exitError) Error() string { return fmt.Sprintf("exit with status %d", e.status) }

func wasiExit() map[string]HostFunc {
	return map[string]HostFunc{
		"exit": func(c *HostCall) error {
			if _, _, ok := c.Arg(0).Result(); ok {
				return &exitError{0}
			}
			return &exitError{1}
		},
		"exit-with-code": func(c *HostCall) error { return &exitError{int(c.Arg(0).U8())} },
	}
}
