package functions

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/durationpb"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/test/components"
	"github.com/weft-run/weft/test/wat"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/component"
	"github.com/weft-run/weft/wit/host"
)

type field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// about is what a function knows of its call.
type about struct {
	Self         string  `json:"self"`
	CallID       string  `json:"callId"`
	DeadlineLeft string  `json:"deadlineLeft"`
	Caller       string  `json:"caller"`
	Traceparent  string  `json:"traceparent"`
	TraceID      string  `json:"traceId"`
	Metadata     []field `json:"metadata"`
}

const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

// inLanguages runs a test with the component host in each language that it is written in.
func inLanguages(t *testing.T, test func(t *testing.T, wasm []byte)) {
	t.Helper()
	for language, name := range map[string]string{"Rust": "host", "Go": "host-go"} {
		t.Run(language, func(t *testing.T) { test(t, components.Bytes(t, name)) })
	}
}

// TestContext asks a function what it knows of its call: once as a client, and once through another function.
func TestContext(t *testing.T) { inLanguages(t, testContext) }

func testContext(t *testing.T, wasm []byte) {
	t.Helper()
	s := start(t)
	s.deployBytes("probe", wasm)
	world, err := component.Decode(wasm)
	if err != nil {
		t.Fatal(err)
	}
	who := slices.IndexFunc(world.Exports, func(i *wit.Interface) bool { return i.Name == "who" })
	s.deployBytes("front", wat.Proxy(t, world.Exports[who]))

	md := metadata.Pairs("weft-timings", "1", "authorization", "Bearer secret", "weft-caller", "default/forged@1", "x-tenant", "acme", "traceparent", traceparent)
	var trailer metadata.MD
	response, err := s.Call(t.Context(), "test.host.v0_1.Probe/About", []byte(`{}`), weft.WithMetadata(md), weft.ReceiveMetadata(nil, &trailer))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Value about `json:"value"`
	}
	if err := json.Unmarshal(response, &got); err != nil {
		t.Fatal(err)
	}
	v := got.Value
	if id := trailer.Get("weft-call"); v.Self != "default/probe@1" || v.Caller != "" || v.Traceparent != traceparent ||
		v.TraceID != traceparent[3:35] || len(id) != 1 || v.CallID != id[0] {
		t.Errorf("%+v, trailer %v", v, trailer)
	}
	if left, err := time.ParseDuration(v.DeadlineLeft + "ns"); err != nil || left <= 0 || left > 30*time.Second {
		t.Errorf("%v are left, %v", left, err)
	}
	if want := []field{{"traceparent", traceparent}, {"x-tenant", "acme"}}; !slices.Equal(v.Metadata, want) {
		t.Errorf("metadata is %v", v.Metadata)
	}
	response, err = s.Call(t.Context(), "front.Functions/Caller", []byte(`{}`), weft.WithMetadata(md))
	if want := `{"value":"default/front@1"}`; err != nil || strings.ReplaceAll(string(response), " ", "") != want {
		t.Errorf("the caller is %s, %v", response, err)
	}
}

// fetch has the function make a request.
func (s *server) fetch(method, url, more string) (body string, err error) {
	s.t.Helper()
	request := fmt.Appendf(nil, `{"method": %q, "url": %q%s}`, method, url, more)
	response, err := s.Call(s.t.Context(), "test.host.v0_1.Probe/Fetch", request,
		weft.WithMetadata(metadata.Pairs("traceparent", traceparent, "tracestate", "a=b")))
	if err != nil {
		return "", err
	}
	var got struct {
		Value struct {
			Status int    `json:"status"`
			Body   []byte `json:"body"`
		} `json:"value"`
	}
	if err := json.Unmarshal(response, &got); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d %s", got.Value.Status, got.Value.Body), nil
}

// TestHTTPClient has a function make requests.
func TestHTTPClient(t *testing.T) { inLanguages(t, testHTTPClient) }

