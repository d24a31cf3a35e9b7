package control

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/services/near"
	"github.com/weft-run/weft/services/secrets"
	"github.com/weft-run/weft/wit"
)

// SetSecret implements weft.v1.SecretService. The value is in the request, in this function, and nowhere after it.
func (s *Server) SetSecret(ctx context.Context, r *weftv1.SetSecretRequest) (*weftv1.SetSecretResponse, error) {
	value := secrets.NewValue(string(r.GetValue()))
	clear(r.GetValue())
	r.Value = nil // whoever prints the request from here on shows nothing
	name, err := secretName(r.GetNamespace(), r.GetFunction(), r.GetKey())
	if err != nil {
		return nil, err
	}
	if err := checkValue(name, value); err != nil {
		return nil, err
	}
	row, err := s.config.Keys.Seal(name, value)
	if err != nil {
		return nil, s.status(ctx, err)
	}
	result, err := s.changeSecret(ctx, r.GetRequestId(), &catalogv1.Command{
		Action: &catalogv1.Command_PutSecret{PutSecret: &catalogv1.PutSecret{Secret: row}},
	})
	if err == nil {
		s.config.Logger.Info("secret set", "namespace", name.Namespace, "function", name.Function, "key", name.Key,
			"version", result.GetSecretVersion())
	}
	return &weftv1.SetSecretResponse{Version: result.GetSecretVersion()}, s.changeStatus(ctx, err)
}

// DeleteSecret implements weft.v1.SecretService.
func (s *Server) DeleteSecret(ctx context.Context, r *weftv1.DeleteSecretRequest) (*weftv1.DeleteSecretResponse, error) {
	name, err := secretName(r.GetNamespace(), r.GetFunction(), r.GetKey())
	if err != nil {
		return nil, err
	}
	_, err = s.changeSecret(ctx, r.GetRequestId(), &catalogv1.Command{
		Action: &catalogv1.Command_DeleteSecret{DeleteSecret: &catalogv1.DeleteSecret{
			Namespace: name.Namespace, Function: name.Function, Key: name.Key,
		}},
	})
	if failure.ReasonOf(err) == NotFound {
		err = noSecret(s.view(), name)
	}
	if err == nil {
		s.config.Logger.Info("secret deleted", "namespace", name.Namespace, "function", name.Function, "key", name.Key)
	}
	return &weftv1.DeleteSecretResponse{}, s.changeStatus(ctx, err)
}

// ListSecrets implements weft.v1.SecretService.
func (s *Server) ListSecrets(ctx context.Context, r *weftv1.ListSecretsRequest) (*weftv1.ListSecretsResponse, error) {
	ns, err := namespace(r.GetNamespace())
	if err != nil {
		return nil, err
	}
	view, freshness, err := s.read(ctx, r.GetConsistency())
	if err != nil {
		return nil, s.status(ctx, err)
	}
	response := &weftv1.ListSecretsResponse{Freshness: freshness, KeyId: s.config.Keys.First()}
	for row := range view.Secrets(ns) {
		response.Secrets = append(response.Secrets, s.secret(row))
	}
	return response, nil
}

// ResealSecrets implements weft.v1.SecretService. Each secret is a change of its own, which builds on what was decrypted: one
// that is set meanwhile stays as it was set, with the key that it was set with.
func (s *Server) ResealSecrets(ctx context.Context, r *weftv1.ResealSecretsRequest) (*weftv1.ResealSecretsResponse, error) {
	ns, err := namespace(r.GetNamespace())
	if err != nil {
		return nil, err
	}
	if err := s.catchUp(ctx, false); err != nil {
		return nil, s.changeStatus(ctx, err)
	}
	response := &weftv1.ResealSecretsResponse{KeyId: s.config.Keys.First()}
	if response.KeyId == "" {
		return nil, s.status(ctx, secrets.ErrNoKey)
	}
	for old := range s.view().Secrets(ns) {
		if old.GetKeyId() == response.KeyId {
			continue
		}
		value, err := s.config.Keys.Open(old)
		if err != nil {
			response.Unreadable = append(response.Unreadable, s.secret(old))
			continue
		}
		resealed, err := s.reseal(ctx, old, value)
		if err != nil {
			return nil, s.changeStatus(ctx, err)
		}
		if resealed != nil {
			response.Resealed = append(response.Resealed, s.secret(resealed))
		}
	}
	s.config.Logger.Info("secrets resealed", "namespace", ns, "key", response.KeyId,
		"resealed", len(response.GetResealed()), "unreadable", len(response.GetUnreadable()))
	return response, nil
}

