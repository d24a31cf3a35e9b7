package membership

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/weft-run/weft/consensus"
	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
	"github.com/weft-run/weft/services/failure"
)

// badToken: the secret of a join token is wrong, or no longer good.
const badToken failure.Reason = "BAD_TOKEN"

// forward hands a request on to a node that can decide.
func (s *Service) forward(ctx context.Context, r *clusterv1.JoinRequest) (*clusterv1.JoinResponse, error) {
	var response *clusterv1.AdmitResponse
	err := s.askSchedulers(ctx, func(ctx context.Context, client clusterv1.MembershipServiceClient) (err error) {
		response, err = client.Admit(ctx, &clusterv1.AdmitRequest{Join: r})
		return err
	})
	return response.GetJoin(), err
}

// admit decides about a request on a node that has the authority's key.
func (s *Service) admit(ctx context.Context, r *clusterv1.JoinRequest) (*clusterv1.JoinResponse, error) {
	token, err := s.checkSecret(ctx, r.GetSecret())
	if err != nil {
		return nil, err
	}
	view := s.config.Node.Catalog().View()
	if err := checkNewcomer(view, r); err != nil {
		return nil, err
	}
	admission, err := s.config.Node.Admit(r.GetId(), r.GetCertificateRequest(), r.GetScheduler())
	if err != nil {
		return nil, failure.Newf(codes.InvalidArgument, failure.InvalidRequest, "the node's request can't be granted: %v", err)
	}
	result, err := s.propose(ctx, "", &catalogv1.Command{
		Action: &catalogv1.Command_PutNode{PutNode: &catalogv1.PutNode{Node: &catalogv1.Node{
			Id: r.GetId(), Name: r.GetName(), Scheduler: r.GetScheduler(), Executor: r.GetExecutor(), Labels: r.GetLabels(),
		}}},
	})
	if err != nil {
		return nil, unavailable(err)
	}
	if refusal := result.GetRefusal(); refusal != nil {
		if refusal.GetReason() == catalogv1.Refusal_REASON_TAKEN {
			return nil, nameTaken(r.GetName())
		}
		return nil, failure.Refused(refusal)
	}
	if a := toAddress(r.GetAddress()); a.Node == r.GetId() {
		s.config.Node.Learn([]consensus.Address{a})
	}
	s.config.Logger.Info("a node has joined", "name", r.GetName(), "node", r.GetId(), "scheduler", r.GetScheduler(),
		"executor", r.GetExecutor(), "address", r.GetAddress().GetCluster(), "token", token.GetId())
	return &clusterv1.JoinResponse{
		Cluster: admission.Cluster, Authority: admission.Authority, Certificate: admission.Certificate,
		AuthorityKey: admission.AuthorityKey, Addresses: fromAddresses(s.config.Node.Addresses()),
	}, nil
}

// checkSecret finds the token of a secret, as the whole cluster knows it now. A secret that this node does not know at
// first sight costs the cluster a round of messages, so strangers get few of those.
func (s *Service) checkSecret(ctx context.Context, secret string) (*catalogv1.Token, error) {
	hash := sha256.Sum256([]byte(secret))
	if s.config.Node.Catalog().View().TokenBySecret(hash) == nil && !s.guesses.take(time.Now()) {
		return nil, failure.New(codes.ResourceExhausted, failure.Busy, "too many wrong tokens lately; trying again may help")
	}
	if err := s.config.Node.Linearize(ctx); err != nil {
		return nil, unavailable(err)
	}
	token := s.config.Node.Catalog().View().TokenBySecret(hash)
	if token == nil {
		return nil, failure.New(codes.PermissionDenied, badToken,
			"the token is not good: it is wrong, was revoked, or ran out; make a new one with `weft token`")
	}
	if expires := time.Unix(0, token.GetExpiresUnixNanos()); !s.now().Before(expires) {
		return nil, failure.Newf(codes.PermissionDenied, badToken,
			"the token %s ran out at %s; make a new one with `weft token`", token.GetId(), expires.UTC().Format(time.RFC3339))
	}
	return token, nil
}

// checkNewcomer refuses nodes that can't be in the cluster, with what to do about it.
func checkNewcomer(view *catalog.View, r *clusterv1.JoinRequest) error {
	switch known := view.NodeByName(r.GetName()); {
	case view.Removed(r.GetId()):
		return failure.New(codes.FailedPrecondition, failure.Removed,
			"this node was removed from the cluster; delete its data directory to let it join anew")
	case r.GetLevel() < view.Level():
		return failure.Newf(codes.FailedPrecondition, failure.Level,
			"the cluster is at level %d and this build of weft (%s) knows %d: upgrade it", view.Level(), r.GetVersion(), r.GetLevel())
	case known != nil && known.GetId() != r.GetId():
		return nameTaken(r.GetName())
	case view.Level() < nodeLevel:
		return failure.Newf(codes.Unavailable, failure.Level,
			"the cluster is at level %d and takes nodes in from %d on: that comes by itself once all its nodes know it", view.Level(), nodeLevel)
	}
	return nil
}

func nameTaken(name string) error {
	return failure.Newf(codes.AlreadyExists, failure.Taken,
		"a node named %s is in the cluster: choose another --name, or `weft remove %s` first", name, name)
}

// unavailable is the status of an error of consensus for a node that may try again.
func unavailable(err error) error {
	if _, ok := status.FromError(err); ok {
		return err
	}
	reason := failure.Reason("NO_LEADER")
	if errors.Is(err, consensus.ErrStorage) {
		reason = "DISK_FULL"
	}
	return failure.New(codes.Unavailable, reason, err.Error())
}
