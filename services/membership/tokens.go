package membership

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/failure"
)

// How long a token is good.
const (
	DefaultTokenLife = time.Hour
	MaxTokenLife     = 30 * 24 * time.Hour
	minTokenLife     = time.Second
)

func invalid(format string, args ...any) error {
	return failure.Newf(codes.InvalidArgument, failure.InvalidRequest, format, args...)
}

// CreateToken makes a join token. Errors are statuses, or those of consensus.Node.Apply.
func (s *Service) CreateToken(ctx context.Context, r *weftv1.CreateTokenRequest) (*weftv1.CreateTokenResponse, error) {
	life, err := tokenLife(r.GetLife())
	if err != nil {
		return nil, err
	}
	token, now := newToken(s.config.Node.Authority()), s.now()
	hash, expires := sha256.Sum256([]byte(token.Secret)), now.Add(life)
	// The request ID is new even for a repeated request: under the old one the cluster would keep the old secret.
	if err := s.apply(ctx, rand.Text(), &catalogv1.Command{
		TimeUnixNanos: now.UnixNano(),
		Action: &catalogv1.Command_PutToken{PutToken: &catalogv1.PutToken{Token: &catalogv1.Token{
			Id: token.ID, SecretHash: hash[:], ExpiresUnixNanos: expires.UnixNano(),
		}}},
	}); err != nil {
		return nil, err
	}
	s.config.Logger.Info("made a join token", "token", token.ID, "expires", expires)
	return &weftv1.CreateTokenResponse{Token: token.String(), Id: token.ID, Expires: timestamppb.New(expires)}, nil
}

func tokenLife(d *durationpb.Duration) (time.Duration, error) {
	if d == nil {
		return DefaultTokenLife, nil
	}
	if life := d.AsDuration(); d.CheckValid() == nil && life >= minTokenLife && life <= MaxTokenLife {
		return life, nil
	}
	return 0, invalid("life %v: a token is good for 1 second to 30 days", d.AsDuration())
}

// RevokeToken makes a token worthless, or all of them.
func (s *Service) RevokeToken(ctx context.Context, r *weftv1.RevokeTokenRequest) (*weftv1.RevokeTokenResponse, error) {
	id := r.GetToken()
	if strings.Contains(id, ".") {
		token, err := ParseToken(id)
		if err != nil {
			return nil, invalid("%v", err)
		}
		if token.Authority != s.config.Node.Authority() {
			return nil, invalid("the token is of another cluster")
		}
		id = token.ID
	}
	if err := s.apply(ctx, r.GetRequestId(), &catalogv1.Command{
		Action: &catalogv1.Command_RevokeToken{RevokeToken: &catalogv1.RevokeToken{Id: id}},
	}); err != nil {
		return nil, err
	}
	s.config.Logger.Info("revoked join tokens", "token", id, "all", id == "")
	return &weftv1.RevokeTokenResponse{}, nil
}

// apply puts a command into the log. A refusal is an error.
func (s *Service) apply(ctx context.Context, id string, command *catalogv1.Command) error {
	result, err := s.propose(ctx, id, command)
	if err != nil {
		return err
	}
	if r := result.GetRefusal(); r != nil {
		return failure.Refused(r)
	}
	return nil
}

// levelPatience is how long a new cluster gets to raise its level: it does so as soon as it has a leader.
const levelPatience = 5 * time.Second

// propose puts a command of nodeLevel into the log.
func (s *Service) propose(ctx context.Context, id string, command *catalogv1.Command) (*catalogv1.Result, error) {
	over := time.NewTimer(levelPatience)
	defer over.Stop()
	for waiting := true; waiting; {
		view := s.config.Node.Catalog().View()
		if view.Level() >= nodeLevel {
			break
		}
		select {
		case <-view.Changed():
		case <-over.C:
			waiting = false // the cluster will say what it lacks
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if id == "" {
		id = rand.Text()
	}
	command.RequestId, command.Level = id, nodeLevel
	return s.config.Node.Apply(ctx, command)
}
