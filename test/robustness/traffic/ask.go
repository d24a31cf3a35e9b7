package traffic

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/durationpb"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/test/cluster"
	"github.com/weft-run/weft/test/robustness/model"
)

// markVariable is the environment variable of a revision that holds its mark.
const markVariable = "MARK"

// ask does an operation and notes what came back.
func (t *Traffic) ask(ctx context.Context, n *cluster.Node, o *model.Operation, component []byte) error {
	c, err := n.Client()
	if err != nil {
		return err
	}
	functions := weftv1.NewFunctionServiceClient(c.Conn())
	environment := map[string]string{markVariable: o.Mark}
	switch o.Kind {
	case model.Deploy:
		r, err := c.Deploy(ctx, bytes.NewReader(component), &weftv1.DeploySpec{
			Name: o.Function, Environment: environment, Wait: durationpb.New(0),
		}, nil)
		o.Revision = number(r.GetFunction(), o.Mark)
		return err
	case model.Update:
		r, err := c.Update(ctx, &weftv1.UpdateRequest{Name: o.Function, Environment: environment, Wait: durationpb.New(0)})
		o.Revision = number(r.GetFunction(), o.Mark)
		return err
	case model.Delete:
		deleted, err := c.Delete(ctx, o.Function)
		o.Deleted = int(deleted)
		return err
	case model.Get, model.Stale:
		r, err := functions.Get(ctx, &weftv1.GetRequest{Name: o.Function, Consistency: consistency(o.Kind)})
		o.Seen, o.Index = seen(r.GetFunction()), r.GetFreshness().GetIndex()
		return err
	case model.Route:
		o.Seen, err = c.Route(ctx, o.Function, o.Mark)
		return err
	case model.Owner:
		r, err := functions.Get(ctx, &weftv1.GetRequest{Name: t.config.Routed[0], Consistency: consistency(o.Kind)})
		for _, s := range r.GetFunction().GetServices() {
			if s.GetName() == o.Function {
				o.Seen = s.GetOwner()
			}
		}
		o.Index = r.GetFreshness().GetIndex()
		return err
	case model.Call:
		answer, err := c.Invoke(ctx, "demo.calc.v1.Calc/Env", nil, weft.OfFunction(o.Function))
		if err != nil {
			return err
		}
		o.Seen, err = answered(answer)
		return err
	default:
		return fmt.Errorf("traffic: no operation %q", o.Kind)
	}
}

func consistency(k model.Kind) weftv1.Consistency {
	if k == model.Stale {
		return weftv1.Consistency_CONSISTENCY_STALE
	}
	return weftv1.Consistency_CONSISTENCY_LINEARIZABLE
}

// number is that of the revision with a mark; 0 if the function has none.
func number(f *weftv1.Function, mark string) uint32 {
	for _, r := range f.GetRevisions() {
		if r.GetEnvironment()[markVariable] == mark {
			return r.GetNumber()
		}
	}
	return 0
}

// seen is a function as the model has it.
func seen(f *weftv1.Function) (text string) {
	for _, r := range f.GetRevisions() {
		text = model.Append(text, r.GetNumber(), r.GetEnvironment()[markVariable])
	}
	return text
}

// answered is the mark of the revision that answered Env: its response is a list of names and values.
func answered(response []byte) (string, error) {
	variables, err := fields(response, 1)
	if err != nil {
		return "", err
	}
	for _, v := range variables {
		names, err := fields(v, 1)
		if err != nil {
			return "", err
		}
		values, err := fields(v, 2)
		if err != nil {
			return "", err
		}
		if len(names) == 1 && len(values) == 1 && string(names[0]) == markVariable {
			return string(values[0]), nil
		}
	}
	return "", fmt.Errorf("traffic: the response %x has no mark", response)
}

// fields are the values of a field that has a length, in the wire format of protobuf.
func fields(message []byte, number protowire.Number) (values [][]byte, err error) {
	for len(message) > 0 {
		n, kind, size := protowire.ConsumeTag(message)
		if size < 0 || kind != protowire.BytesType {
			return nil, errors.New("traffic: a response that is not as expected")
		}
		value, length := protowire.ConsumeBytes(message[size:])
		if length < 0 {
			return nil, errors.New("traffic: a response that is cut off")
		}
		if n == number {
			values = append(values, value)
		}
		message = message[size+length:]
	}
	return values, nil
}
