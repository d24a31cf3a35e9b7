package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/types/known/durationpb"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// densityClients are a node's clients.
type densityClients struct {
	all []*weft.Client
}

const (
	// connections is how many clients there are.
	connections = 2
	// deploysAtOnce hides the time that each deploy waits for disks and for the scheduler.
	deploysAtOnce = 64
)

func newDensityClients(node *process) (*densityClients, error) {
	c := &densityClients{}
	for range connections {
		client, err := weft.Connect(node.ready["grpc"])
		if err != nil {
			c.close()
			return c, err
		}
		c.all = append(c.all, client)
	}
	return c, nil
}

func (c *densityClients) close() {
	for _, client := range c.all {
		_ = client.Close() // nothing is under way
	}
}

// deploy deploys functions from one number to another, many at once.
func (c *densityClients) deploy(ctx context.Context, d *density, from, to int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	next.Store(int64(from))
	var workers sync.WaitGroup
	for w := range min(deploysAtOnce, to-from) {
		workers.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1) - 1)
				if i >= to {
					return
				}
				r, err := c.all[w%len(c.all)].Deploy(ctx, bytes.NewReader(d.component(i)), &weftv1.DeploySpec{
					Name: d.name(i), Wait: durationpb.New(time.Minute),
				}, nil)
				if err == nil && !r.GetReady() {
					err = fmt.Errorf("%s is not ready: %v", d.name(i), r.GetWarnings())
				}
				if err != nil {
					cancel(err)
				}
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}

// sum is what the functions are asked, add(1, 2), and what they answer.
var sum = struct{ request, response []byte }{[]byte("\x08\x01\x10\x02"), []byte("\x08\x03")}

func (c *densityClients) call(ctx context.Context, method string) error {
	return invoke(ctx, c.all[0], method)
}

func invoke(ctx context.Context, client *weft.Client, method string) error {
	got, err := client.Invoke(ctx, method, sum.request)
	if err == nil && !bytes.Equal(got, sum.response) {
		err = fmt.Errorf("%s answered %x", method, got)
	}
	return err
}

// hammer calls the first functions in turn for some time, and gives how many calls were answered.
func (c *densityClients) hammer(ctx context.Context, d *density, functions, inFlight int, length time.Duration) (calls int64, err error) {
	end := time.Now().Add(length)
	var count, at atomic.Int64
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var callers sync.WaitGroup
	for w := range inFlight {
		callers.Go(func() {
			for time.Now().Before(end) && ctx.Err() == nil {
				if err := invoke(ctx, c.all[w%len(c.all)], d.method(int(at.Add(1))%functions)); err != nil {
					cancel(err)
					return
				}
				count.Add(1)
			}
		})
	}
	callers.Wait()
	return count.Load(), context.Cause(ctx)
}

func (c *densityClients) list(ctx context.Context, want int) error {
	r, err := c.all[0].List(ctx)
	if err == nil && len(r.GetFunctions()) != want {
		err = fmt.Errorf("%d functions are listed, of %d", len(r.GetFunctions()), want)
	}
	return err
}

// reflect lists all services, and then asks for the file of each. It gives how long the list took.
func (c *densityClients) reflect(ctx context.Context, d *density) (list time.Duration, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := reflectionv1.NewServerReflectionClient(c.all[0].Conn()).ServerReflectionInfo(ctx)
	if err != nil {
		return 0, err
	}
	ask := func(r *reflectionv1.ServerReflectionRequest) (*reflectionv1.ServerReflectionResponse, error) {
		if err := stream.Send(r); err != nil {
			return nil, err
		}
		return stream.Recv()
	}
	began := time.Now()
	answer, err := ask(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}})
	if err != nil {
		return 0, err
	}
	list = time.Since(began)
	if n := len(answer.GetListServicesResponse().GetService()); n < d.count {
		return 0, fmt.Errorf("reflection lists %d services of %d functions", n, d.count)
	}
	for i := range d.count {
		symbol := d.name(i) + ".Functions"
		answer, err := ask(&reflectionv1.ServerReflectionRequest{
			MessageRequest: &reflectionv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: symbol},
		})
		if err != nil {
			return 0, err
		}
		if answer.GetFileDescriptorResponse() == nil {
			return 0, fmt.Errorf("reflection does not know %s: %v", symbol, answer)
		}
	}
	return list, nil
}

func (c *densityClients) describe(ctx context.Context, name string) error {
	_, err := c.all[0].Get(ctx, name)
	return err
}

// hot compares the calls of some functions on the node with those on one that has no others.
func (d *density) hot(ctx context.Context, data string) (_ []figure, err error) {
	few := &density{o: d.o, data: data, code: d.code, details: d.details}
	defer func() { err = errors.Join(err, few.stop()) }()
	if err := few.start(ctx); err != nil {
		return nil, err
	}
	functions := min(hotFunctions, d.count)
	if err := few.clients.deploy(ctx, few, 0, functions); err != nil {
		return nil, err
	}
	nodes := []*density{d, few}
	rates, cpus := make([][]float64, len(nodes)), make([][]float64, len(nodes))
	for round := range 1 + d.o.rounds {
		for i, n := range nodes {
			before, err := n.node.cpu()
			if err != nil {
				return nil, err
			}
			began := time.Now()
			calls, err := n.clients.hammer(ctx, n, functions, d.o.inFlight, d.o.duration)
			if err != nil {
				return nil, err
			}
			took := time.Since(began)
			after, err := n.node.cpu()
			if err != nil {
				return nil, err
			}
			if round > 0 { // the first loads the functions
				rates[i] = append(rates[i], float64(calls)/took.Seconds())
				cpus[i] = append(cpus[i], micros(after-before)/float64(calls))
			}
		}
	}
	name := fmt.Sprintf("%d hot functions beside %s idle ones", functions, number(float64(d.count-functions)))
	const against = "the same on a node of their own"
	return []figure{
		compared("density/hot-requests", name+": requests", against, perSecond, rates[0], rates[1], nil),
		compared("density/hot-cpu", name+": the node's processor time per call", against, inMicros, cpus[0], cpus[1], nil),
	}, nil
}

// metric reads a gauge of a node.
func metric(ctx context.Context, node *process, name string) (float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+node.ready["http"]+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	for text := range strings.Lines(string(body)) {
		if value, ok := strings.CutPrefix(text, name+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("the node has no metric %s", name)
}

func sizeOfDirectory(dir string) (size int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			var info fs.FileInfo
			if info, err = entry.Info(); err == nil {
				size += info.Size()
			}
		}
		if errors.Is(err, fs.ErrNotExist) { // the node has removed it meanwhile
			return nil
		}
		return err
	})
	return size, err
}
