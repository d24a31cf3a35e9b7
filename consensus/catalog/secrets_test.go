package catalog

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"google.golang.org/protobuf/proto"
)

// sealed sets a secret of a function, or of the namespace.
func sealed(function, name, ciphertext string) *catalogv1.Command {
	return &catalogv1.Command{Level: 4, Action: &catalogv1.Command_PutSecret{PutSecret: &catalogv1.PutSecret{Secret: &catalogv1.Secret{
		Namespace: ns, Function: function, Key: name, Ciphertext: []byte(ciphertext), KeyId: "key-1", SizeBytes: uint32(len(ciphertext)),
	}}}}
}

// resealed is sealed in place of a ciphertext.
func resealed(function, name, old, ciphertext string) *catalogv1.Command {
	cmd := sealed(function, name, ciphertext)
	hash := sha256.Sum256([]byte(old))
	cmd.GetPutSecret().Replaces = hash[:]
	return cmd
}

func unsealed(function, name string) *catalogv1.Command {
	return &catalogv1.Command{Level: 4, Action: &catalogv1.Command_DeleteSecret{DeleteSecret: &catalogv1.DeleteSecret{
		Namespace: ns, Function: function, Key: name,
	}}}
}

// stored is the row of a secret.
func stored(function, name string) *catalogv1.Secret {
	row := sealed(function, name, "x").GetPutSecret().GetSecret()
	row.Version = 1
	return row
}

// newSealed returns a log at level 4.
func newSealed(t *testing.T) *log {
	t.Helper()
	l := newBound(t)
	l.must(raise(4))
	return l
}

// secretSample holds secrets of a namespace and of functions, some of them gone.
func secretSample(t *testing.T) *Catalog {
	t.Helper()
	l := newSealed(t)
	at := func(now int64, cmd *catalogv1.Command) { cmd.TimeUnixNanos = now; l.must(cmd) }
	at(10, sealed("", "db/password", "first"))
	other := sealed("orders", "db/password", "second")
	other.GetPutSecret().GetSecret().KeyId = "other"
	at(20, other)
	at(30, sealed("", "db/password", "third"))
	at(40, sealed("", "api.token", "fourth"))
	at(50, unsealed("", "api.token"))
	l.must(put(deploy{name: "gone"}))
	at(60, sealed("gone", "a", "fifth"))
	last := del("gone")
	last.Level = 4
	l.must(last)
	return l.c
}

func (l *log) secrets() string {
	var all []string
	for secret := range l.c.View().Secrets(ns) {
		all = append(all, fmt.Sprintf("%s/%s@%d=%s", secret.GetFunction(), secret.GetKey(), secret.GetVersion(), secret.GetCiphertext()))
	}
	return strings.Join(all, " ")
}

func (l *log) wantSecrets(want string) {
	l.t.Helper()
	if got := l.secrets(); got != want {
		l.t.Fatalf("secrets %q, want %q", got, want)
	}
}

func TestLevel4IsNeeded(t *testing.T) {
	for name, cmd := range map[string]*catalogv1.Command{"put": sealed("", "k", "x"), "delete": unsealed("", "k")} {
		t.Run(name, func(t *testing.T) {
			if RequiredLevel(cmd) != 4 {
				t.Fatalf("requires level %d", RequiredLevel(cmd))
			}
			l := newBound(t)
			l.refused(catalogv1.Refusal_REASON_LEVEL, "the cluster is at 3", proto.CloneOf(cmd))
			l.must(raise(4))
			for level := range uint32(4) {
				cmd.Level = level
				l.refused(catalogv1.Refusal_REASON_INVALID, "level 4", proto.CloneOf(cmd))
			}
		})
	}
}

