package control

import (
	"maps"
	"slices"

	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// What a request may ask for of where a revision runs.
const (
	maxReplicas = 10_000
	maxSpread   = 8
	maxRequire  = 32
)

// checkScheduling accepts nil, which means what is there already, or one replica anywhere.
func checkScheduling(s *weftv1.Scheduling) error {
	if s.GetAll() && s.GetReplicas() != 0 {
		return invalid("scheduling: %d replicas and all executors: choose one", s.GetReplicas())
	}
	if s.GetReplicas() > maxReplicas {
		return invalid("scheduling: %d replicas; at most %d are allowed", s.GetReplicas(), maxReplicas)
	}
	if len(s.GetSpread()) > maxSpread || len(s.GetRequire()) > maxRequire {
		return invalid("scheduling: at most %d labels to spread over and %d required ones are allowed", maxSpread, maxRequire)
	}
	for i, label := range s.GetSpread() {
		if !catalog.ValidLabel(label, "") {
			return invalid("scheduling: spread over %q: a label is up to 63 lower-case letters, digits and . _ / -", label)
		}
		if slices.Contains(s.GetSpread()[:i], label) {
			return invalid("scheduling: spread over %s twice", label)
		}
	}
	for _, label := range slices.Sorted(maps.Keys(s.GetRequire())) {
		if !catalog.ValidLabel(label, "") {
			return invalid("scheduling: require %q: a label is up to 63 lower-case letters, digits and . _ / -", label)
		}
		if !catalog.ValidLabel(label, s.GetRequire()[label]) {
			return invalid("scheduling: require %s=%q: a value is up to 63 printable ASCII characters", label, s.GetRequire()[label])
		}
	}
	return nil
}

// setScheduling writes where a revision is to run into its row, unless nothing is said about it.
func setScheduling(row *catalogv1.Revision, s *weftv1.Scheduling) {
	if s != nil {
		row.Scheduling = &catalogv1.Scheduling{
			Replicas: s.GetReplicas(), All: s.GetAll(), Spread: s.GetSpread(), Require: s.GetRequire(),
		}
	}
}

// schedulingOf says where a revision is to run, with the defaults spelled out.
func schedulingOf(row *catalogv1.Revision) *weftv1.Scheduling {
	s := row.GetScheduling()
	out := &weftv1.Scheduling{Replicas: s.GetReplicas(), All: s.GetAll(), Spread: s.GetSpread(), Require: s.GetRequire()}
	if out.GetReplicas() == 0 && !out.GetAll() {
		out.Replicas = 1
	}
	return out
}
