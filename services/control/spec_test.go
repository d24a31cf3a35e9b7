package control

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/failure"
)

func TestCheckSpec(t *testing.T) {
	long := strings.Repeat("a", 64)
	tests := map[string]struct {
		spec *weftv1.DeploySpec
		want string // part of the message; empty if it is allowed
	}{
		"least":             {&weftv1.DeploySpec{Name: "a"}, ""},
		"all":               {&weftv1.DeploySpec{Name: long[:63], Namespace: "staging-2", Limits: defaultLimits(), RequestId: "x", Wait: durationpb.New(0)}, ""},
		"no name":           {&weftv1.DeploySpec{}, `function name ""`},
		"upper case":        {&weftv1.DeploySpec{Name: "Orders"}, `function name "Orders"`},
		"digit first":       {&weftv1.DeploySpec{Name: "1a"}, "function name"},
		"dots":              {&weftv1.DeploySpec{Name: "../a"}, "function name"},
		"64 letters":        {&weftv1.DeploySpec{Name: long}, "function name"},
		"bad namespace":     {&weftv1.DeploySpec{Name: "a", Namespace: "A"}, "namespace"},
		"little memory":     {&weftv1.DeploySpec{Name: "a", Limits: &weftv1.Limits{MemoryBytes: 1}}, "memory 1: from 65536"},
		"much memory":       {&weftv1.DeploySpec{Name: "a", Limits: &weftv1.Limits{MemoryBytes: 1 << 40}}, "memory"},
		"negative timeout":  {&weftv1.DeploySpec{Name: "a", Limits: &weftv1.Limits{Timeout: durationpb.New(-1)}}, "timeout"},
		"long timeout":      {&weftv1.DeploySpec{Name: "a", Limits: &weftv1.Limits{Timeout: durationpb.New(2 * time.Hour)}}, "timeout 2h0m0s"},
		"malformed timeout": {&weftv1.DeploySpec{Name: "a", Limits: &weftv1.Limits{Timeout: &durationpb.Duration{Seconds: 1, Nanos: -1}}}, "timeout"},
		"concurrency":       {&weftv1.DeploySpec{Name: "a", Limits: &weftv1.Limits{Concurrency: 1 << 30}}, "concurrency"},
		"queue":             {&weftv1.DeploySpec{Name: "a", Limits: &weftv1.Limits{Queue: 1 << 30}}, "queue"},
		"reuse":             {&weftv1.DeploySpec{Name: "a", Limits: &weftv1.Limits{Reuse: 1<<20 + 1}}, "reuse 1048577: from 1 to 1048576 calls is allowed"},
		"message":           {&weftv1.DeploySpec{Name: "a", Limits: &weftv1.Limits{MessageBytes: 1 << 40}}, "max message"},
		"wait":              {&weftv1.DeploySpec{Name: "a", Wait: durationpb.New(time.Hour)}, "wait"},
		"request ID":        {&weftv1.DeploySpec{Name: "a", RequestId: strings.Repeat("a", 200)}, "request ID"},
		"variable":          {&weftv1.DeploySpec{Name: "a", Environment: map[string]string{"A": "b", "_a1": ""}}, ""},
		"variable name":     {&weftv1.DeploySpec{Name: "a", Environment: map[string]string{"a=b": "c"}}, `environment variable "a=b"`},
		"variable digit":    {&weftv1.DeploySpec{Name: "a", Environment: map[string]string{"1": "c"}}, "environment variable"},
		"zero byte":         {&weftv1.DeploySpec{Name: "a", Environment: map[string]string{"A": "a\x00b"}}, "zero byte"},
		"long value":        {&weftv1.DeploySpec{Name: "a", Environment: map[string]string{"A": strings.Repeat("x", 40<<10)}}, "32768 are allowed"},
		"much environment": {&weftv1.DeploySpec{Name: "a", Environment: map[string]string{
			"A": strings.Repeat("x", 30<<10), "B": strings.Repeat("x", 30<<10), "C": strings.Repeat("x", 30<<10)}}, "the environment has"},
		"WIT files": {&weftv1.DeploySpec{Name: "a", Wit: make([]*weftv1.WitFile, 2000)}, "WIT files"},
		"contracts": {&weftv1.DeploySpec{Name: "a", Contracts: make([]*weftv1.Contract, 200)}, "contracts"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := checkSpec(tt.spec)
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || failure.ReasonOf(err) != InvalidRequest {
				t.Errorf("error %v", err)
			}
		})
	}
	spec := &weftv1.DeploySpec{Name: "a"}
	if err := checkSpec(spec); err != nil || spec.GetNamespace() != "default" {
		t.Errorf("namespace %q, %v", spec.GetNamespace(), err)
	}
}

func TestScheduling(t *testing.T) {
	for want, s := range map[string]*weftv1.Scheduling{
		"choose one":         {Replicas: 2, All: true},
		"at most 10000":      {Replicas: 10_001},
		`spread over "Zone"`: {Spread: []string{"Zone"}},
		"zone twice":         {Spread: []string{"zone", "zone"}},
		`require "=x"`:       {Require: map[string]string{"=x": "a"}},
		`require zone="\n"`:  {Require: map[string]string{"zone": "\n"}},
	} {
		if err := checkScheduling(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", s, err, want)
		}
	}
	for _, s := range []*weftv1.Scheduling{
		nil, {}, {All: true}, {Replicas: 3, Spread: []string{"zone", "topology/rack"}, Require: map[string]string{"disk": "fast ssd", "x": ""}},
	} {
		if err := checkScheduling(s); err != nil {
			t.Errorf("%v: %v", s, err)
		}
	}
}
