package weft

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Method is one method of the server, with its types as they were when it was looked up. It is safe for concurrent
// use and may be kept; a deploy since then may have added fields that it does not know.
type Method struct {
	client     *Client
	descriptor protoreflect.MethodDescriptor
	types      *reflector
}

// Method looks up a method by reflection. Its name is that of a service and a method, "demo.orders.v1.Orders/Place";
// the service's last words are enough, "Orders/Place", where no other service ends with them.
//
// The error is an [*UnknownMethodError] if the server has no such method, or more than one.
func (c *Client) Method(ctx context.Context, name string) (*Method, error) {
	r, err := c.reflect(ctx)
	if err != nil {
		return nil, err
	}
	defer r.close()
	services, err := r.services()
	if err != nil {
		return nil, err
	}
	service, method, ok := strings.Cut(strings.TrimPrefix(name, "/"), "/")
	if !ok || service == "" || method == "" {
		return nil, &UnknownMethodError{Name: name, Near: r.near(services, name, "")}
	}
	matches := matching(services, service)
	if len(matches) != 1 {
		e := &UnknownMethodError{Name: name, Ambiguous: len(matches) > 1}
		for _, m := range matches {
			e.Near = append(e.Near, m+"/"+method)
		}
		if len(matches) == 0 {
			e.Near = r.near(services, service, method)
		}
		return nil, e
	}
	d, err := r.find(matches[0])
	if err != nil {
		return nil, err
	}
	sd, ok := d.(protoreflect.ServiceDescriptor)
	if !ok {
		return nil, fmt.Errorf("weft: reflection says that %s is no service", matches[0])
	}
	md := sd.Methods().ByName(protoreflect.Name(method))
	if md == nil {
		return nil, &UnknownMethodError{Name: matches[0] + "/" + method, Near: nearMethods(sd, method)}
	}
	return &Method{client: c, descriptor: md, types: r}, nil
}

// Name is the full name: "demo.orders.v1.Orders/Place".
func (m *Method) Name() string {
	return fmt.Sprintf("%s/%s", m.descriptor.Parent().FullName(), m.descriptor.Name())
}

// Descriptor describes the method and its types.
func (m *Method) Descriptor() protoreflect.MethodDescriptor { return m.descriptor }

// UnknownMethodError says that a server has no method of a name.
type UnknownMethodError struct {
	// Name is what was looked for.
	Name string
	// Near are full names that may have been meant, the likeliest first; three at most. If Ambiguous, they are all
	// that the name fits.
	Near      []string
	Ambiguous bool
}

func (e *UnknownMethodError) Error() string {
	switch {
	case e.Ambiguous:
		return fmt.Sprintf("several services have this name; write one of %s", strings.Join(e.Near, ", "))
	case !strings.Contains(e.Name, "/"):
		return fmt.Sprintf("%q is no SERVICE/METHOD%s", e.Name, e.hint())
	default:
		return fmt.Sprintf("the server has no method %s%s", e.Name, e.hint())
	}
}

func (e *UnknownMethodError) hint() string {
	if len(e.Near) == 0 {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", strings.Join(e.Near, " or "))
}

// GRPCStatus lets package status of grpc-go see the error as the gateway would have answered.
func (e *UnknownMethodError) GRPCStatus() *status.Status {
	return status.New(codes.Unimplemented, e.Error())
}

// matching returns the one service of this name, or else all that end with it.
func matching(services []string, name string) []string {
	var matches []string
	for _, s := range services {
		if s == name {
			return []string{s}
		}
		if strings.HasSuffix(s, "."+name) {
			matches = append(matches, s)
		}
	}
	return matches
}
