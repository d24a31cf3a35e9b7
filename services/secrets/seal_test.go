package secrets

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"google.golang.org/protobuf/proto"
)

const plaintext = "correct horse battery staple"

var password = Name{Namespace: "default", Function: "orders", Key: "db/password"}

func seal(t *testing.T, r *Keyring, name Name, text string) *catalogv1.Secret {
	t.Helper()
	row, err := r.Seal(name, NewValue(text))
	if err != nil {
		t.Fatal(err)
	}
	return row
}

func TestSeal(t *testing.T) {
	old, both, other := ring(t, 1), ring(t, 2, 1), ring(t, 3)
	row := seal(t, old, password, plaintext)
	if row.GetKeyId() != old.First() || row.GetSizeBytes() != uint32(len(plaintext)) || row.GetFunction() != "orders" || row.GetVersion() != 0 {
		t.Fatalf("row %v", row)
	}
	if bytes.Contains(row.GetCiphertext(), []byte(plaintext)) {
		t.Fatal("the ciphertext holds the plaintext")
	}
	if again := seal(t, old, password, plaintext); bytes.Equal(again.GetCiphertext(), row.GetCiphertext()) {
		t.Fatal("the same value has the same ciphertext twice")
	}
	for name, r := range map[string]*Keyring{"the key": old, "a newer key before it": both} {
		if v, err := r.Open(row); err != nil || v.Reveal() != plaintext {
			t.Errorf("with %s: %v", name, err)
		}
	}
	if got := seal(t, both, password, plaintext); got.GetKeyId() != both.First() || got.GetKeyId() == old.First() {
		t.Errorf("a secret is encrypted with key %s", got.GetKeyId())
	}

	var unknown *UnknownKeyError
	if _, err := other.Open(row); !errors.As(err, &unknown) || unknown.KeyID != old.First() || !strings.Contains(err.Error(), "db/password") {
		t.Errorf("with another key: %v", err)
	}
	var none *Keyring
	if _, err := none.Open(row); !errors.Is(err, ErrNoKey) {
		t.Errorf("without keys: %v", err)
	}
	if _, err := none.Seal(password, NewValue("x")); !errors.Is(err, ErrNoKey) || !strings.Contains(err.Error(), "--secrets-key") {
		t.Errorf("without keys: %v", err)
	}
}

// TestCiphertextsStayWhereTheyBelong moves and changes ciphertexts.
func TestCiphertextsStayWhereTheyBelong(t *testing.T) {
	r := ring(t, 1)
	good := seal(t, r, password, plaintext)
	refused := func(what string, change func(*catalogv1.Secret)) {
		t.Helper()
		row := proto.CloneOf(good)
		change(row)
		var damaged *DamagedError
		if v, err := r.Open(row); !errors.As(err, &damaged) || v.Reveal() != "" || strings.Contains(err.Error(), plaintext) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("another namespace", func(s *catalogv1.Secret) { s.Namespace = "other" })
	refused("another function", func(s *catalogv1.Secret) { s.Function = "other" })
	refused("the whole namespace", func(s *catalogv1.Secret) { s.Function = "" })
	refused("another key", func(s *catalogv1.Secret) { s.Key = "db" })
	refused("no ciphertext", func(s *catalogv1.Secret) { s.Ciphertext = nil })
	for n := range good.GetCiphertext() {
		refused(fmt.Sprint("cut at ", n), func(s *catalogv1.Secret) { s.Ciphertext = s.Ciphertext[:n] })
		refused(fmt.Sprint("flipped at ", n), func(s *catalogv1.Secret) { s.Ciphertext[n] ^= 1 << (n % 8) })
	}
}

// TestLargestSecret fits into what the catalog takes.
func TestLargestSecret(t *testing.T) {
	row := seal(t, ring(t, 1), password, strings.Repeat("x", catalog.MaxSecret))
	c := catalog.New()
	for level := uint32(2); level <= catalog.Level; level++ {
		c.Apply(c.Index()+1, &catalogv1.Command{RequestId: fmt.Sprint(level), Action: &catalogv1.Command_RaiseLevel{RaiseLevel: &catalogv1.RaiseLevel{Level: level}}})
	}
	got := c.Apply(c.Index()+1, &catalogv1.Command{RequestId: "put", Level: 4, Action: &catalogv1.Command_PutSecret{PutSecret: &catalogv1.PutSecret{Secret: row}}})
	if got.GetSecretVersion() != 1 {
		t.Fatalf("%v", got.GetRefusal())
	}
}

// TestValuesAreHidden prints, logs and encodes a value in every way that Go has.
func TestValuesAreHidden(t *testing.T) {
	v := NewValue(plaintext)
	type holder struct {
		Shown  Value
		hidden Value
		points *Value
		all    []Value
	}
	h := holder{v, v, &v, []Value{v}}
	shows := func(how, text string) {
		t.Helper()
		for _, form := range []string{plaintext, fmt.Sprintf("%x", plaintext), strings.Trim(fmt.Sprintf("%d", []byte(plaintext)), "[]")} {
			if strings.Contains(text, form) {
				t.Errorf("%s shows the value: %s", how, text)
			}
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T %p"} {
		for _, what := range []any{v, &v, h, &h, []Value{v}, map[string]Value{"k": v}, fmt.Errorf("with %v: %w", v, errors.New(v.String()))} {
			shows(fmt.Sprintf("%s of %T", verb, what), fmt.Sprintf(verb, what))
		}
	}
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(handler).Info("secret", "value", v, "pointer", &v, "holder", h, "all", []Value{v})
	}
	shows("slog", log.String())
	for _, what := range []any{v, h, &h, map[string]Value{"k": v}} {
		text, err := json.Marshal(what)
		if err != nil {
			t.Fatal(err)
		}
		shows("JSON", string(text))
	}
	if fmt.Sprint(v) != hidden || v.Reveal() != plaintext || (Value{}).Reveal() != "" {
		t.Errorf("it shows itself as %v", v)
	}
}

func FuzzOpen(f *testing.F) {
	r, err := ParseKeys(key(1))
	if err != nil {
		f.Fatal(err)
	}
	good, err := r.Seal(password, NewValue(plaintext))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good.GetCiphertext())
	f.Add([]byte{format})
	f.Fuzz(func(t *testing.T, ciphertext []byte) {
		v, err := r.Open(&catalogv1.Secret{Namespace: "default", Function: "orders", Key: "db/password", KeyId: r.First(), Ciphertext: ciphertext})
		// Each process that fuzzes makes a seed of its own, which opens in all of them.
		if _, damaged := errors.AsType[*DamagedError](err); err == nil && v.Reveal() != plaintext || err != nil && !damaged {
			t.Fatalf("%x opens: %q, %v", ciphertext, v.Reveal(), err)
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	r, err := ParseKeys(key(1))
	if err != nil {
		b.Fatal(err)
	}
	for _, size := range []int{32, 4 << 10, catalog.MaxSecret} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			row, err := r.Seal(password, NewValue(strings.Repeat("x", size)))
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := r.Open(row); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
