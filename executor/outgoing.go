package executor

import "context"

// Outgoing makes the calls that guests make through their imports. Its methods are called by many goroutines.
type Outgoing interface {
	// Call makes one call and gives the response in protobuf's wire format, which it does not use any more. It is called
	// from the guest's thread and may block until ctx ends, when it must return.
	//
	// A *FunctionError becomes the err of the import's result. Any other error is a failure of the call: it becomes an
	// err that can say so where the import's error type has one, and traps the guest otherwise.
	Call(ctx context.Context, call OutgoingCall) ([]byte, error)
}

// OutgoingCall is one call that a guest makes.
type OutgoingCall struct {
	// From is the revision that calls, and CallID the call that it works on.
	From   Key
	CallID string
	// Import is the interface as the component spells it: "demo:pay/api@1.0.0".
	Import string
	// Service is the full name of the service, and Method the name of its method: "demo.pay.v1.Api", "Charge".
	Service, Method string
	// Message is the request in protobuf's wire format. It may be read until Call returns.
	Message []byte
	// Metadata is that of the call that the guest works on. It must not be changed.
	Metadata map[string][]string
}
