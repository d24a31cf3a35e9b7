package membership

import (
	"context"
	"errors"
	"time"

	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
)

const (
	renewCheck = time.Hour       // clocks jump, so nobody sleeps for months
	renewPause = 5 * time.Minute // between two tries at most: a third of the certificate's life is left for them
)

// renew has the certificate of this node renewed in time, where the node can't do that itself. It runs until the service
// closes.
func (s *Service) renew() {
	if s.config.Node.Certifies() {
		return
	}
	retry := backoff{first: s.config.retry.first, last: renewPause}
	for {
		due, end := s.config.Node.CertificateLife()
		if wait := due.Sub(s.config.clock()); wait > 0 {
			if sleep(s.ctx, min(wait, renewCheck)) != nil {
				return
			}
			continue
		}
		err := s.config.Node.Renew(s.ctx, s.certify)
		if err == nil {
			retry.reset()
			_, end = s.config.Node.CertificateLife()
			s.config.Logger.Info("this node has a new certificate", "end", end)
			continue
		}
		if errors.Is(err, context.Canceled) {
			return
		}
		s.config.Logger.Warn("the certificate of this node could not be renewed yet; when it ends, no other node talks to this one",
			"end", end, "error", err)
		if retry.wait(s.ctx) != nil {
			return
		}
	}
}

func (s *Service) certify(ctx context.Context, csr []byte) (certificate []byte, err error) {
	err = s.askSchedulers(ctx, func(ctx context.Context, client clusterv1.MembershipServiceClient) error {
		response, err := client.Renew(ctx, &clusterv1.RenewRequest{CertificateRequest: csr})
		certificate = response.GetCertificate()
		return err
	})
	return certificate, err
}
