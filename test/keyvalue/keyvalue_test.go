package keyvalue

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/weft-run/weft/services/keyvalue"
	"github.com/weft-run/weft/services/keyvalue/embedded"
	"github.com/weft-run/weft/services/keyvalue/keyvaluetest"
	"github.com/weft-run/weft/services/node"
)

// servers are those of the backends that have one.
var servers = map[string]func(testing.TB) *keyvaluetest.Server{"redis": keyvaluetest.Redis, "nats": keyvaluetest.NATS}

func TestFunctions(t *testing.T) {
	for _, name := range []string{"embedded", "redis", "nats"} {
		t.Run(name, func(t *testing.T) {
			address := "embedded"
			if server := servers[name]; server != nil {
				address = server(t).URL
			}
			s := start(t, t.TempDir(), address, func(c *node.Config) { c.KeyValueQuota = 1 << 20 })
			s.deploy("kv")
			s.ready()
			t.Run("pairs", func(t *testing.T) { s.in(t).pairs() })
			t.Run("atomics", func(t *testing.T) { s.in(t).atomics() })
			t.Run("batches", func(t *testing.T) { s.in(t).batches() })
			t.Run("first draft", func(t *testing.T) { s.in(t).firstDraft() })
			t.Run("errors", func(t *testing.T) { s.in(t).errors() })
			t.Run("functions", func(t *testing.T) { s.in(t).functions() })
			t.Run("metrics", func(t *testing.T) { s.in(t).counts() })
		})
	}
}

// in is the server in a subtest.
func (s *server) in(t *testing.T) *server {
	t.Helper()
	return &server{Client: s.Client, t: t, node: s.node}
}

// ready waits until the backend answers.
func (s *server) ready() {
	s.t.Helper()
	s.eventually("the backend answers", func() bool {
		_, err := s.call("keyvalue.Pairs/Exists", arguments{"bucket": "", "key": "k"})
		return err == nil
	})
}

func (s *server) pairs() {
	k := arguments{"bucket": "b", "key": "k"}
	s.want("keyvalue.Pairs/Get", k, `{}`)
	s.want("keyvalue.Pairs/Exists", k, `{"value":false}`)
	s.want("keyvalue.Pairs/Set", arguments{"bucket": "b", "key": "k", "value": "one"}, `{}`)
	s.want("keyvalue.Pairs/Get", k, `{"value":"one"}`)
	s.want("keyvalue.Pairs/Exists", k, `{"value":true}`)
	s.want("keyvalue.Pairs/Get", arguments{"bucket": "other", "key": "k"}, `{}`)
	s.want("keyvalue.Pairs/Set", arguments{"bucket": "b", "key": "k", "value": ""}, `{}`)
	s.want("keyvalue.Pairs/Get", k, `{"value":""}`)
	s.want("keyvalue.Pairs/ListKeys", arguments{"bucket": "b"}, `{"value":{"keys":["k"]}}`)
	s.want("keyvalue.Pairs/Delete", k, `{}`)
	s.want("keyvalue.Pairs/Delete", k, `{}`)
	s.want("keyvalue.Pairs/Get", k, `{}`)
	s.want("keyvalue.Pairs/ListKeys", arguments{"bucket": "b"}, `{"value":{"keys":[]}}`)
	s.want("keyvalue.Pairs/Set", arguments{"bucket": "", "key": "k", "value": "x"}, `{}`)
	s.want("keyvalue.Pairs/Get", arguments{"bucket": "default", "key": "k"}, `{"value":"x"}`)
}

