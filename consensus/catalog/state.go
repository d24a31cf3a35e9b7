package catalog

import (
	"iter"
	"slices"
	"strings"

	"github.com/benbjohnson/immutable"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"google.golang.org/protobuf/proto"
)

// state is the catalog at one log index, without the window of request IDs. A copy of it is a snapshot: the trees
// are persistent, and the values in them are never changed once they are in.
type state struct {
	index uint64 // of the last command applied
	level uint32 // format level: 1 at first
	rows  int    // how many rows the hash adds up, those of the window included
	sum   sum

	functions *immutable.SortedMap[string, *catalogv1.Function] // by namespace and name
	deleted   *immutable.SortedMap[string, uint32]              // last number, by namespace and name
	contracts *immutable.SortedMap[string, *contract]           // by namespace and package
	routes    *immutable.SortedMap[string, string]              // function, by namespace and service

	// From level 2 on.
	nodes      *immutable.SortedMap[string, *catalogv1.Node]      // by ID
	removed    *immutable.SortedMap[string, string]               // name, by ID
	tokens     *immutable.SortedMap[string, *catalogv1.Token]     // by ID
	placements *immutable.SortedMap[string, *catalogv1.Placement] // by namespace, name and revision

	// From level 4 on.
	secrets *immutable.SortedMap[string, *catalogv1.Secret] // by namespace, function (or nothing) and key

	// Derived from the rows above; no rows of their own.
	changes     changes
	called      *immutable.SortedMap[string, struct{}]         // by namespace, function and the function whose current revision is bound to it
	importers   *immutable.SortedMap[string, struct{}]         // by namespace, package and the package whose contract imports it
	exporters   *immutable.SortedMap[string, string]           // function whose current revision exports it, by namespace, service and age
	nodeNames   *immutable.SortedMap[string, *catalogv1.Node]  // by name
	tokenHashes *immutable.SortedMap[string, *catalogv1.Token] // by hash of the token's secret
	placed      *immutable.SortedMap[string, struct{}]         // by node and the key of the placement
}

// contract is the row of one proto package. It keeps the encoding, which is several times smaller than the message,
// and what is asked often.
type contract struct {
	version uint64
	encoded []byte   // weft.v1.Contract
	files   []string // names of its files
	imports []string // names of the files of other packages that they import
}

func emptyState() state {
	return state{
		level:     1,
		functions: immutable.NewSortedMap[string, *catalogv1.Function](nil),
		deleted:   immutable.NewSortedMap[string, uint32](nil),
		contracts: immutable.NewSortedMap[string, *contract](nil),
		routes:    immutable.NewSortedMap[string, string](nil),

		nodes:      immutable.NewSortedMap[string, *catalogv1.Node](nil),
		removed:    immutable.NewSortedMap[string, string](nil),
		tokens:     immutable.NewSortedMap[string, *catalogv1.Token](nil),
		placements: immutable.NewSortedMap[string, *catalogv1.Placement](nil),

		secrets: immutable.NewSortedMap[string, *catalogv1.Secret](nil),

		changes:     newChanges(),
		called:      immutable.NewSortedMap[string, struct{}](nil),
		importers:   immutable.NewSortedMap[string, struct{}](nil),
		exporters:   immutable.NewSortedMap[string, string](nil),
		nodeNames:   immutable.NewSortedMap[string, *catalogv1.Node](nil),
		tokenHashes: immutable.NewSortedMap[string, *catalogv1.Token](nil),
		placed:      immutable.NewSortedMap[string, struct{}](nil),
	}
}

// key joins parts, none of which holds a zero byte, so that keys sort by their parts.
func key(parts ...string) string { return strings.Join(parts, "\x00") }

// ageKey sorts by log index.
func ageKey(namespace, service string, created uint64) string {
	var age [8]byte
	for i := range age {
		age[i] = byte(created >> (56 - 8*i))
	}
	return key(namespace, service, string(age[:]))
}

