package catalog

import (
	"fmt"
	"maps"
	"slices"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// do carries out the action of a command that passed checkCommand. It changes s even where it refuses; the caller
// drops s then.
func (s *state) do(cmd *catalogv1.Command) *catalogv1.Result {
	switch action := cmd.GetAction().(type) {
	case *catalogv1.Command_PutRevision:
		return s.doPutRevision(action.PutRevision, cmd)
	case *catalogv1.Command_DeleteFunction:
		return s.doDeleteFunction(action.DeleteFunction, cmd.GetLevel())
	case *catalogv1.Command_SetRoute:
		return s.doSetRoute(action.SetRoute)
	case *catalogv1.Command_ForgetContract:
		return s.doForgetContract(action.ForgetContract)
	case *catalogv1.Command_RaiseLevel:
		s.level = max(s.level, action.RaiseLevel.GetLevel())
		return &catalogv1.Result{}
	case *catalogv1.Command_PutNode:
		return s.doPutNode(action.PutNode)
	case *catalogv1.Command_RemoveNode:
		return s.doRemoveNode(action.RemoveNode)
	case *catalogv1.Command_SetDrain:
		return s.doSetDrain(action.SetDrain)
	case *catalogv1.Command_PutToken:
		return s.doPutToken(action.PutToken, cmd.GetTimeUnixNanos())
	case *catalogv1.Command_RevokeToken:
		return s.doRevokeToken(action.RevokeToken)
	case *catalogv1.Command_SetPlacements:
		return s.doSetPlacements(action.SetPlacements)
	case *catalogv1.Command_PutSecret:
		return s.doPutSecret(action.PutSecret, cmd.GetTimeUnixNanos())
	case *catalogv1.Command_DeleteSecret:
		return s.doDeleteSecret(action.DeleteSecret)
	}
	return refuse(catalogv1.Refusal_REASON_INVALID, "the command has no action that this weft knows")
}

func (s *state) doPutRevision(put *catalogv1.PutRevision, cmd *catalogv1.Command) *catalogv1.Result {
	namespace := put.GetNamespace()
	old, exists := s.functions.Get(key(namespace, put.GetName()))
	if base := put.GetBaseRevision(); base != 0 {
		if !exists {
			return refuse(catalogv1.Refusal_REASON_NOT_FOUND, "there is no function %q", put.GetName())
		}
		if old.GetCurrent() != base {
			return refuse(catalogv1.Refusal_REASON_CONFLICT, "function %q is at revision %d, not %d", put.GetName(), old.GetCurrent(), base)
		}
	}
	if refusal := s.putContracts(put); refusal != nil {
		return refusal
	}
	if refusal := s.bind(namespace, put.GetName(), put.GetRevision().GetBindings()); refusal != nil {
		return refusal
	}

	f := &catalogv1.Function{Namespace: namespace, Name: put.GetName(), CreatedIndex: s.index}
	var number uint32
	if exists {
		f.CreatedIndex = old.GetCreatedIndex()
		f.Revisions = slices.Clone(old.GetRevisions())
		number = lastRevision(old) + 1
	} else {
		number = s.takeDeleted(namespace, put.GetName()) + 1
	}
	if number == 0 {
		return refuse(catalogv1.Refusal_REASON_INVALID, "function %q has used up its revision numbers", put.GetName())
	}
	revision := newRevision(put.GetRevision(), number, cmd.GetTimeUnixNanos())
	f.Revisions = append(f.Revisions, revision)
	f.Current = number
	s.addRevision(f, revision)
	if cmd.GetLevel() >= 2 {
		s.trimRevisions(f)
	}
	s.putFunction(f)
	return &catalogv1.Result{Revision: number}
}

// newRevision makes the row of a revision. It holds what its format level has and nothing else: fields that this build does
// not know stay behind. What the fields point to is shared with the command.
func newRevision(put *catalogv1.Revision, number uint32, now int64) *catalogv1.Revision {
	r := &catalogv1.Revision{
		Number: number, Digest: put.GetDigest(), SizeBytes: put.GetSizeBytes(), CreatedUnixNanos: now,
		MemoryBytes: put.GetMemoryBytes(), TimeoutNanos: put.GetTimeoutNanos(), Concurrency: put.GetConcurrency(),
		Queue: put.GetQueue(), MessageBytes: put.GetMessageBytes(), Environment: put.GetEnvironment(),
		Services: put.GetServices(), Packages: put.GetPackages(), Reuse: put.GetReuse(),
	}
	if s := put.GetScheduling(); s != nil {
		r.Scheduling = &catalogv1.Scheduling{
			Replicas: s.GetReplicas(), All: s.GetAll(), Spread: s.GetSpread(), Require: s.GetRequire(),
		}
	}
	for _, b := range put.GetBindings() {
		r.Bindings = append(r.Bindings, newBinding(b))
	}
	return r
}

// putContracts compares the versions that a deploy was built from and stores what it changes.
func (s *state) putContracts(put *catalogv1.PutRevision) *catalogv1.Result {
	namespace, base := put.GetNamespace(), put.GetBaseVersions()
	for _, pkg := range slices.Sorted(maps.Keys(base)) {
		if refusal := s.compare(namespace, pkg, base[pkg]); refusal != nil {
			return refusal
		}
	}
	for _, c := range put.GetContracts() {
		pkg := c.GetPackage()
		if _, compared := base[pkg]; !compared {
			if refusal := s.compare(namespace, pkg, 0); refusal != nil {
				return refusal
			}
		}
		if got, want := c.GetVersion(), base[pkg]+1; got != want {
			return refuse(catalogv1.Refusal_REASON_INVALID, "contract %q: version %d does not follow its base, %d", pkg, got, want-1)
		}
		row, err := newContract(c)
		if err != nil {
			return refuse(catalogv1.Refusal_REASON_INVALID, "contract %q: it can't be encoded", pkg)
		}
		if len(row.encoded) > maxContract {
			return refuse(catalogv1.Refusal_REASON_INVALID, "contract %q: %d bytes are more than %d", pkg, len(row.encoded), maxContract)
		}
		s.putContract(namespace, pkg, row)
	}
	for _, pkg := range put.GetRevision().GetPackages() {
		if _, ok := s.contracts.Get(key(namespace, pkg)); !ok {
			return refuse(catalogv1.Refusal_REASON_NOT_FOUND, "there is no contract %q for function %q", pkg, put.GetName())
		}
	}
	return nil
}

// compare refuses with a conflict unless the contract has the version.
func (s *state) compare(namespace, pkg string, version uint64) *catalogv1.Result {
	var stored uint64
	if c, ok := s.contracts.Get(key(namespace, pkg)); ok {
		stored = c.version
	}
	if stored != version {
		return refuse(catalogv1.Refusal_REASON_CONFLICT, "contract %q is at version %d, not %d", clip(pkg), stored, version)
	}
	return nil
}

// doDeleteFunction leaves the function's secrets where they are if the command's level does: see trimRevisions.
func (s *state) doDeleteFunction(del *catalogv1.DeleteFunction, level uint32) *catalogv1.Result {
	f, ok := s.functions.Get(key(del.GetNamespace(), del.GetName()))
	if !ok {
		return refuse(catalogv1.Refusal_REASON_NOT_FOUND, "there is no function %q", del.GetName())
	}
	if refusal := s.unused(f); refusal != nil {
		return refusal
	}
	s.deleteFunction(f)
	result := &catalogv1.Result{DeletedRevisions: uint32(len(f.GetRevisions()))}
	if level >= 4 {
		result.DeletedSecrets = s.dropSecrets(f.GetNamespace(), f.GetName())
	}
	return result
}

func (s *state) doSetRoute(set *catalogv1.SetRoute) *catalogv1.Result {
	namespace, service := set.GetNamespace(), set.GetService()
	f, ok := s.functions.Get(key(namespace, set.GetFunction()))
	if !ok {
		return refuse(catalogv1.Refusal_REASON_NOT_FOUND, "there is no function %q", set.GetFunction())
	}
	if !exports(f, service) {
		return refuse(catalogv1.Refusal_REASON_NOT_EXPORTED, "function %q does not export %q", set.GetFunction(), service)
	}
	previous := s.owner(namespace, service)
	s.putRoute(namespace, service, set.GetFunction())
	return &catalogv1.Result{PreviousOwner: previous}
}

// doForgetContract walks all functions and contracts of the namespace, which is a millisecond for thousands of them.
// It is too rare for an index of its own.
func (s *state) doForgetContract(forget *catalogv1.ForgetContract) *catalogv1.Result {
	namespace, pkg := forget.GetNamespace(), forget.GetPackage()
	c, ok := s.contracts.Get(key(namespace, pkg))
	if !ok {
		return refuse(catalogv1.Refusal_REASON_NOT_FOUND, "there is no contract %q", pkg)
	}
	for name, f := range prefixed(s.functions, namespace) {
		for _, r := range f.GetRevisions() {
			if slices.Contains(r.GetPackages(), pkg) {
				return refuse(catalogv1.Refusal_REASON_IN_USE, "contract %q is in use by revision %d of function %q", pkg, r.GetNumber(), name)
			}
		}
	}
	for other, row := range prefixed(s.contracts, namespace) {
		if other == pkg {
			continue
		}
		for _, file := range row.imports {
			if slices.Contains(c.files, file) {
				return refuse(catalogv1.Refusal_REASON_IN_USE, "contract %q is in use by contract %q, which imports %q", pkg, other, file)
			}
		}
	}
	s.dropContract(namespace, pkg)
	return &catalogv1.Result{}
}

func exports(f *catalogv1.Function, service string) bool {
	return slices.Contains(currentRevision(f).GetServices(), service)
}

func refuse(reason catalogv1.Refusal_Reason, format string, args ...any) *catalogv1.Result {
	return &catalogv1.Result{Refusal: &catalogv1.Refusal{Reason: reason, Message: fmt.Sprintf(format, args...)}}
}
