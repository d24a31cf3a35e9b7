package executor

import "github.com/weft-run/weft/wit/host"

// logging is wasi:logging/logging, which every executor provides: its lines go where those of stdout and stderr do.
func logging() HostInterface {
	provided := host.Interfaces("wasi-logging")["logging"]
	return HostInterface{
		Type: provided,
		Also: host.Also(provided),
		Functions: map[string]HostFunc{"log": func(call *HostCall) error {
			level, _, _ := call.Arg(0).Case()
			call.in.out.journal.write(Line{CallID: call.CallID(), Stream: StreamLogging, Level: level,
				Context: cutText(call.Arg(1).Text(), maxContext)}, call.Arg(2).Bytes())
			return nil
		}},
	}
}