// add and drop keep the hash in step with the rows. Every mutator below calls them for what it changes.
func (s *state) add(row *catalogv1.SnapshotRow)  { s.rows++; s.sum.add(rowHash(row)) }
func (s *state) drop(row *catalogv1.SnapshotRow) { s.rows--; s.sum.sub(rowHash(row)) }

// addHash and dropHash are for whoever keeps the hash of a row.
func (s *state) addHash(h [32]byte)  { s.rows++; s.sum.add(h) }
func (s *state) dropHash(h [32]byte) { s.rows--; s.sum.sub(h) }

// putFunction stores a function that is new or whose head changed (not one of its revisions).
func (s *state) putFunction(f *catalogv1.Function) {
	k := key(f.GetNamespace(), f.GetName())
	old, replaces := s.functions.Get(k)
	if replaces {
		s.dropHash(functionHash(old))
	}
	s.addHash(functionHash(f))
	s.functions = s.functions.Set(k, f)
	s.changed(f)
	s.unbind(old)
	for callee := range callees(f) {
		s.called = s.called.Set(callee, struct{}{})
	}
	if replaces && slices.Equal(currentRevision(old).GetServices(), currentRevision(f).GetServices()) {
		return
	}
	if replaces {
		s.unexport(old)
	}
	s.export(f)
}

// addRevision counts the row of a revision that the caller puts into its function.
func (s *state) addRevision(f *catalogv1.Function, r *catalogv1.Revision) { s.add(revisionRow(f, r)) }

// deleteFunction removes a function, its revisions with their placements and the routes to it, and remembers its last
// number.
func (s *state) deleteFunction(f *catalogv1.Function) {
	s.changed(f)
	s.unplaceFunction(f)
	s.dropHash(functionHash(f))
	s.unexport(f)
	s.unbind(f)
	for _, r := range f.GetRevisions() {
		s.drop(revisionRow(f, r))
	}
	k := key(f.GetNamespace(), f.GetName())
	s.functions = s.functions.Delete(k)
	for service, function := range prefixed(s.routes, f.GetNamespace()) {
		if function == f.GetName() {
			s.deleteRoute(f.GetNamespace(), service)
		}
	}
	s.putDeleted(f.GetNamespace(), f.GetName(), lastRevision(f))
}

func (s *state) putDeleted(namespace, name string, last uint32) {
	s.add(deletedRow(namespace, name, last))
	s.deleted = s.deleted.Set(key(namespace, name), last)
}

// takeDeleted forgets that a function was deleted and returns its last number; 0 if there was none.
func (s *state) takeDeleted(namespace, name string) uint32 {
	k := key(namespace, name)
	last, ok := s.deleted.Get(k)
	if !ok {
		return 0
	}
	s.drop(deletedRow(namespace, name, last))
	s.deleted = s.deleted.Delete(k)
	return last
}

func (s *state) putContract(namespace, pkg string, c *contract) {
	s.dropContract(namespace, pkg)
	s.add(contractRow(namespace, pkg, c))
	s.contracts = s.contracts.Set(key(namespace, pkg), c)
	for imported := range c.imported() {
		s.importers = s.importers.Set(key(namespace, imported, pkg), struct{}{})
	}
}

func (s *state) dropContract(namespace, pkg string) {
	k := key(namespace, pkg)
	if old, ok := s.contracts.Get(k); ok {
		s.drop(contractRow(namespace, pkg, old))
		s.contracts = s.contracts.Delete(k)
		for imported := range old.imported() {
			s.importers = s.importers.Delete(key(namespace, imported, pkg))
		}
	}
}

func (s *state) putRoute(namespace, service, function string) {
	s.deleteRoute(namespace, service)
	s.add(routeRow(namespace, service, function))
	s.routes = s.routes.Set(key(namespace, service), function)
}

