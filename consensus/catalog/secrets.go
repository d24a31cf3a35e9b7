package catalog

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"iter"

	"github.com/benbjohnson/immutable"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// What secrets may be.
const (
	// MaxSecret is the most bytes that the value of a secret may have.
	MaxSecret = 64 << 10
	// MaxSecrets is how many secrets a namespace may have, those of its functions included.
	MaxSecrets = 1000
	// MaxSecretBytes is how many bytes the ciphertexts of a namespace may have together.
	MaxSecretBytes = 4 << 20

	maxSecretKey = 128 // bytes
	maxCipher    = MaxSecret + 64
	maxKeyID     = 64 // bytes
)

// ValidSecretKey reports whether a secret may have a key: 1 to 128 letters, digits and . _ - / :
func ValidSecretKey(key string) bool {
	for i := range len(key) {
		switch c := key[i]; {
		case isLetter(c), isDigit(c), c == '.', c == '_', c == '-', c == '/', c == ':':
		default:
			return false
		}
	}
	return key != "" && len(key) <= maxSecretKey
}

// Secret returns the secret of a function, or of its whole namespace where function is empty; nil if there is none. Like
// a function it is shared by all readers.
func (v *View) Secret(namespace, function, name string) *catalogv1.Secret {
	secret, _ := v.state.secrets.Get(key(namespace, function, name))
	return secret
}

// Secrets ranges over the secrets of a namespace: first those that belong to all its functions, then those of single
// functions, ordered by function and key.
func (v *View) Secrets(namespace string) iter.Seq[*catalogv1.Secret] {
	return below(v.state.secrets, namespace)
}

// SecretsOf ranges over the secrets of one function, or over those that belong to all functions of its namespace where
// function is empty, ordered by key.
func (v *View) SecretsOf(namespace, function string) iter.Seq[*catalogv1.Secret] {
	return below(v.state.secrets, namespace, function)
}

// AllSecrets ranges over the secrets of all namespaces.
func (v *View) AllSecrets() iter.Seq[*catalogv1.Secret] { return values(v.state.secrets) }

// below ranges over the values whose keys begin with some parts.
func below[V any](m *immutable.SortedMap[string, V], parts ...string) iter.Seq[V] {
	return func(yield func(V) bool) {
		for _, v := range prefixed(m, parts...) {
			if !yield(v) {
				return
			}
		}
	}
}

// doPutSecret walks all secrets of the namespace for their sizes, of which there are MaxSecrets at most.
func (s *state) doPutSecret(cmd *catalogv1.PutSecret, now int64) *catalogv1.Result {
	put := cmd.GetSecret()
	k := key(put.GetNamespace(), put.GetFunction(), put.GetKey())
	old, replaces := s.secrets.Get(k)
	if hash := sha256.Sum256(old.GetCiphertext()); len(cmd.GetReplaces()) > 0 && !bytes.Equal(hash[:], cmd.GetReplaces()) {
		return refuse(catalogv1.Refusal_REASON_CONFLICT, "secret %q was changed or deleted meanwhile", put.GetKey())
	}
	count, size := 1, len(put.GetCiphertext())
	for other := range below(s.secrets, put.GetNamespace()) {
		if other != old {
			count++
			size += len(other.GetCiphertext())
		}
	}
	switch {
	case count > MaxSecrets:
		return refuse(catalogv1.Refusal_REASON_INVALID, "namespace %q has %d secrets, which is as many as it may have; delete some",
			put.GetNamespace(), MaxSecrets)
	case size > MaxSecretBytes:
		return refuse(catalogv1.Refusal_REASON_INVALID, "namespace %q would have %d bytes of secrets, more than %d; delete some",
			put.GetNamespace(), size, MaxSecretBytes)
	}
	if replaces {
		s.drop(secretRow(old))
	}
	row := &catalogv1.Secret{
		Namespace: put.GetNamespace(), Function: put.GetFunction(), Key: put.GetKey(), Version: old.GetVersion() + 1,
		Ciphertext: put.GetCiphertext(), KeyId: put.GetKeyId(), SizeBytes: put.GetSizeBytes(), SetUnixNanos: now,
	}
	s.add(secretRow(row))
	s.secrets = s.secrets.Set(k, row)
	return &catalogv1.Result{SecretVersion: row.GetVersion()}
}

