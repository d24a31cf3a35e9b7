package functions

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/node"
	"github.com/weft-run/weft/services/secrets"
	"github.com/weft-run/weft/test/components"
	"github.com/weft-run/weft/test/wat"
	"github.com/weft-run/weft/wit/host"
)

// keys gives a node keys for secrets, each made of one byte.
func keys(t *testing.T, all ...byte) func(*node.Config) {
	t.Helper()
	var lines []string
	for _, b := range all {
		lines = append(lines, base64.StdEncoding.EncodeToString(slices.Repeat([]byte{b}, 32)))
	}
	ring, err := secrets.ParseKeys(strings.Join(lines, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return func(c *node.Config) { c.SecretKeys = ring }
}

// read has a function of test/components/config get a key; "none" stands for no value, "error: …" for an error.
func (s *server) read(function, method, key string) string {
	s.t.Helper()
	request, err := json.Marshal(map[string]string{"key": key})
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := s.Call(s.t.Context(), "test.config.v0_1.Reader/"+method, request, weft.OfFunction(function))
	return answered(s.t, response, err, func(data []byte) string {
		var got struct {
			Value struct {
				Text *string `json:"text"`
			} `json:"value"`
		}
		if err := json.Unmarshal(data, &got); err != nil {
			s.t.Fatalf("%s: %v", data, err)
		}
		if got.Value.Text == nil {
			return "none"
		}
		return *got.Value.Text
	})
}

// readAll has a function get everything.
func (s *server) readAll(function string) string {
	s.t.Helper()
	response, err := s.Call(s.t.Context(), "test.config.v0_1.Reader/All", []byte("{}"), weft.OfFunction(function))
	return answered(s.t, response, err, func(data []byte) string {
		var got struct {
			Value []struct {
				Key  string `json:"key"`
				Text string `json:"text"`
			} `json:"value"`
		}
		if err := json.Unmarshal(data, &got); err != nil {
			s.t.Fatalf("%s: %v", data, err)
		}
		var all []string
		for _, p := range got.Value {
			all = append(all, p.Key+"="+p.Text)
		}
		return strings.Join(all, " ")
	})
}

// answered reads an answer, or the error that the function made of wasi:config's.
func answered(t testing.TB, response []byte, err error, read func([]byte) string) string {
	t.Helper()
	if err == nil {
		return read(response)
	}
	failed, ok := err.(*weft.Error) //nolint:errorlint // it is what Call returns
	if !ok || failed.Code != codes.FailedPrecondition || len(failed.Details) == 0 || !strings.Contains(failed.Details[0].Type, "config.v0_1") {
		t.Fatalf("error %v", err)
	}
	return "error: " + string(failed.Details[0].JSON)
}

// TestConfig reads variables and secrets by every version of wasi:config.
func TestConfig(t *testing.T) {
	s := start(t, keys(t, 1))
	wasm := components.Bytes(t, "config")
	variables := func(spec *weftv1.DeploySpec) { spec.Environment = map[string]string{"HOST": "db", "MODE": "fast"} }
	s.deployBytes("reader", wasm, variables)
	s.deployBytes("other", wasm)
	want := func(function, key, want string) {
		t.Helper()
		for _, method := range []string{"Get", "GetRc", "GetRuntime"} {
			if got := s.read(function, method, key); got != want {
				t.Errorf("%s: %s of %s is %q, want %q", function, method, key, got, want)
			}
		}
	}
	set := func(function, key, value string) {
		t.Helper()
		if _, err := s.SetSecret(t.Context(), function, key, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	want("reader", "HOST", "db")
	want("reader", "password", "none")
	want("other", "HOST", "none")
	if got := s.readAll("other"); got != "" {
		t.Errorf("other sees %s", got)
	}

	set("", "password", "first\n")
	want("reader", "password", "first\n")
	want("other", "password", "first\n")
	set("", "password", "zwölf\x00Boxkämpfer") // no deploy in between
	want("reader", "password", "zwölf\x00Boxkämpfer")
	set("reader", "password", "own")
	set("", "MODE", "a secret goes before a variable")
	want("reader", "password", "own")
	want("other", "password", "zwölf\x00Boxkämpfer")
	want("reader", "MODE", "a secret goes before a variable")
	if got := s.readAll("reader"); got != "HOST=db MODE=a secret goes before a variable password=own" {
		t.Errorf("reader sees %s", got)
	}
	if err := s.DeleteSecret(t.Context(), "reader", "password"); err != nil {
		t.Fatal(err)
	}
	want("reader", "password", "zwölf\x00Boxkämpfer")

	r, err := s.Get(t.Context(), "reader")
	if err != nil {
		t.Fatal(err)
	}
	var shown []string
	for _, secret := range r.GetFunction().GetSecrets() {
		shown = append(shown, fmt.Sprintf("%s@%d %v", secret.GetKey(), secret.GetVersion(), secret.GetReadable()))
	}
	if got := strings.Join(shown, ", "); got != "MODE@1 true, password@2 true" {
		t.Errorf("the function is described with the secrets %s", got)
	}
}

// TestConfigNames reads a variable by every name that components import wasi:config/store by, each with a component that imports nothing else.
func TestConfigNames(t *testing.T) {
	s := start(t)
	provided := host.Interfaces("wasi-config")["store"]
	for i, id := range append(host.Also(provided), provided.ID) {
		imported, name := *provided, fmt.Sprintf("proxy%d", i)
		imported.ID = id
		s.deployBytes(name, wat.Proxy(t, &imported), func(spec *weftv1.DeploySpec) {
			spec.Environment = map[string]string{"HOST": "db"}
		})
		got, err := s.Call(t.Context(), name+".Functions/Get", []byte(`{"key": "HOST"}`))
		if err != nil || !strings.Contains(string(got), `"db"`) {
			t.Errorf("%s: %s, %v", id, got, err)
		}
	}
	unknown := *provided
	unknown.ID = "wasi:config/store@0.2.0-rc.9"
	_, err := s.tryBytes("proxy", wat.Proxy(t, &unknown))
	refused(t, err, "UNSUPPORTED", "0.2.0-draft, 0.2.0-draft-2024-09-27, 0.2.0-rc.1")
}

// TestConfigBounds gives a function no more at once than it may be sent.
func TestConfigBounds(t *testing.T) {
	s := start(t, keys(t, 1))
	s.deployBytes("reader", components.Bytes(t, "config"), func(spec *weftv1.DeploySpec) { spec.Limits = &weftv1.Limits{MessageBytes: 100 << 10} })
	large := strings.Repeat("x", 64<<10)
	for _, key := range []string{"a", "b"} {
		if _, err := s.SetSecret(t.Context(), "", key, []byte(large)); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.readAll("reader"); !strings.Contains(got, "131074 bytes together") || !strings.Contains(got, "--max-message") {
		t.Errorf("all: %.200s", got)
	}
	if got := s.read("reader", "Get", "b"); got != large {
		t.Errorf("one: %.200s", got)
	}
	for name, tt := range map[string]struct{ key, value, says string }{
		"1 MiB":  {"a", strings.Repeat("x", 1<<20), "the value has 1048576 bytes; a secret has 65536 (64 KiB) at most"},
		"binary": {"a", "\xff\x00", "base64"},
		"empty":  {"a", "", "the value is empty"},
		"no key": {"", "x", "the key of a secret"},
	} {
		_, err := s.SetSecret(t.Context(), "", tt.key, []byte(tt.value))
		refused(t, err, "INVALID_REQUEST", tt.says)
		if err != nil && len(err.Error()) > 500 {
			t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
		}
	}
}

// TestSecretsWithoutTheKey has a node without keys, and one with the wrong one, answer for a node that has them.
func TestSecretsWithoutTheKey(t *testing.T) {
	first := start(t, keys(t, 1))
	nodes := map[string]*server{"right": first}
	for name, change := range map[string]func(*node.Config){"none": func(*node.Config) {}, "wrong": keys(t, 2)} {
		token, err := first.CreateToken(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		nodes[name] = start(t, change, func(c *node.Config) {
			c.Name, c.Join, c.Token = name, first.node.ClusterAddr(), token.GetToken()
		})
	}
	wasm := components.Bytes(t, "config")
	first.deployBytes("reader", wasm, func(spec *weftv1.DeploySpec) {
		spec.Scheduling, spec.Environment = &weftv1.Scheduling{All: true}, map[string]string{"HOST": "db"}
	})
	if _, err := first.SetSecret(t.Context(), "", "password", []byte("hunter2")); err != nil {
		t.Fatal(err)
	}
	if got := first.read("reader", "Get", "password"); got != "hunter2" {
		t.Errorf("password is %s", got)
	}
	for name, says := range map[string]string{"none": "this node has no key for secrets", "wrong": "is encrypted with key"} {
		s := nodes[name]
		eventually(t, name+" knows of the secret and runs the function", func() bool {
			list, err := s.Secrets(t.Context(), weft.Stale())
			return err == nil && len(list.GetSecrets()) == 1 && strings.Contains(s.read("reader", "Get", "password"), says)
		})
		if got := s.readAll("reader"); !strings.HasPrefix(got, "error: ") || !strings.Contains(got, says) {
			t.Errorf("%s: all are %s", name, got)
		}
		if got := s.read("reader", "Get", "HOST"); got != "db" {
			t.Errorf("%s: HOST is %s", name, got)
		}
		list, err := s.Secrets(t.Context())
		if err != nil || list.GetSecrets()[0].GetReadable() {
			t.Errorf("%s: secrets %v, %v", name, list, err)
		}
	}
	_, err := nodes["none"].SetSecret(t.Context(), "", "other", []byte("x"))
	refused(t, err, "NO_KEY", "--secrets-key")
	_, err = nodes["none"].ResealSecrets(t.Context())
	refused(t, err, "NO_KEY", "--secrets-key")
	resealed, err := nodes["wrong"].ResealSecrets(t.Context())
	if err != nil || len(resealed.GetUnreadable()) != 1 || len(resealed.GetResealed()) != 0 {
		t.Errorf("resealed %v, %v", resealed, err)
	}
	// Who sees the cluster as a whole is told.
	eventually(t, "the warnings", func() bool {
		list, err := first.Nodes(t.Context())
		if err != nil {
			return false
		}
		warned := map[string]bool{}
		for _, n := range list.GetNodes() {
			warned[n.GetName()] = strings.Contains(strings.Join(n.GetWarnings(), " "), "--secrets-key")
		}
		return maps.Equal(warned, map[string]bool{"n1": false, "none": true, "wrong": true})
	})
}