func (s *state) deleteRoute(namespace, service string) {
	k := key(namespace, service)
	if old, ok := s.routes.Get(k); ok {
		s.drop(routeRow(namespace, service, old))
		s.routes = s.routes.Delete(k)
	}
}

func (s *state) export(f *catalogv1.Function) {
	for _, service := range currentRevision(f).GetServices() {
		s.exporters = s.exporters.Set(ageKey(f.GetNamespace(), service, f.GetCreatedIndex()), f.GetName())
	}
}

func (s *state) unexport(f *catalogv1.Function) {
	for _, service := range currentRevision(f).GetServices() {
		s.exporters = s.exporters.Delete(ageKey(f.GetNamespace(), service, f.GetCreatedIndex()))
	}
}

// changed remembers that something about a function is being changed.
func (s *state) changed(f *catalogv1.Function) {
	s.changes.note(s.index, FunctionName{f.GetNamespace(), f.GetName()})
}

func (s *state) unbind(f *catalogv1.Function) {
	for callee := range callees(f) {
		s.called = s.called.Delete(callee)
	}
}

// callees gives the keys among the callers of those that the current revision of a function is bound to.
func callees(f *catalogv1.Function) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, b := range currentRevision(f).GetBindings() {
			if b.GetFunction() != "" && !yield(key(f.GetNamespace(), b.GetFunction(), f.GetName())) {
				return
			}
		}
	}
}

// prefixed ranges over the entries below a namespace (or below more parts), by what is left of their keys.
func prefixed[V any](m *immutable.SortedMap[string, V], parts ...string) func(yield func(string, V) bool) {
	prefix := key(parts...) + "\x00"
	return func(yield func(string, V) bool) {
		it := m.Iterator()
		for it.Seek(prefix); !it.Done(); {
			k, v, _ := it.Next()
			rest, ok := strings.CutPrefix(k, prefix)
			if !ok || !yield(rest, v) {
				return
			}
		}
	}
}

// currentRevision returns the revision that answers calls; nil if there is none.
func currentRevision(f *catalogv1.Function) *catalogv1.Revision {
	rs := f.GetRevisions()
	// Numbers grow by one, mostly, so the current one is near the end.
	for _, r := range slices.Backward(rs) {
		if r.GetNumber() == f.GetCurrent() {
			return r
		}
	}
	return nil
}

// lastRevision returns the highest number that a function has given; 0 if none.
func lastRevision(f *catalogv1.Function) uint32 {
	rs := f.GetRevisions()
	if len(rs) == 0 {
		return 0
	}
	return rs[len(rs)-1].GetNumber()
}

// newContract makes the row of a contract.
func newContract(c *weftv1.Contract) (*contract, error) {
	encoded, err := deterministic.Marshal(c)
	if err != nil {
		return nil, err
	}
	return contractOf(c, encoded), nil
}

// decodeContract makes the row of a contract from its encoding.
func decodeContract(encoded []byte) (*contract, *weftv1.Contract, error) {
	var c weftv1.Contract
	if err := proto.Unmarshal(encoded, &c); err != nil {
		return nil, nil, err
	}
	return contractOf(&c, encoded), &c, nil
}

// imported gives the packages of other contracts that a contract imports. One may come several times.
func (c *contract) imported() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, file := range c.imports {
			if !strings.HasPrefix(file, "google/") && !yield(packageOf(file)) { // no contract can have those
				return
			}
		}
	}
}

func contractOf(c *weftv1.Contract, encoded []byte) *contract {
	row := &contract{version: c.GetVersion(), encoded: encoded}
	own := make(map[string]bool, len(c.GetFiles()))
	for _, file := range c.GetFiles() {
		row.files = append(row.files, file.GetName())
		own[file.GetName()] = true
	}
	for _, file := range c.GetFiles() {
		for _, name := range file.GetDependency() {
			if !own[name] {
				row.imports = append(row.imports, name)
			}
		}
	}
	return row
}
