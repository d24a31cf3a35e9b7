package httpclient

import (
	"context"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/weft-run/weft/executor"
	"github.com/weft-run/weft/services/callinfo"
	"github.com/weft-run/weft/wit/host"
)

// Interface is weft:http/client.
func (c *Client) Interface() executor.HostInterface {
	return executor.HostInterface{
		Type:      host.Interfaces("weft-http")["client"],
		Functions: map[string]executor.HostFunc{"send": c.answer},
	}
}

// answer is send: func(request: request) -> result<response, error>.
func (c *Client) answer(call *executor.HostCall) error {
	limit := call.Limits().Message
	request, tooLarge := read(call, limit)
	if tooLarge != nil {
		c.requests.WithLabelValues(string(tooLarge.Case)).Inc()
		writeError(call.Result(), tooLarge)
		return nil
	}
	var response *Response
	var failed *Error
	err := call.Wait(func(ctx context.Context) (err error) {
		if response, err = c.Send(ctx, request, limit); err == nil {
			return nil
		}
		if failed = asError(err); ctx.Err() != nil {
			return err
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case failed != nil:
		writeError(call.Result(), failed)
	default:
		write(call.Result().OK(), response)
	}
	return nil
}

// read copies the request, unless its body alone is too large.
func read(call *executor.HostCall, limit uint64) (Request, *Error) {
	fields := call.Arg(0).Fields()
	if n := fields.At(3).List().Len(); uint64(n) > limit {
		return Request{}, failf(RequestTooLarge, "the body has %d bytes; %d are allowed, the message limit of the revision", n, limit)
	}
	r := Request{Method: fields.At(0).Text(), URL: fields.At(1).Text(), Body: fields.At(3).U8s(nil)}
	headers := fields.At(2).List()
	for i := range headers.Len() {
		pair := headers.At(i).Fields()
		r.Header = append(r.Header, Field{pair.At(0).Text(), pair.At(1).Text()})
	}
	if timeout, ok := fields.At(4).Option(); ok {
		const forever = 1 << 62 // 146 years, in nanoseconds
		r.Timeout = max(1, time.Duration(min(timeout.U64(), forever)))
	}
	r.Header = trace(r.Header, call.Metadata())
	return r, nil
}

// trace adds the trace context of the call, unless the function sends one of its own.
func trace(header []Field, md map[string][]string) []Field {
	parent, ok := callinfo.Traceparent(md)
	if !ok {
		return header
	}
	for _, f := range header {
		if strings.EqualFold(f.Name, "traceparent") {
			return header
		}
	}
	header = append(header, Field{"traceparent", parent})
	for _, state := range md["tracestate"] {
		if httpguts.ValidHeaderFieldValue(state) && isASCII(state) {
			header = append(header, Field{"tracestate", state})
		}
	}
	return header
}

func write(out executor.Out, r *Response) {
	fields := out.Record()
	fields.At(0).U16(uint16(r.Status))
	headers := fields.At(1).List(len(r.Header))
	for i, f := range r.Header {
		pair := headers.At(i).Record()
		pair.At(0).Text(f.Name)
		pair.At(1).Text(f.Value)
	}
	fields.At(2).Bytes(r.Body)
	fields.At(3).Text(r.URL)
}

func writeError(out executor.Out, e *Error) { out.Err().Case(string(e.Case)).Text(e.Message) }
