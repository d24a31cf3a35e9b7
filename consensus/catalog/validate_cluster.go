package catalog

import (
	"maps"
	"slices"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// What the commands of level 2 may hold.
const (
	maxLabels     = 64      // of a node
	maxRequire    = 32      // labels that a revision requires
	maxSpread     = 8       // labels that a revision is spread over
	maxReplicas   = 10_000  // of a revision
	maxPlacements = 100_000 // of one command
	maxPlaced     = 10_000  // nodes of one placement
	nodeIDDigits  = 20
)

// ValidNodeName reports whether a node may have a name: what hosts are called, [A-Za-z0-9][A-Za-z0-9._-]{0,62}, except
// what looks like the ID of a node.
func ValidNodeName(name string) bool {
	if name == "" || len(name) > 63 || validNodeID(name) || !isLetter(name[0]) && !isDigit(name[0]) {
		return false
	}
	for i := range len(name) {
		if c := name[i]; !isLetter(c) && !isDigit(c) && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// ValidLabel reports whether a node may have a label: its name matches [a-z0-9][a-z0-9._/-]{0,62}, its value has at most
// 63 bytes of printable ASCII.
func ValidLabel(name, value string) bool { return validLabelName(name) && validLabelValue(value) }

func validLabelName(name string) bool {
	if name == "" || len(name) > 63 || !isLower(name[0]) && !isDigit(name[0]) {
		return false
	}
	for i := range len(name) {
		if c := name[i]; !isLower(c) && !isDigit(c) && c != '.' && c != '_' && c != '/' && c != '-' {
			return false
		}
	}
	return true
}

func validLabelValue(value string) bool {
	for i := range len(value) {
		if value[i] < ' ' || value[i] > '~' {
			return false
		}
	}
	return len(value) <= 63
}

// validNodeID reports whether an ID is one that a node makes for itself: 20 hexadecimal digits.
func validNodeID(id string) bool {
	for i := range len(id) {
		if c := id[i]; !isDigit(c) && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(id) == nodeIDDigits
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLower(c byte) bool  { return 'a' <= c && c <= 'z' }
func isLetter(c byte) bool { return isLower(c | 0x20) }

func checkNodeID(id string) *catalogv1.Result {
	if !validNodeID(id) {
		return refuse(catalogv1.Refusal_REASON_INVALID, "node %q: an ID has %d hexadecimal digits", clip(id), nodeIDDigits)
	}
	return nil
}

func checkNode(n *catalogv1.Node) *catalogv1.Result {
	if refusal := checkNodeID(n.GetId()); refusal != nil {
		return refusal
	}
	if !ValidNodeName(n.GetName()) {
		return refuse(catalogv1.Refusal_REASON_INVALID, "node %q: a name must match [A-Za-z0-9][A-Za-z0-9._-]{0,62} and not look like an ID", clip(n.GetName()))
	}
	if !n.GetScheduler() && !n.GetExecutor() {
		return refuse(catalogv1.Refusal_REASON_INVALID, "node %q is neither a scheduler nor an executor", n.GetName())
	}
	return checkLabels("node", n.GetName(), n.GetLabels(), maxLabels)
}

func checkLabels(what, name string, labels map[string]string, most int) *catalogv1.Result {
	if len(labels) > most {
		return refuse(catalogv1.Refusal_REASON_INVALID, "%s %q: %d labels are more than %d", what, name, len(labels), most)
	}
	for _, label := range slices.Sorted(maps.Keys(labels)) { // so that all nodes name the same one
		if value := labels[label]; !ValidLabel(label, value) {
			return refuse(catalogv1.Refusal_REASON_INVALID,
				"%s %q: label %q=%q: the name must match [a-z0-9][a-z0-9._/-]{0,62}, the value have up to 63 printable ASCII characters",
				what, name, clip(label), clip(value))
		}
	}
	return nil
}

func checkScheduling(function string, sc *catalogv1.Scheduling) *catalogv1.Result {
	if sc.GetReplicas() > maxReplicas {
		return refuse(catalogv1.Refusal_REASON_INVALID, "function %q: %d replicas are more than %d", function, sc.GetReplicas(), maxReplicas)
	}
	if sc.GetAll() && sc.GetReplicas() != 0 {
		return refuse(catalogv1.Refusal_REASON_INVALID, "function %q: it is to run on all executors and on %d", function, sc.GetReplicas())
	}
	if len(sc.GetSpread()) > maxSpread {
		return refuse(catalogv1.Refusal_REASON_INVALID, "function %q: spread over %d labels, more than %d", function, len(sc.GetSpread()), maxSpread)
	}
	for i, label := range sc.GetSpread() {
		if !validLabelName(label) {
			return refuse(catalogv1.Refusal_REASON_INVALID, "function %q: label %q to spread over: a name must match [a-z0-9][a-z0-9._/-]{0,62}", function, clip(label))
		}
		if slices.Contains(sc.GetSpread()[:i], label) {
			return refuse(catalogv1.Refusal_REASON_INVALID, "function %q: label %q to spread over is there twice", function, label)
		}
	}
	return checkLabels("function", function, sc.GetRequire(), maxRequire)
}

func checkTokenID(id string) *catalogv1.Result {
	ok := id != "" && len(id) <= 64
	for i := range len(id) {
		ok = ok && (isLetter(id[i]) || isDigit(id[i]) || id[i] == '-')
	}
	if !ok {
		return refuse(catalogv1.Refusal_REASON_INVALID, "token %q: an ID has 1 to 64 letters, digits or dashes", clip(id))
	}
	return nil
}

func checkToken(t *catalogv1.Token) *catalogv1.Result {
	if refusal := checkTokenID(t.GetId()); refusal != nil {
		return refusal
	}
	if len(t.GetSecretHash()) != 32 {
		return refuse(catalogv1.Refusal_REASON_INVALID, "token %q: the hash of its secret must have 32 bytes, not %d", t.GetId(), len(t.GetSecretHash()))
	}
	return nil
}

func checkPlacements(ps []*catalogv1.Placement) *catalogv1.Result {
	if len(ps) > maxPlacements {
		return refuse(catalogv1.Refusal_REASON_INVALID, "%d placements are more than %d", len(ps), maxPlacements)
	}
	seen := make(map[Key]bool, len(ps))
	for _, p := range ps {
		if refusal := checkPlacement(p); refusal != nil {
			return refusal
		}
		k := Key{p.GetNamespace(), p.GetName(), p.GetRevision()}
		if seen[k] {
			return refuse(catalogv1.Refusal_REASON_INVALID, "revision %d of function %q is placed twice", p.GetRevision(), p.GetName())
		}
		seen[k] = true
	}
	return nil
}

func checkPlacement(p *catalogv1.Placement) *catalogv1.Result {
	if refusal := checkNames(p.GetNamespace(), p.GetName()); refusal != nil {
		return refusal
	}
	if len(p.GetNodes()) > maxPlaced {
		return refuse(catalogv1.Refusal_REASON_INVALID, "function %q: placed on %d nodes, more than %d", p.GetName(), len(p.GetNodes()), maxPlaced)
	}
	for i, id := range p.GetNodes() {
		if refusal := checkNodeID(id); refusal != nil {
			return refusal
		}
		if i > 0 && p.GetNodes()[i-1] >= id {
			return refuse(catalogv1.Refusal_REASON_INVALID, "function %q: node %s is out of order", p.GetName(), id)
		}
	}
	return nil
}