func (s *server) atomics() {
	n := arguments{"bucket": "a", "key": "n", "delta": "5"}
	s.want("keyvalue.Pairs/Increment", n, `{"value":"5"}`)
	s.want("keyvalue.Pairs/Increment", arguments{"bucket": "a", "key": "n", "delta": "-7"}, `{"value":"-2"}`)
	s.want("keyvalue.Pairs/Get", arguments{"bucket": "a", "key": "n"}, `{"value":"-2"}`)
	s.want("keyvalue.Pairs/SwapLate", arguments{"bucket": "a", "key": "s", "set": "set", "swap": "swapped"}, `{"value":"set"}`)
	s.want("keyvalue.Pairs/SwapLate", arguments{"bucket": "a", "key": "s", "set": "set", "swap": "swapped"}, `{"value":"set"}`)
	s.want("keyvalue.Pairs/Append", arguments{"bucket": "a", "key": "s", "text": "+"}, `{"value":1}`)
	s.want("keyvalue.Pairs/Get", arguments{"bucket": "a", "key": "s"}, `{"value":"set+"}`)
	s.want("keyvalue.Pairs/SetSize", arguments{"bucket": "a", "key": "large", "size": 100_000}, `{}`)
	s.want("keyvalue.Pairs/CurrentSize", arguments{"bucket": "a", "key": "large"}, `{"value":100000}`)
	s.want("keyvalue.Pairs/CurrentSize", arguments{"bucket": "a", "key": "none"}, `{"value":0}`)
	s.want("keyvalue.Pairs/Delete", arguments{"bucket": "a", "key": "large"}, `{}`)

	const callers, each = 4, 10
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() {
			for range each {
				if _, err := s.call("keyvalue.Pairs/Append", arguments{"bucket": "a", "key": "race", "text": fmt.Sprint(i)}); err != nil {
					s.t.Error(err)
				}
				if _, err := s.call("keyvalue.Pairs/Increment", arguments{"bucket": "a", "key": "race-n", "delta": 1}); err != nil {
					s.t.Error(err)
				}
			}
		})
	}
	group.Wait()
	s.want("keyvalue.Pairs/Get", arguments{"bucket": "a", "key": "race-n"}, fmt.Sprintf(`{"value":"%d"}`, callers*each))
	word, err := s.call("keyvalue.Pairs/Get", arguments{"bucket": "a", "key": "race"})
	for i := range callers {
		if n := strings.Count(word, fmt.Sprint(i)); err != nil || n != each {
			s.t.Errorf("caller %d appended %d times, and %d are seen in %s, %v", i, each, n, word, err)
		}
	}
}

func (s *server) batches() {
	s.want("keyvalue.Pairs/SetMany", arguments{"bucket": "m", "pairs": []any{
		arguments{"f0": "k1", "f1": "one"}, arguments{"f0": "k2", "f1": "two"}, arguments{"f0": "k1", "f1": "last"},
	}}, `{}`)
	s.want("keyvalue.Pairs/GetMany", arguments{"bucket": "m", "keys": []string{"k2", "none", "k1"}},
		`{"value":[{"f0":"k2","f1":"two"},{"f0":"none"},{"f0":"k1","f1":"last"}]}`)
	s.want("keyvalue.Pairs/GetMany", arguments{"bucket": "m"}, `{"value":[]}`)
	s.want("keyvalue.Pairs/DeleteMany", arguments{"bucket": "m", "keys": []string{"k1", "none", "k2"}}, `{}`)
	s.want("keyvalue.Pairs/ListKeys", arguments{"bucket": "m"}, `{"value":{"keys":[]}}`)
}

func (s *server) firstDraft() {
	s.want("keyvalue.FirstDraft/Increment", arguments{"bucket": "f", "key": "n", "delta": "5"}, `{"value":"5"}`)
	s.want("keyvalue.FirstDraft/Set", arguments{"bucket": "f", "key": "k", "value": "v"}, `{}`)
	s.want("keyvalue.Pairs/Get", arguments{"bucket": "f", "key": "k"}, `{"value":"v"}`)
	s.want("keyvalue.FirstDraft/GetMany", arguments{"bucket": "f", "keys": []string{"none", "k"}},
		`{"value":[{},{"value":{"f0":"k","f1":"v"}}]}`)
	s.want("keyvalue.Pairs/Increment", arguments{"bucket": "f", "key": "n", "delta": "-10"}, `{"value":"-5"}`)
	s.fails("keyvalue.FirstDraft/Increment", arguments{"bucket": "f", "key": "n", "delta": "1"}, "is -4", "no place")
	s.fails("keyvalue.FirstDraft/Increment", arguments{"bucket": "f", "key": "n", "delta": "9223372036854775808"}, "more than can be added")
	s.fails("keyvalue.FirstDraft/ListAfter", arguments{"bucket": "f", "cursor": "7"}, "7 is no cursor")

	var pairs []any
	for i := range 1000 {
		pairs = append(pairs, arguments{"f0": fmt.Sprintf("key-%04d", i), "f1": ""})
	}
	s.want("keyvalue.Pairs/SetMany", arguments{"bucket": "f", "pairs": pairs}, `{}`)
	all, err := s.call("keyvalue.FirstDraft/ListAll", arguments{"bucket": "f"}) // 1,002 keys
	if err != nil || !strings.HasSuffix(all, `"f1":2}}`) || strings.Count(all, "key-") != 1000 {
		s.t.Errorf("%.100s…, %v", all, err)
	}
}

