package membership

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
)

// Token is what lets a node join: weft1.ID.SECRET.AUTHORITY.
type Token struct {
	// ID is its public name.
	ID string
	// Secret is what the cluster knows only the hash of: 130 random bits, in base 32.
	Secret string
	// Authority is the SHA-256 of the certificate of the cluster's authority.
	Authority [sha256.Size]byte
}

const (
	tokenPrefix = "weft1"
	tokenIDSize = 10
	maxSecret   = 128
)

// newToken makes up a token.
func newToken(authority [sha256.Size]byte) Token {
	return Token{
		ID: strings.ToLower(rand.Text())[:tokenIDSize], Secret: strings.ToLower(rand.Text()), Authority: authority,
	}
}

// String gives the text of the token, which holds the secret.
func (t Token) String() string {
	return strings.Join([]string{tokenPrefix, t.ID, t.Secret, hex.EncodeToString(t.Authority[:])}, ".")
}

// errToken does not repeat what it was given: it may be a secret with a typing error.
var errToken = errors.New("this is no join token: one begins with " + tokenPrefix +
	". and has four parts; `weft token` on a node of the cluster prints one")

// ParseToken reads the text of a token.
func ParseToken(text string) (Token, error) {
	parts := strings.Split(strings.TrimSpace(text), ".")
	if len(parts) != 4 || parts[0] != tokenPrefix || parts[1] == "" || parts[2] == "" || len(parts[1])+len(parts[2]) > maxSecret {
		return Token{}, errToken
	}
	t := Token{ID: parts[1], Secret: parts[2]}
	authority, err := hex.DecodeString(parts[3])
	if err != nil || len(authority) != len(t.Authority) {
		return Token{}, errToken
	}
	copy(t.Authority[:], authority)
	return t, nil
}
