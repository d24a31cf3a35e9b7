package catalog

import (
	"iter"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"google.golang.org/protobuf/proto"
)

// maxTokens bounds the join tokens that are not expired.
const maxTokens = 1000

// Token returns a join token by its public ID; nil if there is none. It may have expired: the catalog has no clock.
// Like a function it is shared by all readers.
func (v *View) Token(id string) *catalogv1.Token {
	t, _ := v.state.tokens.Get(id)
	return t
}

// TokenBySecret returns the join token whose secret has a SHA-256; nil if there is none. It may have expired.
func (v *View) TokenBySecret(hash [32]byte) *catalogv1.Token {
	t, _ := v.state.tokenHashes.Get(string(hash[:]))
	return t
}

// Tokens ranges over the join tokens, ordered by ID. Some may have expired.
func (v *View) Tokens() iter.Seq[*catalogv1.Token] { return values(v.state.tokens) }

func (s *state) doPutToken(put *catalogv1.PutToken, now int64) *catalogv1.Result {
	t := proto.CloneOf(put.GetToken())
	t.ProtoReflect().SetUnknown(nil) // as in a revision
	if t.GetExpiresUnixNanos() <= now {
		return refuse(catalogv1.Refusal_REASON_INVALID, "token %q has expired already", t.GetId())
	}
	for _, old := range entries(s.tokens) { // of the tree as it is now, whatever is dropped
		if old.GetExpiresUnixNanos() <= now || old.GetId() == t.GetId() {
			s.dropToken(old)
		}
	}
	if other, ok := s.tokenHashes.Get(string(t.GetSecretHash())); ok {
		return refuse(catalogv1.Refusal_REASON_TAKEN, "the secret of token %q belongs to token %q", t.GetId(), other.GetId())
	}
	if s.tokens.Len() >= maxTokens {
		return refuse(catalogv1.Refusal_REASON_INVALID, "there are %d tokens; revoke some", maxTokens)
	}
	s.add(tokenRow(t))
	s.tokens = s.tokens.Set(t.GetId(), t)
	s.tokenHashes = s.tokenHashes.Set(string(t.GetSecretHash()), t)
	return &catalogv1.Result{}
}

func (s *state) doRevokeToken(revoke *catalogv1.RevokeToken) *catalogv1.Result {
	if revoke.GetId() == "" {
		for _, t := range entries(s.tokens) {
			s.dropToken(t)
		}
		return &catalogv1.Result{}
	}
	t, ok := s.tokens.Get(revoke.GetId())
	if !ok {
		return refuse(catalogv1.Refusal_REASON_NOT_FOUND, "there is no token %q; it may have expired", revoke.GetId())
	}
	s.dropToken(t)
	return &catalogv1.Result{}
}

func (s *state) dropToken(t *catalogv1.Token) {
	s.drop(tokenRow(t))
	s.tokens = s.tokens.Delete(t.GetId())
	s.tokenHashes = s.tokenHashes.Delete(string(t.GetSecretHash()))
}