func (s *server) errors() {
	s.fails("keyvalue.Pairs/Get", arguments{"bucket": "no such", "key": "k"}, "no-such-store")
	s.fails("keyvalue.Pairs/Get", arguments{"bucket": strings.Repeat("b", 65), "key": "k"}, "no-such-store")
	s.fails("keyvalue.Pairs/Get", arguments{"bucket": "e"}, "a key is empty")
	s.fails("keyvalue.Pairs/Set", arguments{"bucket": "e", "key": strings.Repeat("k", 513)}, "513 bytes; it may have 512")
	s.fails("keyvalue.Pairs/SetSize", arguments{"bucket": "e", "key": "k", "size": 1_000_001}, "1000001 bytes; it may have 1000000")
	s.fails("keyvalue.Pairs/SetSize", arguments{"bucket": "e", "key": "k", "size": 999_999}, "quota exceeded: function default/kv may store 1048576 bytes")
	s.fails("keyvalue.Pairs/DeleteMany", arguments{"bucket": "e", "keys": make([]string, 1001)}, "1001 keys; it may have 1000")
	s.want("keyvalue.Pairs/Set", arguments{"bucket": "e", "key": "k", "value": "text"}, `{}`)
	s.fails("keyvalue.Pairs/Increment", arguments{"bucket": "e", "key": "k", "delta": 1}, "no number")
	s.want("keyvalue.Pairs/OpenMany", arguments{"count": 5000}, `{}`)
	if _, err := s.call("keyvalue.Pairs/OpenMany", arguments{"count": 5000, "keep": true}); err == nil || !strings.Contains(err.Error(), "4096 resources") {
		s.t.Errorf("5,000 handles: %v", err)
	}
	s.want("keyvalue.Pairs/Get", arguments{"bucket": "e", "key": "k"}, `{"value":"text"}`)
}

// functions has another function use the same names, a second revision use the data of the first, and a function made anew.
func (s *server) functions() {
	k := arguments{"bucket": "shared", "key": "k"}
	s.want("keyvalue.Pairs/Set", arguments{"bucket": "shared", "key": "k", "value": "of kv"}, `{}`)
	s.deploy("kv2")
	s.want("kv2:keyvalue.Pairs/Get", k, `{}`)
	s.want("kv2:keyvalue.Pairs/Set", arguments{"bucket": "shared", "key": "k", "value": "of kv2"}, `{}`)
	s.want("keyvalue.Pairs/Get", k, `{"value":"of kv"}`)
	s.deploy("kv2") // its second revision
	s.want("kv2:keyvalue.Pairs/Get", k, `{"value":"of kv2"}`)
	if _, err := s.Delete(s.t.Context(), "kv2"); err != nil {
		s.t.Fatal(err)
	}
	s.deploy("kv2")
	s.want("kv2:keyvalue.Pairs/Get", k, `{}`)
	s.want("keyvalue.Pairs/Get", k, `{"value":"of kv"}`)
}

func (s *server) counts() {
	metrics := s.metrics("weft_keyvalue_operations_total")
	for _, want := range []string{
		`{function="kv",namespace="default",operation="get",result="ok"}`,
		`{function="kv",namespace="default",operation="set",result="quota"}`,
		`{function="kv",namespace="default",operation="swap",result="changed"}`,
		`{function="kv",namespace="default",operation="increment",result="refused"}`,
	} {
		if !strings.Contains(metrics, want) {
			s.t.Errorf("metrics lack %s:\n%s", want, metrics)
		}
	}
	s.eventually("the bytes of kv are in the metrics", func() bool {
		return strings.Contains(s.metrics("weft_keyvalue_bytes"), `{function="kv",namespace="default"}`)
	})
}

// TestRestart has a node of the embedded backend end and come back.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, "embedded")
	s.deploy("kv")
	s.want("keyvalue.Pairs/Set", arguments{"bucket": "b", "key": "k", "value": "kept"}, `{}`)
	s.stop()
	s = start(t, dir, "embedded")
	s.want("keyvalue.Pairs/Get", arguments{"bucket": "b", "key": "k"}, `{"value":"kept"}`)
}

