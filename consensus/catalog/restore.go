package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/benbjohnson/immutable"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// builder makes a state from the rows of a snapshot. It takes only what a catalog could have written: rows in order,
// names that are allowed, functions with their current revision.
type builder struct {
	state  state
	window window

	kind rowKind // of the last row
	key  string  // of the last row, within its kind

	function *catalogv1.Function // whose revisions are being read
	bound    bool                // whether any revision has bindings
	linked   bool                // whether any has links
	reused   bool                // whether instances of any answer several calls

	functions *immutable.SortedMapBuilder[string, *catalogv1.Function]
	deleted   *immutable.SortedMapBuilder[string, uint32]
	contracts *immutable.SortedMapBuilder[string, *contract]
	routes    *immutable.SortedMapBuilder[string, string]
	exporters *immutable.SortedMapBuilder[string, string]
	callers   *immutable.SortedMapBuilder[string, struct{}]
	importers *immutable.SortedMapBuilder[string, struct{}]

	cluster clusterBuilder
	secrets secretBuilder
}

// rowKind is what a row is of, in the order of a snapshot.
type rowKind int

const (
	functionKind rowKind = iota // a function or one of its revisions
	deletedKind
	contractKind
	routeKind
	nodeKind
	removedKind
	tokenKind
	placementKind
	secretKind
	appliedKind
)

func newBuilder() *builder {
	return &builder{
		state:     emptyState(),
		window:    newWindow(),
		functions: immutable.NewSortedMapBuilder[string, *catalogv1.Function](nil),
		deleted:   immutable.NewSortedMapBuilder[string, uint32](nil),
		contracts: immutable.NewSortedMapBuilder[string, *contract](nil),
		routes:    immutable.NewSortedMapBuilder[string, string](nil),
		exporters: immutable.NewSortedMapBuilder[string, string](nil),
		callers:   immutable.NewSortedMapBuilder[string, struct{}](nil),
		importers: immutable.NewSortedMapBuilder[string, struct{}](nil),
		cluster:   newClusterBuilder(),
		secrets:   newSecretBuilder(),
	}
}

var errRow = errors.New("a row that no catalog has")

func (b *builder) put(row *catalogv1.SnapshotRow) error {
	b.state.add(row)
	switch row := row.GetRow().(type) {
	case *catalogv1.SnapshotRow_Function:
		return b.putFunction(row.Function)
	case *catalogv1.SnapshotRow_Revision:
		return b.putRevision(row.Revision)
	case *catalogv1.SnapshotRow_Deleted:
		return b.putDeleted(row.Deleted)
	case *catalogv1.SnapshotRow_Contract:
		return b.putContract(row.Contract)
	case *catalogv1.SnapshotRow_Route:
		r := row.Route
		b.routes.Set(key(r.GetNamespace(), r.GetService()), r.GetFunction())
		return b.inOrder(routeKind, r.GetNamespace(), r.GetService())
	case *catalogv1.SnapshotRow_Node:
		return b.putNode(row.Node)
	case *catalogv1.SnapshotRow_RemovedNode:
		return b.putRemoved(row.RemovedNode)
	case *catalogv1.SnapshotRow_Token:
		return b.putToken(row.Token)
	case *catalogv1.SnapshotRow_Placement:
		return b.putPlacement(row.Placement)
	case *catalogv1.SnapshotRow_Secret:
		return b.putSecret(row.Secret)
	case *catalogv1.SnapshotRow_Applied:
		return b.putApplied(row.Applied)
	}
	return errRow
}

// inOrder checks that rows come by kind and key, each once, and that a namespace and name could be ones.
func (b *builder) inOrder(kind rowKind, namespace, name string) error {
	if !b.advance(kind, key(namespace, name)) || !ValidName(namespace) || strings.Contains(name, "\x00") {
		return fmt.Errorf("%q of namespace %q: %w", clip(name), clip(namespace), errRow)
	}
	return nil
}

// advance reports whether a row of a kind and key may come next.
func (b *builder) advance(kind rowKind, key string) bool {
	if kind > b.kind {
		b.kind, b.key = kind, ""
	}
	if kind < b.kind || key <= b.key {
		return false
	}
	b.key = key
	return true
}

func (b *builder) putFunction(f *catalogv1.Function) error {
	if err := b.closeFunction(); err != nil {
		return err
	}
	if len(f.GetRevisions()) > 0 || !ValidName(f.GetName()) {
		return errRow
	}
	b.function = f
	return b.inOrder(functionKind, f.GetNamespace(), f.GetName())
}

func (b *builder) putRevision(row *catalogv1.StoredRevision) error {
	f, r := b.function, row.GetRevision()
	if f == nil || b.kind != functionKind || row.GetNamespace() != f.GetNamespace() || row.GetName() != f.GetName() || r.GetNumber() <= lastRevision(f) {
		return fmt.Errorf("revision %d of %q: %w", r.GetNumber(), clip(row.GetName()), errRow)
	}
	left := MaxLinks
	if checkBindings(f.GetName(), r.GetBindings()) != nil || checkLinks(f.GetName(), r.GetBindings(), &left) != nil {
		return fmt.Errorf("bindings of revision %d of %q: %w", r.GetNumber(), clip(row.GetName()), errRow)
	}
	f.Revisions = append(f.Revisions, r)
	b.bound = b.bound || len(r.GetBindings()) > 0
	b.linked = b.linked || Linked(r)
	b.reused = b.reused || r.GetReuse() != 0
	b.cluster.seen = b.cluster.seen || r.GetScheduling() != nil
	return nil
}

