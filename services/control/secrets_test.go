package control

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/services/secrets"
)

// keys makes a keyring, each key of one byte.
func keys(t *testing.T, all ...byte) *secrets.Keyring {
	t.Helper()
	var lines []string
	for _, b := range all {
		lines = append(lines, base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32)))
	}
	ring, err := secrets.ParseKeys(strings.Join(lines, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// raise raises the catalog to a format level.
func (b *bench) raise(to uint32) {
	b.t.Helper()
	for level := b.cluster.catalog.View().Level() + 1; level <= to; level++ {
		_, err := b.cluster.Apply(b.t.Context(), &catalogv1.Command{
			RequestId: fmt.Sprint("raise-", level), Action: &catalogv1.Command_RaiseLevel{RaiseLevel: &catalogv1.RaiseLevel{Level: level}},
		})
		if err != nil {
			b.t.Fatal(err)
		}
	}
}

// TestSecretsInAnOldCluster is refused while a node knows no secrets.
func TestSecretsInAnOldCluster(t *testing.T) {
	b := newBench(t)
	b.raise(3)
	for name, do := range map[string]func() error{
		"set":    func() error { _, err := b.SetSecret(t.Context(), "", "k", []byte("v")); return err },
		"delete": func() error { return b.DeleteSecret(t.Context(), "", "k") },
	} {
		err := do()
		if status.Code(err) != codes.FailedPrecondition || failure.ReasonOf(err) != Level ||
			!strings.Contains(err.Error(), "at format level 3 and has secrets from 4 on") || !strings.Contains(err.Error(), "weft nodes") {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.raise(4)
	if version, err := b.SetSecret(t.Context(), "", "k", []byte("v")); err != nil || version != 1 {
		t.Fatalf("version %d, %v", version, err)
	}
}

// TestSetSecretOnce repeats a request whose first answer was lost.
func TestSetSecretOnce(t *testing.T) {
	b := newBench(t)
	b.raise(4)
	set := func(value string) uint64 {
		t.Helper()
		request := &weftv1.SetSecretRequest{Key: "k", Value: []byte(value), RequestId: "once"}
		r, err := b.server.SetSecret(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(fmt.Sprint(request), value) {
			t.Errorf("the request still shows the value: %v", request)
		}
		return r.GetVersion()
	}
	if first, again := set("first"), set("first"); first != 1 || again != 1 {
		t.Errorf("versions %d and %d", first, again)
	}
}

// TestReseal encrypts anew what is not, and nothing that changes meanwhile.
func TestReseal(t *testing.T) {
	b := newBench(t)
	b.raise(4)
	for _, key := range []string{"a", "b", "c"} {
		if _, err := b.SetSecret(t.Context(), "", key, []byte("value of "+key)); err != nil {
			t.Fatal(err)
		}
	}
	if r, err := b.ResealSecrets(t.Context()); err != nil || len(r.GetResealed()) != 0 {
		t.Fatalf("%v, %v", r, err)
	}
	both := keys(t, 2, 1)
	b.server.config.Keys = both
	view := b.cluster.catalog.View
	b.cluster.before = func(*catalogv1.Command) { // ahead of the first one: somebody deletes it and sets another of its name
		row, err := keys(t, 1).Seal(secrets.Name{Namespace: "default", Key: "a"}, secrets.NewValue("newer"))
		if err != nil {
			t.Error(err)
		}
		for i, cmd := range []*catalogv1.Command{
			{Action: &catalogv1.Command_DeleteSecret{DeleteSecret: &catalogv1.DeleteSecret{Namespace: "default", Key: "a"}}},
			{Action: &catalogv1.Command_PutSecret{PutSecret: &catalogv1.PutSecret{Secret: row}}},
		} {
			cmd.RequestId, cmd.Level = fmt.Sprint("between-", i), 4
			if _, err := b.cluster.Apply(t.Context(), cmd); err != nil {
				t.Error(err)
			}
		}
	}
	r, err := b.ResealSecrets(t.Context())
	if err != nil || len(r.GetResealed()) != 2 || len(r.GetUnreadable()) != 0 || r.GetKeyId() != both.First() {
		t.Fatalf("%v, %v", r, err)
	}
	for key, want := range map[string]string{"a": "newer", "b": "value of b", "c": "value of c"} {
		row := view().Secret("default", "", key)
		if v, err := both.Open(row); err != nil || v.Reveal() != want {
			t.Errorf("%s is %q (%v), want %q", key, v.Reveal(), err, want)
		}
		if resealed := row.GetKeyId() == both.First(); resealed != (key != "a") || resealed != (row.GetVersion() == 2) {
			t.Errorf("%s: version %d with key %s", key, row.GetVersion(), row.GetKeyId())
		}
	}
	if r, err := b.ResealSecrets(t.Context()); err != nil || len(r.GetResealed()) != 1 {
		t.Fatalf("the next time: %v, %v", r, err)
	}
}

func TestSecretRequests(t *testing.T) {
	b := newBench(t)
	b.raise(4)
	long := strings.Repeat("x", 200)
	for name, r := range map[string]*weftv1.SetSecretRequest{
		"namespace":  {Namespace: "A", Key: "k", Value: []byte("v")},
		"function":   {Function: "A", Key: "k", Value: []byte("v")},
		"no key":     {Value: []byte("v")},
		"key":        {Key: "a=b", Value: []byte("v")},
		"long key":   {Key: long, Value: []byte("v")},
		"no value":   {Key: "k"},
		"binary":     {Key: "k", Value: []byte{0xff}},
		"large":      {Key: "k", Value: make([]byte, 64<<10+1)},
		"request ID": {Key: "k", Value: []byte("v"), RequestId: long},
	} {
		if _, err := b.server.SetSecret(t.Context(), r); failure.ReasonOf(err) != InvalidRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.server.config.Keys = nil
	if _, err := b.SetSecret(t.Context(), "", "k", []byte("v")); failure.ReasonOf(err) != NoKey || status.Code(err) != codes.FailedPrecondition {
		t.Errorf("without a key: %v", err)
	}
	if list, err := b.Secrets(t.Context()); err != nil || list.GetKeyId() != "" || len(list.GetSecrets()) != 0 {
		t.Errorf("%v, %v", list, err)
	}
}