func testHTTPClient(t *testing.T, wasm []byte) {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/large":
			_, _ = w.Write(make([]byte, 200<<10))
		case "/never":
			<-r.Context().Done()
		case "/away":
			http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusFound)
		case "/panic":
			panic(http.ErrAbortHandler)
		default:
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, "%s trace=%s state=%s own=%s caller=%q", r.Method, r.Header.Get("Traceparent"), r.Header.Get("Tracestate"),
				r.Header.Get("X-Own"), r.Header["Weft-Caller"])
		}
	}))
	t.Cleanup(web.Close)
	s := start(t, allow(t, web.URL))
	s.deployBytes("probe", wasm, func(spec *weftv1.DeploySpec) {
		spec.Limits = &weftv1.Limits{MessageBytes: 100 << 10}
	})

	got, err := s.fetch("POST", web.URL+"/x", `, "headers": [{"name": "x-own", "value": "1"}], "body": "aGVsbG8="`)
	if want := "201 POST trace=" + traceparent + ` state=a=b own=1 caller=[]`; err != nil || got != want {
		t.Errorf("answer is %s, %v", got, err)
	}
	got, err = s.fetch("GET", web.URL+"/x", `, "headers": [{"name": "Traceparent", "value": "mine"}]`)
	if err != nil || got != `201 GET trace=mine state= own= caller=[]` {
		t.Errorf("answer is %s, %v", got, err)
	}
	for _, tt := range []struct{ method, url, more, want string }{
		{"GET", "https://example.com/", "", "not-allowed: this node's configuration does not allow functions https requests to example.com:443"},
		{"GET", web.URL + "/away", "", "not-allowed: redirect from " + web.URL + "/away"},
		{"GET", web.URL + "/large", "", "response-too-large: "},
		{"GET", web.URL + "/never", `, "timeout": 50000000`, "timeout: "},
		{"GET", web.URL + "/panic", "", "protocol: "},
		{"GET", web.URL, `, "headers": [{"name": "Host", "value": "x"}]`, "invalid-request: "},
	} {
		got, err := s.fetch(tt.method, tt.url, tt.more)
		e, ok := errors.AsType[*weft.Error](err)
		if !ok || e.Code != codes.FailedPrecondition || !strings.Contains(e.Message, tt.want) {
			t.Errorf("%s %s: answer is %s, %v", tt.method, tt.url, got, err)
		}
	}
}

// TestHTTPClientDeadline has the caller's deadline end a request that gets no answer.
func TestHTTPClientDeadline(t *testing.T) {
	left := make(chan struct{}, 1)
	web := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		left <- struct{}{}
	}))
	t.Cleanup(web.Close)
	s := start(t, allow(t, web.URL))
	s.deployBytes("probe", components.Bytes(t, "host"), func(spec *weftv1.DeploySpec) {
		spec.Limits = &weftv1.Limits{Timeout: durationpb.New(200 * time.Millisecond)}
	})
	_, err := s.fetch("GET", web.URL, "")
	if e, ok := errors.AsType[*weft.Error](err); !ok || e.Code != codes.DeadlineExceeded {
		t.Errorf("error is %v", err)
	}
	<-left // the request is over too
}

// TestHostWIT compares the WIT that the test component has with what weft gives.
func TestHostWIT(t *testing.T) {
	root, err := components.Root()
	if err != nil {
		t.Fatal(err)
	}
	deps := os.DirFS(filepath.Join(root, "test/components/host/wit/deps"))
	files, err := fs.Glob(deps, "*/*.wit")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		mine, err := fs.ReadFile(host.Files(), name)
		if err != nil {
			t.Fatal(err)
		}
		if copied, err := fs.ReadFile(deps, name); err != nil || !bytes.Equal(copied, mine) {
			t.Errorf("%s differs from wit/host/%s, %v", name, name, err)
		}
	}
}