// closeFunction takes in the function whose revisions are all read.
func (b *builder) closeFunction() error {
	f := b.function
	if f == nil {
		return nil
	}
	current := currentRevision(f)
	if current == nil {
		return fmt.Errorf("function %q without revision %d: %w", f.GetName(), f.GetCurrent(), errRow)
	}
	b.functions.Set(key(f.GetNamespace(), f.GetName()), f)
	for _, service := range current.GetServices() {
		b.exporters.Set(ageKey(f.GetNamespace(), service, f.GetCreatedIndex()), f.GetName())
	}
	for callee := range callees(f) {
		b.callers.Set(callee, struct{}{})
	}
	b.function = nil
	return nil
}

func (b *builder) putDeleted(d *catalogv1.DeletedFunction) error {
	if err := b.closeFunction(); err != nil {
		return err
	}
	k := key(d.GetNamespace(), d.GetName())
	if _, there := b.functions.Get(k); there {
		return fmt.Errorf("function %q, which is deleted and there: %w", clip(d.GetName()), errRow)
	}
	b.deleted.Set(k, d.GetLastRevision())
	return b.inOrder(deletedKind, d.GetNamespace(), d.GetName())
}

func (b *builder) putContract(row *catalogv1.StoredContract) error {
	c, message, err := decodeContract(row.GetContract())
	if err != nil {
		return err
	}
	if message.GetPackage() != row.GetPackage() {
		return fmt.Errorf("contract %q in the row of %q: %w", clip(message.GetPackage()), clip(row.GetPackage()), errRow)
	}
	b.contracts.Set(key(row.GetNamespace(), row.GetPackage()), c)
	for imported := range c.imported() {
		b.importers.Set(key(row.GetNamespace(), imported, row.GetPackage()), struct{}{})
	}
	return b.inOrder(contractKind, row.GetNamespace(), row.GetPackage())
}

func (b *builder) putApplied(a *catalogv1.Applied) error {
	b.kind = appliedKind
	if a.GetRequestId() == "" || b.window.byID[a.GetRequestId()] != nil || len(b.window.ring) == Remembered {
		return fmt.Errorf("request %q: %w", clip(a.GetRequestId()), errRow)
	}
	if n := len(b.window.ring); n > 0 && b.window.ring[n-1].applied.GetResult().GetIndex() >= a.GetResult().GetIndex() {
		return fmt.Errorf("request %q is out of order: %w", clip(a.GetRequestId()), errRow)
	}
	b.window.remember(remembered{a, rowHash(appliedRow(a))})
	return nil
}

// finish checks the state as a whole against the header.
func (b *builder) finish(header *catalogv1.SnapshotHeader) error {
	if err := b.closeFunction(); err != nil {
		return err
	}
	s := &b.state
	s.index, s.level = header.GetIndex(), header.GetLevel()
	s.functions, s.deleted, s.contracts = b.functions.Map(), b.deleted.Map(), b.contracts.Map()
	s.routes, s.exporters, s.called, s.importers = b.routes.Map(), b.exporters.Map(), b.callers.Map(), b.importers.Map()
	s.changes.after = s.index
	if err := b.cluster.finish(s); err != nil {
		return err
	}
	if err := b.secrets.finish(s); err != nil {
		return err
	}
	if b.reused && s.level < 5 {
		return fmt.Errorf("reuse at level %d: %w", s.level, errRow)
	}
	if err := b.checkBound(); err != nil {
		return err
	}
	if got := s.hash(); !bytes.Equal(got, header.GetStateHash()) {
		return fmt.Errorf("its rows give the state %x, its header says %x", got, header.GetStateHash())
	}
	return nil
}

// checkBound wants what current revisions are bound to.
func (b *builder) checkBound() error {
	switch {
	case !b.bound:
		return nil
	case b.state.level < 3:
		return fmt.Errorf("bindings at level %d: %w", b.state.level, errRow)
	case b.linked && b.state.level < 4:
		return fmt.Errorf("links at level %d: %w", b.state.level, errRow)
	}
	for f := range values(b.state.functions) {
		for _, binding := range currentRevision(f).GetBindings() {
			name := binding.GetFunction()
			if _, there := b.state.functions.Get(key(f.GetNamespace(), name)); name != "" && (!there || name == f.GetName()) {
				return fmt.Errorf("import %q of function %q is bound to %q: %w", binding.GetImport(), f.GetName(), name, errRow)
			}
		}
	}
	return nil
}

// entries ranges over a map in the order of its keys.
func entries[V any](m *immutable.SortedMap[string, V]) func(yield func(string, V) bool) {
	return func(yield func(string, V) bool) {
		it := m.Iterator()
		for !it.Done() {
			if k, v, _ := it.Next(); !yield(k, v) {
				return
			}
		}
	}
}

// values ranges over the values of a map in the order of their keys.
func values[V any](m *immutable.SortedMap[string, V]) iter.Seq[V] {
	return func(yield func(V) bool) {
		it := m.Iterator()
		for !it.Done() {
			if _, v, _ := it.Next(); !yield(v) {
				return
			}
		}
	}
}

// splitKey undoes key for two parts.
func splitKey(k string) (string, string) {
	first, second, _ := strings.Cut(k, "\x00")
	return first, second
}
