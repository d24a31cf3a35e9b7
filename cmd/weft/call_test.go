package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/weft-run/weft/test/wat"
)

func TestCall(t *testing.T) {
	s := startServer(t)
	s.weft("deploy", wat.Guest{}.File(t), "--name", "calc").ok()
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"demo.calc.v1.Calc/Add", `{"a":1,"b":2}`}, "{\n  \"value\": 3\n}\n"},
		{[]string{"Calc/Add", `{"a":1,"b":2}`}, "{\n  \"value\": 3\n}\n"},
		{[]string{"v1.Calc/Add"}, "{\n  \"value\": 0\n}\n"},
		{[]string{"/Calc/Add", "@" + write(t, "request.json", []byte(`{"a":40,"b":2}`))}, "{\n  \"value\": 42\n}\n"},
		{[]string{"Calc/Area", `{"size":{"f0":6,"f1":7}}`}, "{\n  \"value\": 42\n}\n"},
		{[]string{"Calc/Spell", `{"letter":"é"}`}, "{\n  \"value\": 233\n}\n"},
		{[]string{"Calc/Add", `{"a":1,"b":2}`, "--function", "calc", "--revision", "1", "-H", "trace=1", "--timeout", "5s"}, "{\n  \"value\": 3\n}\n"},
		{[]string{"Calc/Add", `{"a":1,"b":2}`, "--json"}, "{\n  \"value\": 3\n}\n"},
		{[]string{"Calc/Log", "{}"}, "{}\n"},
	}
	for _, tt := range tests {
		if r := s.weft(append([]string{"call"}, tt.args...)...).ok(); r.out != tt.want || r.err != "" {
			t.Errorf("%s\nwant %s", r, tt.want)
		}
	}
	weftWith(t, `{"a":20,"b":1}`, "call", "Calc/Add", "-", "--addr", s.addr).ok().prints(`"value": 21`)
}

func TestCallErrors(t *testing.T) {
	s := startServer(t)
	s.weft("deploy", wat.Guest{}.File(t), "--name", "calc").ok()
	tests := []struct {
		name string
		args []string
		want []string
	}{
		{"the function's own", []string{"Calc/Div", `{"a":1}`}, []string{"FAILED_PRECONDITION: division by zero", `demo.calc.v1.DivError {`, `"value": "division by zero"`}},
		{"trap", []string{"Calc/Trap"}, []string{"INTERNAL (TRAP): ", "unreachable"}},
		{"deadline", []string{"Calc/Spin", "--timeout", "300ms"}, []string{"DEADLINE_EXCEEDED"}},
		{"required field", []string{"Calc/Area", "{}"}, []string{"INVALID_ARGUMENT (MALFORMED_REQUEST): size"}},
		{"two characters", []string{"Calc/Spell", `{"letter":"ab"}`}, []string{"INVALID_ARGUMENT (MALFORMED_REQUEST): letter"}},
		{"no JSON", []string{"Calc/Add", "{"}, []string{"request of demo.calc.v1.Calc/Add"}},
		{"unknown field", []string{"Calc/Add", `{"c":1}`}, []string{`unknown field "c"`}},
		{"no such file", []string{"Calc/Add", "@/none/such"}, []string{"no such file"}},
		{"method typo", []string{"Calc/Ad"}, []string{"UNIMPLEMENTED: ", "did you mean demo.calc.v1.Calc/Add"}},
		{"service typo", []string{"Clac/Add"}, []string{"did you mean demo.calc.v1.Calc/Add?"}},
		{"no method", []string{"Calc"}, []string{`"Calc" is no SERVICE/METHOD`}},
		{"no such function", []string{"Calc/Add", "--function", "clac"}, []string{"UNKNOWN_FUNCTION", "did you mean calc?"}},
		{"no such revision", []string{"Calc/Add", "--revision", "9"}, []string{"no revision 9"}},
		{"stream", []string{"FunctionService/Logs"}, []string{"is a stream"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(*testing.T) {
			s.weft(append([]string{"call"}, tt.args...)...).exits(exitFailure).complains(tt.want...)
		})
	}
	s.weft("call", "Calc/Add", `{"a":1,"b":2}`).ok().prints("3")
}

func TestCallErrorJSON(t *testing.T) {
	s := startServer(t)
	s.weft("deploy", wat.Guest{}.File(t), "--name", "calc").ok()
	parse := func(r result) failure {
		t.Helper()
		var f map[string]failure
		if err := json.Unmarshal([]byte(r.exits(exitFailure).complains().err), &f); err != nil || len(f) != 1 {
			t.Fatalf("%v: %s", err, r.err)
		}
		return f["error"]
	}
	own := parse(s.weft("call", "Calc/Div", `{"a":1}`, "--json"))
	if own.Code != "FAILED_PRECONDITION" || own.Reason != "" || own.Message != "division by zero" || len(own.Details) != 1 {
		t.Fatalf("%+v", own)
	}
	if d := own.Details[0]; d.Type != "demo.calc.v1.DivError" || !strings.Contains(string(d.Value), `"division by zero"`) {
		t.Errorf("detail %s %s", d.Type, d.Value)
	}
	trap := parse(s.weft("call", "Calc/Trap", "--json"))
	if trap.Code != "INTERNAL" || trap.Reason != "TRAP" {
		t.Errorf("%+v", trap)
	}
	local := parse(s.weft("call", "Calc/Add", "{", "--json"))
	if local.Code != "" || local.Message == "" {
		t.Errorf("%+v", local)
	}
}
