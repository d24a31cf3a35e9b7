package secrets

import (
	"errors"
	"fmt"
	"strings"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

const format = 1 // the first byte of a ciphertext

// ErrNoKey says that this node has no keys at all.
var ErrNoKey = errors.New("this node has no key for secrets: start every node of the cluster with weft server --secrets-key FILE, " +
	"or WEFT_SECRETS_KEY, the same on all; `openssl rand -base64 32` makes one")

// UnknownKeyError says that this node lacks the key of a secret, but has others.
type UnknownKeyError struct {
	Name  Name
	KeyID string
}

func (e *UnknownKeyError) Error() string {
	return fmt.Sprintf("secret %s is encrypted with key %s, which this node does not have: add that key's line to what --secrets-key names, and restart it",
		e.Name.Key, e.KeyID)
}

// DamagedError says that a secret does not decrypt although the key is here.
type DamagedError struct {
	Name  Name
	KeyID string
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("secret %s can't be decrypted with its key %s: what the catalog holds was changed, or belongs to another name; set it again", e.Name.Key, e.KeyID)
}

// Name says which secret it is. Function is empty for one of the whole namespace.
type Name struct{ Namespace, Function, Key string }

func (n Name) additional() []byte {
	return []byte(strings.Join([]string{"weft secret", n.Namespace, n.Function, n.Key}, "\x00"))
}

// Seal encrypts a value with the first key. The row has no version and time yet. The error is ErrNoKey.
func (r *Keyring) Seal(name Name, v Value) (*catalogv1.Secret, error) {
	id := r.First()
	if id == "" {
		return nil, ErrNoKey
	}
	text := v.Reveal()
	sealed := r.find(id).Seal([]byte{format}, nil, []byte(text), name.additional()) //nolint:gosec // it makes its own nonce
	return &catalogv1.Secret{
		Namespace: name.Namespace, Function: name.Function, Key: name.Key, KeyId: id, SizeBytes: uint32(len(text)), Ciphertext: sealed,
	}, nil
}

// Open decrypts what Seal made. The error is ErrNoKey, *UnknownKeyError or *DamagedError.
func (r *Keyring) Open(row *catalogv1.Secret) (Value, error) {
	name := Name{Namespace: row.GetNamespace(), Function: row.GetFunction(), Key: row.GetKey()}
	id, ciphertext := row.GetKeyId(), row.GetCiphertext()
	switch {
	case r.First() == "":
		return Value{}, ErrNoKey
	case !r.Has(id):
		return Value{}, &UnknownKeyError{Name: name, KeyID: id}
	case len(ciphertext) == 0 || ciphertext[0] != format:
		return Value{}, &DamagedError{Name: name, KeyID: id}
	}
	text, err := r.find(id).Open(nil, nil, ciphertext[1:], name.additional())
	if err != nil { // crypto/cipher says no more than that
		return Value{}, &DamagedError{Name: name, KeyID: id}
	}
	return NewValue(string(text)), nil
}
