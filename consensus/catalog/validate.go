package catalog

import (
	"strings"
	"unicode/utf8"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// What a command may hold. The bounds keep one entry from filling every node's memory; the control API has tighter
// ones where users can see them.
const (
	maxRequestID   = 128
	maxFullName    = 512     // bytes of a service's or package's full name
	maxNames       = 1024    // services or packages of one revision, contracts of one deploy
	maxContract    = 4 << 20 // bytes of one contract
	maxEnvironment = 256 << 10
)

// ValidName reports whether a name of a function or namespace is allowed: [a-z][a-z0-9-]{0,62}.
func ValidName(name string) bool {
	if name == "" || len(name) > 63 || name[0] < 'a' || name[0] > 'z' {
		return false
	}
	for i := 1; i < len(name); i++ {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// validFullName reports whether a name is a protobuf full name: identifiers joined by dots.
func validFullName(name string) bool {
	if len(name) > maxFullName {
		return false
	}
	for part := range strings.SplitSeq(name, ".") {
		if part == "" || part[0] >= '0' && part[0] <= '9' {
			return false
		}
		for i := range len(part) {
			c := part[i] | 0x20 // letters in lower case; '_' and digits are told apart below
			if (c < 'a' || c > 'z') && (part[i] < '0' || part[i] > '9') && part[i] != '_' {
				return false
			}
		}
	}
	return true
}

// checkRequestID refuses an ID that can't be remembered.
func checkRequestID(id string) *catalogv1.Result {
	if id == "" || len(id) > maxRequestID || !utf8.ValidString(id) {
		return refuse(catalogv1.Refusal_REASON_INVALID, "the request ID must have 1 to %d bytes of UTF-8", maxRequestID)
	}
	return nil
}

// checkCommand refuses what is malformed whatever the state, and what is of a level that is not raised yet.
func checkCommand(cmd *catalogv1.Command, level uint32) *catalogv1.Result {
	if cmd.GetLevel() > level {
		return refuse(catalogv1.Refusal_REASON_LEVEL, "the command is of level %d; the cluster is at %d", cmd.GetLevel(), level)
	}
	if required := RequiredLevel(cmd); max(cmd.GetLevel(), 1) < required {
		return refuse(catalogv1.Refusal_REASON_INVALID, "the command carries level %d; what it holds came with level %d", cmd.GetLevel(), required)
	}
	switch action := cmd.GetAction().(type) {
	case *catalogv1.Command_PutRevision:
		return checkPutRevision(action.PutRevision)
	case *catalogv1.Command_DeleteFunction:
		return checkNames(action.DeleteFunction.GetNamespace(), action.DeleteFunction.GetName())
	case *catalogv1.Command_SetRoute:
		if !validFullName(action.SetRoute.GetService()) {
			return invalidFullName("service", action.SetRoute.GetService())
		}
		return checkNames(action.SetRoute.GetNamespace(), action.SetRoute.GetFunction())
	case *catalogv1.Command_ForgetContract:
		if !ValidName(action.ForgetContract.GetNamespace()) {
			return invalidName("namespace", action.ForgetContract.GetNamespace())
		}
		if !validFullName(action.ForgetContract.GetPackage()) {
			return invalidFullName("package", action.ForgetContract.GetPackage())
		}
	case *catalogv1.Command_PutNode:
		return checkNode(action.PutNode.GetNode())
	case *catalogv1.Command_RemoveNode:
		return checkNodeID(action.RemoveNode.GetNode())
	case *catalogv1.Command_SetDrain:
		return checkNodeID(action.SetDrain.GetNode())
	case *catalogv1.Command_PutToken:
		return checkToken(action.PutToken.GetToken())
	case *catalogv1.Command_RevokeToken:
		if id := action.RevokeToken.GetId(); id != "" {
			return checkTokenID(id)
		}
	case *catalogv1.Command_SetPlacements:
		return checkPlacements(action.SetPlacements.GetPlacements())
	case *catalogv1.Command_PutSecret:
		return checkSecret(action.PutSecret.GetSecret())
	case *catalogv1.Command_DeleteSecret:
		return checkSecretName(action.DeleteSecret.GetNamespace(), action.DeleteSecret.GetFunction(), action.DeleteSecret.GetKey())
	case *catalogv1.Command_RaiseLevel:
		if to := action.RaiseLevel.GetLevel(); to != level && to != level+1 {
			return refuse(catalogv1.Refusal_REASON_INVALID, "the level can be raised by one, from %d, not to %d", level, to)
		}
	}
	return nil
}

func checkNames(namespace, function string) *catalogv1.Result {
	if !ValidName(namespace) {
		return invalidName("namespace", namespace)
	}
	if !ValidName(function) {
		return invalidName("function", function)
	}
	return nil
}

func checkPutRevision(put *catalogv1.PutRevision) *catalogv1.Result {
	if refusal := checkNames(put.GetNamespace(), put.GetName()); refusal != nil {
		return refusal
	}
	r := put.GetRevision()
	if len(r.GetDigest()) != 32 {
		return refuse(catalogv1.Refusal_REASON_INVALID, "function %q: the digest must have 32 bytes, not %d", put.GetName(), len(r.GetDigest()))
	}
	if r.GetTimeoutNanos() < 0 {
		return refuse(catalogv1.Refusal_REASON_INVALID, "function %q: the timeout is negative", put.GetName())
	}
	if refusal := checkFullNames("service", r.GetServices()); refusal != nil {
		return refusal
	}
	if refusal := checkFullNames("package", r.GetPackages()); refusal != nil {
		return refusal
	}
	if refusal := checkEnvironment(r.GetEnvironment()); refusal != nil {
		return refusal
	}
	if refusal := checkScheduling(put.GetName(), r.GetScheduling()); refusal != nil {
		return refusal
	}
	if refusal := checkBindings(put.GetName(), r.GetBindings()); refusal != nil {
		return refusal
	}
	left := MaxLinks
	if refusal := checkLinks(put.GetName(), r.GetBindings(), &left); refusal != nil {
		return refusal
	}
	return checkContracts(put)
}

func checkContracts(put *catalogv1.PutRevision) *catalogv1.Result {
	if len(put.GetContracts()) > maxNames || len(put.GetBaseVersions()) > maxNames {
		return refuse(catalogv1.Refusal_REASON_INVALID, "function %q: more than %d contracts", put.GetName(), maxNames)
	}
	seen := make(map[string]bool, len(put.GetContracts()))
	for _, c := range put.GetContracts() {
		pkg := c.GetPackage()
		if !validFullName(pkg) {
			return invalidFullName("package", pkg)
		}
		if seen[pkg] {
			return refuse(catalogv1.Refusal_REASON_INVALID, "contract %q is there twice", pkg)
		}
		seen[pkg] = true
	}
	return nil
}

// checkFullNames wants names in order, each once.
func checkFullNames(what string, names []string) *catalogv1.Result {
	if len(names) > maxNames {
		return refuse(catalogv1.Refusal_REASON_INVALID, "more than %d %ss", maxNames, what)
	}
	for i, name := range names {
		if !validFullName(name) {
			return invalidFullName(what, name)
		}
		if i > 0 && names[i-1] >= name {
			return refuse(catalogv1.Refusal_REASON_INVALID, "%s %q is out of order", what, name)
		}
	}
	return nil
}

// checkEnvironment looks at everything and reports without naming an entry, so that the order in which the map is
// ranged over can't show.
func checkEnvironment(env map[string]string) *catalogv1.Result {
	size, ok := 0, true
	for k, v := range env {
		size += len(k) + len(v)
		ok = ok && k != "" && !strings.ContainsAny(k, "=\x00") && !strings.Contains(v, "\x00") && utf8.ValidString(k) && utf8.ValidString(v)
	}
	if !ok {
		return refuse(catalogv1.Refusal_REASON_INVALID, "an environment variable has no name, a name with '=', a zero byte or text that is not UTF-8")
	}
	if size > maxEnvironment {
		return refuse(catalogv1.Refusal_REASON_INVALID, "the environment has %d bytes, more than %d", size, maxEnvironment)
	}
	return nil
}

// clip keeps a name that somebody made up from filling a message, and the message UTF-8.
func clip(name string) string {
	return strings.ToValidUTF8(name[:min(len(name), 80)], "\uFFFD")
}

func invalidName(what, name string) *catalogv1.Result {
	return refuse(catalogv1.Refusal_REASON_INVALID, "%s %q: a name must match [a-z][a-z0-9-]{0,62}", what, clip(name))
}

func invalidFullName(what, name string) *catalogv1.Result {
	return refuse(catalogv1.Refusal_REASON_INVALID, "%s %q is no protobuf name", what, clip(name))
}
