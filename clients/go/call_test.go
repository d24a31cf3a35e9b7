package weft_test

import (
	"errors"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

func TestCall(t *testing.T) {
	f, client := serve(t, weft.WithNamespace("staging"))
	var header metadata.MD
	got, err := client.Call(t.Context(), "FunctionService/Get", []byte(`{"name":"orders"}`),
		weft.OfFunction("other"), weft.OfRevision(3), weft.WithMetadata(metadata.Pairs("trace", "1", "trace", "2")),
		weft.ReceiveMetadata(&header, nil))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"function":{"namespace":"","name":"orders","revision":0,"revisions":[],"services":[],"calls":[],"callers":[],"secrets":[]}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for key, want := range map[string]string{
		"weft-namespace": "staging", "weft-function": "other", "weft-revision": "3", "trace": "1 2",
	} {
		if got := strings.Join(f.metadata.Get(key), " "); got != want {
			t.Errorf("metadata %s: %q, want %q", key, got, want)
		}
	}
	if len(header) == 0 {
		t.Error("no header received")
	}
}

func TestInvoke(t *testing.T) {
	_, client := serve(t)
	request, err := proto.Marshal(&weftv1.GetRequest{Name: "orders"})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Invoke(t.Context(), "weft.v1.FunctionService/Get", request)
	if err != nil {
		t.Fatal(err)
	}
	var response weftv1.GetResponse
	if err := proto.Unmarshal(answer, &response); err != nil || response.GetFunction().GetName() != "orders" {
		t.Errorf("%v, %v", &response, err)
	}
}

func TestMethodIsLookedUpOnce(t *testing.T) {
	_, client := serve(t)
	m, err := client.Method(t.Context(), "/weft.v1.FunctionService/List")
	if err != nil {
		t.Fatal(err)
	}
	if m.Name() != "weft.v1.FunctionService/List" {
		t.Errorf("name %s", m.Name())
	}
	for range 2 {
		got, err := m.Call(t.Context(), nil)
		if err != nil || !strings.Contains(string(got), `"name":"stock"`) {
			t.Errorf("%s, %v", got, err)
		}
	}
}

func TestUnknownMethods(t *testing.T) {
	_, client := serve(t)
	tests := []struct {
		name, near string
		ambiguous  bool
	}{
		{"FunctionService/Lst", "weft.v1.FunctionService/List", false},
		{"FunctionService/list", "weft.v1.FunctionService/List", false},
		{"FunctoinService/List", "weft.v1.FunctionService/List", false},
		{"weft.v1.FunctionServices/Get", "weft.v1.FunctionService/Get", false},
		{"Nothing/LikeIt", "", false},
		{"List", "", false},
		{"/", "", false},
		{"ServerReflection/ServerReflectionInfo", "grpc.reflection.v1.ServerReflection/ServerReflectionInfo", true},
	}
	for _, tt := range tests {
		_, err := client.Method(t.Context(), tt.name)
		var unknown *weft.UnknownMethodError
		if !errors.As(err, &unknown) {
			t.Errorf("%s: error %v", tt.name, err)
			continue
		}
		first := ""
		if len(unknown.Near) > 0 {
			first = unknown.Near[0]
		}
		if first != tt.near || unknown.Ambiguous != tt.ambiguous {
			t.Errorf("%s: near %q, ambiguous %v", tt.name, unknown.Near, unknown.Ambiguous)
		}
		if !strings.Contains(err.Error(), tt.near) || status.Code(err) != codes.Unimplemented {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestCallErrors(t *testing.T) {
	_, client := serve(t)
	t.Run("detail in JSON", func(t *testing.T) {
		_, err := client.Call(t.Context(), "FunctionService/Get", []byte(`{"name":"breaks"}`))
		var e *weft.Error
		if !errors.As(err, &e) || e.Reason != "BREAKING_CHANGE" || len(e.Details) != 1 {
			t.Fatalf("error %v", err)
		}
		d := e.Details[0]
		want := `{"path":"demo.v1.Order.note","description":"field removed","breaking":true}`
		if d.Type != "weft.v1.Change" || string(d.JSON) != want {
			t.Errorf("detail %s %s", d.Type, d.JSON)
		}
	})
	for name, request := range map[string]string{
		"not JSON":      `{`,
		"unknown field": `{"title":"orders"}`,
		"wrong type":    `{"name":7}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client.Call(t.Context(), "FunctionService/Get", []byte(request))
			if err == nil || !strings.HasPrefix(err.Error(), "request of weft.v1.FunctionService/Get: ") {
				t.Errorf("error %v", err)
			}
		})
	}
	t.Run("stream", func(t *testing.T) {
		_, err := client.Call(t.Context(), "FunctionService/Logs", []byte(`{"name":"orders"}`))
		if status.Code(err) != codes.Unimplemented || !strings.Contains(err.Error(), "is a stream") {
			t.Errorf("error %v", err)
		}
	})
}