func TestSecrets(t *testing.T) {
	l := newSealed(t)
	first := sealed("", "k", "one")
	first.TimeUnixNanos = 99
	first.GetPutSecret().GetSecret().Version = 55 // not the sender's to say
	if got := l.must(first).GetSecretVersion(); got != 1 {
		t.Fatalf("version %d", got)
	}
	before := l.c.View()
	if got := l.must(sealed("", "k", "two")).GetSecretVersion(); got != 2 {
		t.Fatalf("version %d", got)
	}
	l.must(sealed("orders", "k", "mine")) // a function that is not there yet
	l.must(sealed("orders-2", "k", "other"))
	l.must(sealed("", "z", "last"))
	l.wantSecrets("/k@2=two /z@1=last orders/k@1=mine orders-2/k@1=other")
	if got := slices.Collect(l.c.View().SecretsOf(ns, "orders")); len(got) != 1 || string(got[0].GetCiphertext()) != "mine" {
		t.Fatalf("secrets of orders: %v", got)
	}
	if got := slices.Collect(l.c.View().SecretsOf(ns, "")); len(got) != 2 {
		t.Fatalf("secrets of the namespace: %v", got)
	}
	if got := before.Secret(ns, "", "k"); string(got.GetCiphertext()) != "one" || got.GetSetUnixNanos() != 99 {
		t.Fatalf("an older view has changed: %v", got)
	}
	if got := slices.Collect(l.c.View().AllSecrets()); len(got) != 4 {
		t.Fatalf("all secrets: %v", got)
	}

	l.refused(catalogv1.Refusal_REASON_CONFLICT, `secret "k" was changed`, resealed("", "k", "one", "two again"))
	if got := l.must(resealed("", "k", "two", "two again")).GetSecretVersion(); got != 3 {
		t.Fatalf("version %d", got)
	}
	l.refused(catalogv1.Refusal_REASON_CONFLICT, `secret "gone" was changed or deleted`, resealed("", "gone", "x", "y"))

	again := sealed("", "again", "x")
	if first, second := l.must(again), l.must(again); first.GetSecretVersion() != 1 || !proto.Equal(first, second) {
		t.Fatalf("a repeated request gives %v, first %v", second, first)
	}
	l.must(unsealed("", "again"))
	l.refused(catalogv1.Refusal_REASON_NOT_FOUND, `namespace "default" has no secret "again"`, unsealed("", "again"))
	l.refused(catalogv1.Refusal_REASON_NOT_FOUND, `function "orders" has no secret "z" of its own`, unsealed("orders", "z"))
	l.must(unsealed("", "k"))
	if got := l.must(sealed("", "k", "three")).GetSecretVersion(); got != 1 {
		t.Fatalf("version %d after a deletion", got)
	}
}

// TestSecretsGoWithTheirFunction deletes functions at both levels.
func TestSecretsGoWithTheirFunction(t *testing.T) {
	l := newSealed(t)
	for _, name := range []string{"old", "new"} {
		l.must(put(deploy{name: name}))
		l.must(sealed(name, "k", "x"))
		l.must(sealed(name, "l", "x"))
	}
	l.must(sealed("", "k", "all"))
	if got := l.must(del("old")).GetDeletedSecrets(); got != 0 { // of level 1: as ever
		t.Fatalf("%d secrets are gone", got)
	}
	cmd := del("new")
	cmd.Level = 4
	if got := l.must(cmd).GetDeletedSecrets(); got != 2 {
		t.Fatalf("%d secrets are gone", got)
	}
	l.wantSecrets("/k@1=all old/k@1=x old/l@1=x")
}

