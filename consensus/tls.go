package consensus

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
)

// JoinProtocol is the one protocol of the cluster port that takes clients without a certificate, for nodes that want to
// come in.
const JoinProtocol = "weft-join"

// server returns the TLS configuration for connections that peers open. Whoever has no certificate of the cluster, or is
// refused by check, gets an alert and nothing else.
func (k *keys) server(protocols []string, check func(id, protocol string) error) *tls.Config {
	config := k.base(protocols...)
	config.ClientAuth = tls.RequireAndVerifyClientCert
	config.ClientCAs = k.pool
	config.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return k.certificate(), nil }
	config.VerifyConnection = func(state tls.ConnectionState) error {
		id, err := k.member(state.PeerCertificates[0])
		if err != nil {
			return err
		}
		return check(id, state.NegotiatedProtocol)
	}
	return config
}

// lobby returns the TLS configuration for nodes that are no members yet. They see the authority's certificate too, to
// compare it with their token.
func (k *keys) lobby() *tls.Config {
	config := k.base(JoinProtocol)
	config.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		own := *k.certificate()
		own.Certificate = [][]byte{own.Certificate[0], k.authority.Raw}
		return &own, nil
	}
	return config
}

// client returns the TLS configuration for connections to peers. Check says whether the node at the other end is the one
// that is wanted.
func (k *keys) client(protocol string, check func(id string) error) *tls.Config {
	config := k.base(protocol)
	config.ServerName = peerName
	config.RootCAs = k.pool
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return k.certificate(), nil }
	config.VerifyConnection = func(state tls.ConnectionState) error {
		id, err := k.member(state.PeerCertificates[0])
		if err != nil {
			return err
		}
		return check(id)
	}
	return config
}

func (k *keys) base(protocols ...string) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: protocols, Time: k.now, SessionTicketsDisabled: true}
}

// JoinTLS returns the TLS configuration for the join endpoint of a cluster whose authority has a certificate with the
// given SHA-256. ErrOtherCluster comes from a handshake with a node of another one, before anything was sent to it.
func JoinTLS(authority [sha256.Size]byte) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		NextProtos:         []string{JoinProtocol},
		ServerName:         peerName,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection verifies, against the hash
		VerifyConnection: func(state tls.ConnectionState) error {
			roots := x509.NewCertPool()
			found := false
			for _, c := range state.PeerCertificates[1:] {
				if sha256.Sum256(c.Raw) == authority {
					roots.AddCert(c)
					found = true
				}
			}
			if !found {
				return fmt.Errorf("%w: the node there has another authority than the token names; take a token of its cluster with `weft token`", ErrOtherCluster)
			}
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, DNSName: peerName})
			return err
		},
	}
}