// TestJavaScript has a function in JavaScript do what the one in Rust does, with many callers at once.
func TestJavaScript(t *testing.T) {
	s := start(t, t.TempDir(), "embedded")
	s.deployComponent("visits", "keyvalue-js")
	s.want("visits.Visits/Visitors", arguments{"page": "home"}, `{"value":[]}`)
	const callers = 8
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() {
			if _, err := s.call("visits.Visits/Visit", arguments{"page": "home", "visitor": fmt.Sprint("v", i)}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	s.want("visits.Visits/Visit", arguments{"page": "home", "visitor": "last"}, fmt.Sprintf(`{"value":"%d"}`, callers+1))
	visitors, err := s.call("visits.Visits/Visitors", arguments{"page": "home"})
	if err != nil || strings.Count(visitors, `"v`) != callers+1 || !strings.HasSuffix(visitors, `,"last"]}`) { // with "value"
		t.Errorf("%s, %v", visitors, err)
	}
	s.want("visits.Visits/Clear", arguments{"page": "home"}, `{"value":["count","visitors"]}`)
	s.want("visits.Visits/Visitors", arguments{"page": "home"}, `{"value":[]}`)
	s.fails("visits.Visits/Visit", arguments{"page": "/"}, "no-such-store")
	s.fails("visits.Visits/Visit", arguments{"page": strings.Repeat("p", 65)}, "no-such-store")
	s.fails("visits.Visits/Visit", arguments{"page": "large", "visitor": strings.Repeat("v", keyvalue.MaxValue)},
		"the value has 1000001 bytes; it may have 1000000")
}

// TestDelete has a function go while its node runs: so does what it stored, but not what is of its successor.
func TestDelete(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, "embedded")
	for _, name := range []string{"kv", "kv2"} {
		s.deploy(name)
		s.want(name+":keyvalue.Pairs/Set", arguments{"bucket": "b", "key": "k", "value": name}, `{}`)
	}
	if _, err := s.Delete(t.Context(), "kv2"); err != nil {
		t.Fatal(err)
	}
	s.eventually("nothing is known of kv2", func() bool { return !strings.Contains(s.metrics("weft_keyvalue"), "kv2") })
	s.deploy("kv2")
	s.want("kv2:keyvalue.Pairs/Set", arguments{"bucket": "b", "key": "k2", "value": "anew"}, `{}`)
	s.want("kv2:keyvalue.Pairs/Get", arguments{"bucket": "b", "key": "k"}, `{}`)
	s.want("kv:keyvalue.Pairs/Get", arguments{"bucket": "b", "key": "k"}, `{"value":"kv"}`)
	s.stop()

	stored := embedded.Open(filepath.Join(dir, "keyvalue", "pairs.db"), keyvalue.DefaultQuota)
	defer func() { _ = stored.Close() }()
	all, err := stored.Functions(t.Context())
	if err != nil || len(all) != 2 {
		t.Errorf("%v have data, %v", all, err)
	}
}

// quiet is for nodes of which failures are wanted.
var quiet = slog.New(slog.DiscardHandler)

// TestServerAway starts a node while its server is down, and takes the server away while functions use it.
func TestServerAway(t *testing.T) {
	for name, server := range servers {
		t.Run(name, func(t *testing.T) {
			backend := server(t)
			backend.Kill()
			s := start(t, t.TempDir(), backend.URL, func(c *node.Config) { c.Logger = quiet })
			s.deploy("kv")
			down := func() {
				s.fails("keyvalue.Pairs/Get", arguments{"bucket": "b", "key": "k"}, "key-value storage ("+name+") does not answer")
				s.fails("keyvalue.Pairs/Set", arguments{"bucket": "b", "key": "k", "value": "v"}, "made or not")
			}
			down()
			backend.Restart()
			s.ready()
			s.want("keyvalue.Pairs/Set", arguments{"bucket": "b", "key": "k", "value": "v"}, `{}`)
			backend.Kill()
			down()
			backend.Restart()
			s.ready()
			s.want("keyvalue.Pairs/Get", arguments{"bucket": "b", "key": "k"}, `{"value":"v"}`)
		})
	}
}