func TestSecretsAreBounded(t *testing.T) {
	fill := func(ciphertext string, n int) *Catalog {
		c := New()
		for level := uint32(2); level <= 4; level++ {
			cmd := raise(level)
			cmd.RequestId = fmt.Sprint("raise-", level)
			c.Apply(c.Index()+1, cmd)
		}
		for i := range n {
			cmd := sealed([]string{"", "f"}[i%2], fmt.Sprint("k", i), ciphertext)
			cmd.RequestId = fmt.Sprint("put-", i)
			if got := c.Apply(c.Index()+1, cmd); got.GetRefusal() != nil {
				t.Fatal(got)
			}
		}
		return c
	}
	next := func(c *Catalog, cmd *catalogv1.Command) *catalogv1.Result {
		cmd.RequestId = fmt.Sprint("next-", c.Index())
		return c.Apply(c.Index()+1, cmd)
	}
	large := strings.Repeat("x", MaxSecret)
	for name, tt := range map[string]struct {
		c     *Catalog
		value string
		says  string
	}{
		"count": {fill("x", MaxSecrets), "x", "1000 secrets"},
		"bytes": {fill(large, MaxSecretBytes/MaxSecret), "x", "bytes of secrets, more than 4194304"},
	} {
		t.Run(name, func(t *testing.T) {
			got := next(tt.c, sealed("", "more", tt.value)).GetRefusal()
			if got.GetReason() != catalogv1.Refusal_REASON_INVALID || !strings.Contains(got.GetMessage(), tt.says) {
				t.Fatalf("refusal %v", got)
			}
			if got := next(tt.c, sealed("", "k0", "y")); got.GetSecretVersion() != 2 {
				t.Fatalf("in place of one: %v", got)
			}
			elsewhere := sealed("", "more", tt.value)
			elsewhere.GetPutSecret().GetSecret().Namespace = "other"
			if got := next(tt.c, elsewhere); got.GetRefusal() != nil {
				t.Fatalf("in another namespace: %v", got)
			}
			if got := next(tt.c, unsealed("", "k0")); got.GetRefusal() != nil {
				t.Fatal(got)
			}
			if got := next(tt.c, sealed("", "more", tt.value)); got.GetRefusal() != nil {
				t.Fatalf("after a deletion: %v", got)
			}
			checkSum(t, tt.c)
			reload(t, tt.c)
		})
	}
}

func TestInvalidSecrets(t *testing.T) {
	change := func(f func(*catalogv1.Secret)) *catalogv1.Command {
		cmd := sealed("", "k", "x")
		f(cmd.GetPutSecret().GetSecret())
		return cmd
	}
	for name, cmd := range map[string]*catalogv1.Command{
		"none":            {Level: 4, Action: &catalogv1.Command_PutSecret{PutSecret: &catalogv1.PutSecret{}}},
		"namespace":       change(func(s *catalogv1.Secret) { s.Namespace = "Default" }),
		"function":        change(func(s *catalogv1.Secret) { s.Function = "F" }),
		"no key":          change(func(s *catalogv1.Secret) { s.Key = "" }),
		"key with spaces": change(func(s *catalogv1.Secret) { s.Key = "a b" }),
		"key with zero":   change(func(s *catalogv1.Secret) { s.Key = "a\x00b" }),
		"long key":        change(func(s *catalogv1.Secret) { s.Key = strings.Repeat("k", maxSecretKey+1) }),
		"no ciphertext":   change(func(s *catalogv1.Secret) { s.Ciphertext = nil }),
		"ciphertext":      change(func(s *catalogv1.Secret) { s.Ciphertext = make([]byte, maxCipher+1) }),
		"size":            change(func(s *catalogv1.Secret) { s.SizeBytes = MaxSecret + 1 }),
		"no key ID":       change(func(s *catalogv1.Secret) { s.KeyId = "" }),
		"key ID":          change(func(s *catalogv1.Secret) { s.KeyId = "a b" }),
		"long key ID":     change(func(s *catalogv1.Secret) { s.KeyId = strings.Repeat("k", maxKeyID+1) }),
		"delete nothing":  unsealed("", ""),
		"delete of F":     unsealed("F", "k"),
	} {
		t.Run(name, func(t *testing.T) {
			newSealed(t).refused(catalogv1.Refusal_REASON_INVALID, "", cmd)
		})
	}
	l := newSealed(t)
	l.must(change(func(s *catalogv1.Secret) {
		s.Key, s.Ciphertext, s.SizeBytes = strings.Repeat("k", maxSecretKey), make([]byte, maxCipher), MaxSecret
	}))
	l.must(sealed("", "A:b/c.d_e-9", "x"))
}
