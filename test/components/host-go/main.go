// The test component host in Go: it shows what weft's own interfaces give it.
package main

import (
	"fmt"

	"github.com/weft-run/weft/test/components/host-go/gen/test/host/probe"
	"github.com/weft-run/weft/test/components/host-go/gen/test/host/who"
	"github.com/weft-run/weft/test/components/host-go/gen/weft/http/client"
	"github.com/weft-run/weft/test/components/host-go/gen/weft/runtime/context"
)

func init() {
	probe.Export(component{})
	who.Export(component{})
}

func main() {}

type component struct{}

func (component) About() probe.Facts {
	facts := probe.Facts{
		Self: name(context.Self()), CallID: context.CallID(), DeadlineLeft: context.DeadlineLeft(),
		Traceparent: context.Traceparent(), TraceID: context.TraceID(),
	}
	if caller := context.Caller(); caller != nil {
		text := name(*caller)
		facts.Caller = &text
	}
	for _, pair := range context.Metadata() {
		facts.Metadata = append(facts.Metadata, probe.Field{Name: pair.F0, Value: pair.F1})
	}
	return facts
}

func (component) Fetch(method, url string, headers []probe.Field, body []byte, timeout *uint64) (probe.Answer, error) {
	request := client.Request{Method: method, URL: url, Body: body, Timeout: timeout}
	for _, h := range headers {
		request.Headers = append(request.Headers, client.Header(h))
	}
	response, err := client.Send(request)
	if err != nil {
		return probe.Answer{}, err
	}
	answer := probe.Answer{Status: response.Status, Body: response.Body, URL: response.URL}
	for _, h := range response.Headers {
		answer.Headers = append(answer.Headers, probe.Field(h))
	}
	return answer, nil
}

func (component) Caller() string {
	if caller := context.Caller(); caller != nil {
		return name(*caller)
	}
	return ""
}

func name(r context.Revision) string {
	return fmt.Sprintf("%s/%s@%d", r.Namespace, r.Function, r.Number)
}