func (s *state) doDeleteSecret(del *catalogv1.DeleteSecret) *catalogv1.Result {
	old, ok := s.secrets.Get(key(del.GetNamespace(), del.GetFunction(), del.GetKey()))
	switch {
	case ok:
		s.dropSecret(old)
		return &catalogv1.Result{}
	case del.GetFunction() == "":
		return refuse(catalogv1.Refusal_REASON_NOT_FOUND, "namespace %q has no secret %q", del.GetNamespace(), del.GetKey())
	}
	return refuse(catalogv1.Refusal_REASON_NOT_FOUND, "function %q has no secret %q of its own", del.GetFunction(), del.GetKey())
}

// dropSecrets removes the secrets of a function and returns how many there were.
func (s *state) dropSecrets(namespace, function string) (n uint32) {
	for secret := range below(s.secrets, namespace, function) { // of the tree as it is now, whatever is dropped
		s.dropSecret(secret)
		n++
	}
	return n
}

func (s *state) dropSecret(secret *catalogv1.Secret) {
	s.drop(secretRow(secret))
	s.secrets = s.secrets.Delete(key(secret.GetNamespace(), secret.GetFunction(), secret.GetKey()))
}

func checkSecretName(namespace, function, key string) *catalogv1.Result {
	switch {
	case !ValidName(namespace):
		return invalidName("namespace", namespace)
	case function != "" && !ValidName(function):
		return invalidName("function", function)
	case !ValidSecretKey(key):
		return refuse(catalogv1.Refusal_REASON_INVALID, "secret %q: a key has 1 to %d letters, digits and . _ - / :", clip(key), maxSecretKey)
	}
	return nil
}

// checkSecret never says what the ciphertext is.
func checkSecret(secret *catalogv1.Secret) *catalogv1.Result {
	if refusal := checkSecretName(secret.GetNamespace(), secret.GetFunction(), secret.GetKey()); refusal != nil {
		return refusal
	}
	switch size := len(secret.GetCiphertext()); {
	case secret.GetSizeBytes() > MaxSecret:
		return refuse(catalogv1.Refusal_REASON_INVALID, "secret %q: %d bytes are more than %d", secret.GetKey(), secret.GetSizeBytes(), MaxSecret)
	case size == 0:
		return refuse(catalogv1.Refusal_REASON_INVALID, "secret %q: there is no ciphertext", secret.GetKey())
	case size > maxCipher:
		return refuse(catalogv1.Refusal_REASON_INVALID, "secret %q: %d bytes of ciphertext are more than %d", secret.GetKey(), size, maxCipher)
	}
	id := secret.GetKeyId()
	ok := id != "" && len(id) <= maxKeyID
	for i := range len(id) {
		ok = ok && (isLetter(id[i]) || isDigit(id[i]) || id[i] == '-')
	}
	if !ok {
		return refuse(catalogv1.Refusal_REASON_INVALID, "secret %q: key ID %q: it has 1 to %d letters, digits or dashes", secret.GetKey(), clip(id), maxKeyID)
	}
	return nil
}

// secretBuilder takes in the rows that came with level 4.
type secretBuilder struct {
	secrets   *immutable.SortedMapBuilder[string, *catalogv1.Secret]
	namespace string // of the last one
	count     int    // in that namespace
	size      int    // of their ciphertexts
}

func newSecretBuilder() secretBuilder {
	return secretBuilder{secrets: immutable.NewSortedMapBuilder[string, *catalogv1.Secret](nil)}
}

// putSecret wants secrets in order, and as many as their namespace may have.
func (b *builder) putSecret(secret *catalogv1.Secret) error {
	if err := b.closeFunction(); err != nil {
		return err
	}
	c := &b.secrets
	if secret.GetNamespace() != c.namespace {
		c.namespace, c.count, c.size = secret.GetNamespace(), 0, 0
	}
	c.count++
	c.size += len(secret.GetCiphertext())
	k := key(secret.GetNamespace(), secret.GetFunction(), secret.GetKey())
	if checkSecret(secret) != nil || secret.GetVersion() == 0 || c.count > MaxSecrets || c.size > MaxSecretBytes || !b.advance(secretKind, k) {
		return fmt.Errorf("secret %q of namespace %q: %w", clip(secret.GetKey()), clip(secret.GetNamespace()), errRow)
	}
	c.secrets.Set(k, secret)
	return nil
}

// finish moves the rows into a state whose level is known by now.
func (c *secretBuilder) finish(s *state) error {
	if c.secrets.Len() > 0 && s.level < 4 {
		return fmt.Errorf("secrets at level %d: %w", s.level, errRow)
	}
	s.secrets = c.secrets.Map()
	return nil
}
