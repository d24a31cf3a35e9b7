package secrets

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

const (
	keyBytes = 32
	// maxKeys bounds a keyring: the key of today, and those of before that some secret may still need.
	maxKeys = 16
	// maxKeyFile bounds what is read of a file that is none.
	maxKeyFile = 64 << 10
	idDigits   = 12
)

// Keyring holds keys: it encrypts with the first and decrypts with all. Nil is a keyring without keys. It is safe for
// concurrent use, and printing it shows no key.
type Keyring struct {
	ids  []string
	find func(id string) cipher.AEAD // nil where there is no such key
}

// LoadKeys reads keys from a file that others can't read: see ParseKeys.
func LoadKeys(path string) (*Keyring, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("keys for secrets: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("keys for secrets: %w", err)
	}
	if mode := info.Mode(); mode.Perm()&0o027 != 0 {
		return nil, fmt.Errorf("keys for secrets: %s can be read by others or changed by its group (mode %04o): chmod 600 %s", path, mode.Perm(), path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, fmt.Errorf("keys for secrets: %w", err)
	}
	if len(text) > maxKeyFile {
		return nil, fmt.Errorf("keys for secrets: %s is larger than %d bytes, so it is no list of keys", path, maxKeyFile)
	}
	ring, err := ParseKeys(string(text))
	if err != nil {
		return nil, fmt.Errorf("keys for secrets: %s: %w", path, err)
	}
	return ring, nil
}

// ParseKeys reads keys: a line each, 32 bytes in base64. The first encrypts, all decrypt. Empty lines and those that begin
// with # are skipped. Errors name lines and never what is in them.
func ParseKeys(text string) (*Keyring, error) {
	ring := &Keyring{}
	aeads := map[string]cipher.AEAD{}
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, maxKeyFile+1)
	for number := 1; lines.Scan(); number++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		key, err := decodeKey(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		id, aead, err := newKey(key)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if aeads[id] != nil {
			return nil, fmt.Errorf("line %d: key %s is there twice", number, id)
		}
		aeads[id] = aead
		ring.ids = append(ring.ids, id)
	}
	switch {
	case lines.Err() != nil:
		return nil, errors.New("a line is too long")
	case len(ring.ids) == 0:
		return nil, errors.New("there is no key: write 32 random bytes in base64; `openssl rand -base64 32` makes them")
	case len(ring.ids) > maxKeys:
		return nil, fmt.Errorf("%d keys are more than %d", len(ring.ids), maxKeys)
	}
	ring.find = func(id string) cipher.AEAD { return aeads[id] }
	return ring, nil
}

// decodeKey takes base64 of both alphabets, padded or not.
func decodeKey(line []byte) ([]byte, error) {
	text := strings.TrimRight(string(line), "=")
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(text, "-_") {
		encoding = base64.RawURLEncoding
	}
	key, err := encoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("it is no base64: a key is 32 random bytes in base64; `openssl rand -base64 32` makes one")
	}
	if len(key) != keyBytes {
		return nil, fmt.Errorf("a key has %d bytes, this one has %d; `openssl rand -base64 32` makes one", keyBytes, len(key))
	}
	return key, nil
}

func newKey(key []byte) (id string, aead cipher.AEAD, err error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", nil, err
	}
	if aead, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		return "", nil, err
	}
	hash := sha256.Sum256(append([]byte("weft secrets key\x00"), key...))
	return hex.EncodeToString(hash[:])[:idDigits], aead, nil
}

// IDs lists the keys, the one that encrypts first.
func (r *Keyring) IDs() []string {
	if r == nil {
		return nil
	}
	return r.ids
}

// First is the ID of the key that encrypts; empty if there is none.
func (r *Keyring) First() string {
	if r == nil || len(r.ids) == 0 {
		return ""
	}
	return r.ids[0]
}

// Has tells whether a key is there.
func (r *Keyring) Has(id string) bool { return r != nil && r.find(id) != nil }
