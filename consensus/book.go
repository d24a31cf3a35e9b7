package consensus

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
)

// Bounds of what others can put into the address book.
const (
	maxAddresses   = 10_000
	maxAddressText = 300 // bytes of an ID or of HOST:PORT
)

// book knows where every node is: the newest address of each, by incarnation. It is a set of hints, not state: it is
// kept on disk so that a node finds its peers again after a restart, and what is lost of it is announced again.
//
// The incarnation of the own address is a counter, never a clock: one more than the book has at each start. Should others
// remember a higher one (the file was lost, or could not be written), the own one rises above theirs.
type book struct {
	path    string
	log     *slog.Logger
	removed func(node string) bool // whose addresses nobody needs any more; it is called without mu

	dirty  chan struct{} // has a token while the file is behind
	done   chan struct{}
	writer sync.WaitGroup

	mu      sync.Mutex
	own     Address            // guarded by mu
	others  map[string]Address // guarded by mu; by node
	changed chan struct{}      // guarded by mu; closed at the next change
}

// bookFile is the book on disk, as JSON.
type bookFile struct {
	Format    int       `json:"format"`
	Own       Address   `json:"own"`
	Addresses []Address `json:"addresses"`
}

const bookFormat = 1

func bookPath(dir string) string { return filepath.Join(dir, "addresses.json") }

// openBook reads the book and adds the node's own address of this start. What can't be read is begun anew. It must be
// closed.
func openBook(path string, own Address, removed func(string) bool, log *slog.Logger) *book {
	b := &book{
		path: path, log: log, removed: removed, own: own, others: map[string]Address{},
		dirty: make(chan struct{}, 1), done: make(chan struct{}), changed: make(chan struct{}),
	}
	file, err := readBook(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		log.Warn("the address book can't be read; it begins anew, and is filled as other nodes announce themselves", "file", path, "error", err)
	}
	b.own.Incarnation = 1
	if file.Own.Node == own.Node && file.Own.Incarnation < math.MaxUint64 {
		b.own.Incarnation = file.Own.Incarnation + 1
	}
	for _, a := range file.Addresses {
		if a.Node != own.Node && a.check() == nil {
			b.others[a.Node] = a
		}
	}
	b.write()
	b.writer.Go(b.keep)
	return b
}

func readBook(path string) (file bookFile, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return bookFile{}, err
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return bookFile{}, err
	}
	if file.Format != bookFormat {
		return bookFile{}, fmt.Errorf("format %d; this weft reads %d", file.Format, bookFormat)
	}
	return file, nil
}

func writeBook(path string, file bookFile) error {
	data, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(path, func(w io.Writer) error {
		_, err := w.Write(append(data, '\n'))
		return err
	})
}

// address returns where a node was last known to be.
func (b *book) address(node string) (Address, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if node == b.own.Node {
		return b.own, true
	}
	a, ok := b.others[node]
	return a, ok
}

// all returns every address, the own one included, ordered by node.
func (b *book) all() []Address {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := append(slices.Collect(maps.Values(b.others)), b.own)
	slices.SortFunc(all, func(x, y Address) int { return cmp.Compare(x.Node, y.Node) })
	return all
}

// news returns a channel that is closed when an address changes.
func (b *book) news() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changed
}

// learn merges what others say. Malformed addresses and those of removed nodes are left out.
func (b *book) learn(addresses []Address) {
	addresses = slices.DeleteFunc(slices.Clone(addresses), func(a Address) bool { return a.check() != nil || b.removed(a.Node) })
	b.mu.Lock()
	defer b.mu.Unlock()
	changed := false
	for _, a := range addresses {
		if a.Node == b.own.Node {
			changed = b.defend(a) || changed
			continue
		}
		known, ok := b.others[a.Node]
		if ok && known.Incarnation >= a.Incarnation || !ok && len(b.others) >= maxAddresses {
			continue
		}
		b.others[a.Node] = a
		changed = true
	}
	if changed {
		b.touch()
	}
}

// defend raises the own incarnation over one that others hold against it. The caller holds mu.
func (b *book) defend(a Address) bool {
	if a == b.own || a.Incarnation < b.own.Incarnation || a.Incarnation == math.MaxUint64 {
		return false
	}
	b.own.Incarnation = a.Incarnation + 1
	return true
}

// move changes where users reach this node.
func (b *book) move(grpc string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.own.GRPC != grpc {
		b.own.GRPC = grpc
		b.own.Incarnation++
		b.touch()
	}
}

// expel drops the addresses of removed nodes.
func (b *book) expel() {
	var gone []string
	for _, a := range b.all() {
		if b.removed(a.Node) {
			gone = append(gone, a.Node)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	before := len(b.others)
	for _, node := range gone {
		delete(b.others, node)
	}
	if len(b.others) < before {
		b.touch()
	}
}

// touch tells of a change. The caller holds mu.
func (b *book) touch() {
	close(b.changed)
	b.changed = make(chan struct{})
	select {
	case b.dirty <- struct{}{}:
	default:
	}
}

// keep writes the file behind the changes, so that nobody waits for the disk.
func (b *book) keep() {
	for {
		select {
		case <-b.dirty:
			b.write()
		case <-b.done:
			return
		}
	}
}

func (b *book) write() {
	b.mu.Lock()
	file := bookFile{Format: bookFormat, Own: b.own, Addresses: slices.Collect(maps.Values(b.others))}
	b.mu.Unlock()
	slices.SortFunc(file.Addresses, func(x, y Address) int { return cmp.Compare(x.Node, y.Node) })
	if err := writeBook(b.path, file); err != nil {
		b.log.Warn("the address book can't be written; it is kept in memory", "error", err)
	}
}

// close ends the writing, with what is known now on disk.
func (b *book) close() error {
	close(b.done)
	b.writer.Wait()
	select {
	case <-b.dirty:
		b.write()
	default:
	}
	return nil
}

// check tells whether an address could be one. A node that serves no users, or does not know where yet, has no GRPC.
func (a Address) check() error {
	if a.Node == "" || len(a.Node) > maxAddressText {
		return errors.New("consensus: an address of no node")
	}
	if err := checkHostPort(a.Cluster); err != nil || a.GRPC == "" {
		return err
	}
	return checkHostPort(a.GRPC)
}

func checkHostPort(text string) error {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return fmt.Errorf("consensus: %w", err)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || host == "" || len(text) > maxAddressText {
		return fmt.Errorf("consensus: %q is no HOST:PORT", text)
	}
	return nil
}

// Addresses returns where every node was last known to be, this one included, ordered by ID.
func (n *Node) Addresses() []Address { return n.book.all() }

// Learn takes in what other nodes say about where nodes are. The highest incarnation of each node holds; nobody overrules
// what this node says about itself.
func (n *Node) Learn(addresses []Address) { n.book.learn(addresses) }

// AddressesChanged returns a channel that is closed when Addresses would return something else.
func (n *Node) AddressesChanged() <-chan struct{} { return n.book.news() }
