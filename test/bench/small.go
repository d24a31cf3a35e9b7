package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc"

	"github.com/weft-run/weft/executor/wasmtime"
	recordsv1 "github.com/weft-run/weft/test/bench/proto/bench/records/v1"
)

// smallRecord has six fields, one of them nested and one a list.
func smallRecord() *recordsv1.TouchRequest {
	return &recordsv1.TouchRequest{Customer: &recordsv1.Customer{
		Id: 4711, Name: "Ada Lovelace", Active: true, Score: 99.5,
		Home: &recordsv1.Place{City: "London", Zip: 12345},
		Tags: []string{"founder", "analyst", "poet"},
	}}
}

// touchTask is a call with the small record.
func touchTask() (task, error) {
	return newTask(recordsv1.Records_Touch_FullMethodName, smallRecord(), func(ctx context.Context, conn grpc.ClientConnInterface) error {
		request := smallRecord()
		response, err := recordsv1.NewRecordsClient(conn).Touch(ctx, request)
		if err != nil {
			return err
		}
		return checkScore(response.GetValue().GetScore(), request.GetCustomer().GetScore()+1)
	})
}

// smallGoal is the share of the native server's requests that each engine should serve.
var smallGoal = map[string]float64{"stock": 0.4, "lts": 1}

// throughGoal is the share that they should serve through grpc-go.
var throughGoal = map[string]*goal{"lts": atLeast(0.7)}

// measureSmall has all servers answer the small record in a closed loop.
func (m *measurement) measureSmall(ctx context.Context) (err error) {
	native := m.servers.nativeContender()
	workers := &contender{name: "grpc-go, generated code, 64 stream workers", process: m.servers.workers}
	weft := &contender{name: "weft, an instance per call", process: m.servers.weft}
	through, err := m.startTagged(ctx, grpcGoTag, "weft, grpc-go serves its port")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, through.process.stop()) }()
	fresh, err := m.startFresh(ctx, "weft, a new instance per call")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, fresh.process.stop()) }()
	all := []*contender{native, workers, weft, fresh, through}
	serve, err := startServe(ctx, m.o)
	if err != nil {
		m.report.Missing = append(m.report.Missing, fmt.Sprintf("wasmtime serve: %v", err))
	} else {
		defer serve.process.kill() // it does not end well on a signal
		all = append(all, serve)
		m.report.Run.Versions["wasmtime serve"] = programVersion(serve.process.cmd.Path, "--version")
	}
	work, err := touchTask()
	if err != nil {
		return err
	}
	c := conditions{inFlight: m.o.inFlight, warmup: m.o.duration / 4, duration: m.o.duration}
	if err := contend(ctx, all, work, c, m.o.rounds); err != nil {
		return err
	}
	m.saturation = min(median(weft.of(requests)), median(native.of(requests)))
	m.details.Small = servedBy(all, m.o.inFlight)
	name := fmt.Sprintf("small record, instance per call, %d in flight: ", m.o.inFlight)
	m.report.add(
		weft.against(native, "small/requests", name+"requests", perSecond, requests, atLeast(smallGoal[wasmtime.Name])),
		weft.against(native, "small/p50", name+"p50", inMicros, p50, nil),
		weft.against(native, "small/p99", name+"p99", inMicros, p99, atMost(1.5)),
		weft.against(native, "small/cpu", name+"server's CPU time per call", inMicros, serverCPU, nil),
		fresh.against(native, "small/requests-fresh", name+"requests, with "+freshFlag, perSecond, requests, nil),
		weft.against(workers, "small/requests-workers", name+"requests", perSecond, requests, nil),
		through.against(native, "small/requests-through", name+"requests, through grpc-go", perSecond, requests, throughGoal[wasmtime.Name]))
	if serve != nil {
		m.report.add(weft.against(serve, "small/requests-serve", name+"requests", perSecond, requests, nil))
	}
	return nil
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[n/2] + sorted[(n-1)/2]) / 2
}

// medianRatio is the median of the ratios of values to those of the same round.
func medianRatio(values, to []float64) float64 {
	ratios := make([]float64, len(values))
	for i := range ratios {
		ratios[i] = values[i] / to[i]
	}
	return median(ratios)
}
