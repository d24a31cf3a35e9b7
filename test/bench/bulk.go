package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/weft-run/weft/executor/wasmtime"
	recordsv1 "github.com/weft-run/weft/test/bench/proto/bench/records/v1"
)

// bulkInFlight is how many large messages are under way at once: enough for all of few cores, few enough for a latency to be one.
const bulkInFlight = 4

// echoTask is a call with so many bytes.
func echoTask(size int) (task, error) {
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(i * 7)
	}
	request := &recordsv1.EchoRequest{Data: data}
	return newTask(recordsv1.Bytes_Echo_FullMethodName, request, func(ctx context.Context, conn grpc.ClientConnInterface) error {
		response, err := recordsv1.NewBytesClient(conn).Echo(ctx, request)
		if err == nil && !bytes.Equal(response.GetValue(), data) {
			err = errors.New("the echo is not what was called")
		}
		return err
	})
}

// listTask is a call with so many records.
func listTask(count int) (task, error) {
	request := &recordsv1.TouchAllRequest{}
	for i := range count {
		customer := smallRecord().GetCustomer()
		customer.Id = uint64(i)
		request.Customers = append(request.Customers, customer)
	}
	return newTask(recordsv1.Records_TouchAll_FullMethodName, request, func(ctx context.Context, conn grpc.ClientConnInterface) error {
		response, err := recordsv1.NewRecordsClient(conn).TouchAll(ctx, request)
		if err != nil {
			return err
		}
		if len(response.GetValue()) != count {
			return fmt.Errorf("%d records came back of %d", len(response.GetValue()), count)
		}
		for i, customer := range response.GetValue() {
			want := proto.CloneOf(request.GetCustomers()[i])
			want.Score++
			if !proto.Equal(customer, want) {
				return fmt.Errorf("record %d came back as %v", i, customer)
			}
		}
		return nil
	})
}

// measureBulk has the servers answer large messages.
func (m *measurement) measureBulk(ctx context.Context) (err error) {
	c := conditions{inFlight: bulkInFlight, warmup: m.o.duration / 4, duration: m.o.duration}

	echo, err := echoTask(1 << 20)
	if err != nil {
		return err
	}
	native, weft := m.servers.nativeContender(), &contender{name: "weft", process: m.servers.weft, function: largeFunction}
	if err := contend(ctx, []*contender{native, weft}, echo, c, m.o.rounds); err != nil {
		return fmt.Errorf("echo: %w", err)
	}
	m.details.Echo = servedBy([]*contender{native, weft}, bulkInFlight)
	m.report.add(weft.against(native, "bulk/echo", fmt.Sprintf("1 MiB bytes echo, %d in flight", bulkInFlight), perSecond, requests, atLeast(0.8)))

	list, err := listTask(10_000)
	if err != nil {
		return err
	}
	native, weft = m.servers.nativeContender(), &contender{name: "weft", process: m.servers.weft, function: ownerFunction}
	plain := &contender{name: "weft, plain path", process: m.servers.weft, function: plainFunction}
	all := []*contender{native, weft, plain}
	var values *contender
	if wasmtime.Name == "lts" {
		values, err = m.startTagged(ctx, valuesTag, "weft, plain path by the engine's own values", "--memory", plainMemory)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, values.process.stop()) }()
		all = append(all, values)
	}
	if err := contend(ctx, all, list, c, m.o.rounds); err != nil {
		return fmt.Errorf("list: %w", err)
	}
	m.details.List = servedBy(all, bulkInFlight)
	name := fmt.Sprintf("list of 10,000 records of 6 fields (%.0f KB), %d in flight", float64(len(list.message))/1e3, bulkInFlight)
	m.report.add(
		weft.against(native, "bulk/list", name, perSecond, requests, atLeast(0.8)))
	if values == nil { // the plain path has no others
		m.report.add(weft.against(plain, "bulk/list-plain", name, perSecond, requests, atLeast(5)))
		return nil
	}
	m.report.add(
		weft.against(plain, "bulk/list-plain", name, perSecond, requests, nil),
		weft.against(values, "bulk/list-values", name, perSecond, requests, atLeast(5)))
	return nil
}