// reseal encrypts one secret anew and returns its row; nil if it was changed or deleted meanwhile.
func (s *Server) reseal(ctx context.Context, old *catalogv1.Secret, value secrets.Value) (*catalogv1.Secret, error) {
	name := secrets.Name{Namespace: old.GetNamespace(), Function: old.GetFunction(), Key: old.GetKey()}
	row, err := s.config.Keys.Seal(name, value)
	if err != nil {
		return nil, err
	}
	replaces := sha256.Sum256(old.GetCiphertext())
	_, err = s.changeSecret(ctx, rand.Text(), &catalogv1.Command{
		Action: &catalogv1.Command_PutSecret{PutSecret: &catalogv1.PutSecret{Secret: row, Replaces: replaces[:]}},
	})
	if failure.ReasonOf(err) == Conflict {
		return nil, nil //nolint:nilnil // somebody was faster
	}
	if err != nil {
		return nil, err
	}
	return s.view().Secret(name.Namespace, name.Function, name.Key), nil
}

// changeSecret is change, for commands of a level that a cluster may not have reached yet.
func (s *Server) changeSecret(ctx context.Context, id string, command *catalogv1.Command) (*catalogv1.Result, error) {
	result, err := s.change(ctx, id, command)
	if failure.ReasonOf(err) == Level {
		return nil, failure.Newf(codes.FailedPrecondition, Level,
			"the cluster is at format level %d and has secrets from %d on: that comes by itself once every node runs a weft that knows it; `weft nodes` shows which do not",
			s.view().Level(), catalog.RequiredLevel(command))
	}
	return result, err
}

// secret tells of a row.
func (s *Server) secret(row *catalogv1.Secret) *weftv1.Secret {
	return &weftv1.Secret{
		Function: row.GetFunction(), Key: row.GetKey(), Version: row.GetVersion(), SizeBytes: row.GetSizeBytes(),
		Set: timestamppb.New(time.Unix(0, row.GetSetUnixNanos())), KeyId: row.GetKeyId(), Readable: s.config.Keys.Has(row.GetKeyId()),
	}
}

// secretsFor tells of the secrets that a function sees, if its component can ask for any.
func (s *Server) secretsFor(view *catalog.View, namespace, function string, world *wit.World) (all []*weftv1.Secret) {
	if !asksForConfig(world) {
		return nil
	}
	for _, row := range secrets.Visible(view, namespace, function) {
		all = append(all, s.secret(row))
	}
	return all
}

func asksForConfig(world *wit.World) bool {
	for _, i := range world.Imports {
		if i.Namespace == "wasi" && i.Package == "config" {
			return true
		}
	}
	return false
}

func secretName(ns, function, key string) (secrets.Name, error) {
	ns, err := namespace(ns)
	if err != nil {
		return secrets.Name{}, err
	}
	if function != "" {
		if err := checkName(function); err != nil {
			return secrets.Name{}, err
		}
	}
	if !catalog.ValidSecretKey(key) {
		return secrets.Name{}, invalid("key %.80q: the key of a secret has 1 to 128 letters, digits and . _ - / :", key)
	}
	return secrets.Name{Namespace: ns, Function: function, Key: key}, nil
}

// checkValue says nothing of the value but how long it is.
func checkValue(name secrets.Name, value secrets.Value) error {
	switch text := value.Reveal(); {
	case text == "":
		return invalid("secret %s: the value is empty; to take a secret away, delete it", name.Key)
	case len(text) > catalog.MaxSecret:
		return invalid("secret %s: the value has %d bytes; a secret has %d (64 KiB) at most", name.Key, len(text), catalog.MaxSecret)
	case !utf8.ValidString(text):
		return invalid("secret %s: the value is no UTF-8 text, and functions get secrets as text (wasi:config): encode it, for example in base64", name.Key)
	}
	return nil
}

func noSecret(view *catalog.View, name secrets.Name) error {
	names := func(yield func(string) bool) {
		for row := range view.SecretsOf(name.Namespace, name.Function) {
			if !yield(row.GetKey()) {
				return
			}
		}
	}
	hint := near.Hint(near.Names(name.Key, names))
	if name.Function == "" {
		return failure.Newf(codes.NotFound, NotFound, "no secret %s in namespace %s%s", name.Key, name.Namespace, hint)
	}
	return failure.Newf(codes.NotFound, NotFound, "function %s in namespace %s has no secret %s of its own%s", name.Function, name.Namespace, name.Key, hint)
}
