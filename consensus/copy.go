package consensus

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/internal/disk"
)

// localCopy is the catalog as this node last knew it, on its own disk, so that the node serves at once after a
// restart, before there is a leader and although there may never be one. Below its directory:
//
//	copy                     a snapshot of the catalog, at some index
//	journal-INDEX            entries applied after the snapshot at INDEX, in order
//
// A journal begins with "weftjrn1"; then for each entry:
//
//	4  length of what follows the checksum, little-endian
//	4  CRC-32C of what follows the checksum
//	8  log index
//	8  log index of the entry before it, so that a gap shows
//	…  the entry as it is in the log
//
// Entries are written, not synced, before the catalog shows them: that survives the end of the process. A crash of the
// machine may cost the last second, which raft's log has.
//
// The copy is an aid, never the truth. What is wrong with it is logged and mended from the catalog.
type localCopy struct {
	dir     string
	catalog *catalog.Catalog
	log     *slog.Logger
	pause   time.Duration // between a write and its sync, and between two tries
	minimum int64         // bytes of journal that are always kept before a new copy is made

	kick chan struct{} // there is something to sync or to compact
	done chan struct{}
	wait sync.WaitGroup

	mu      sync.Mutex // guards all below; held while a batch is journaled and applied
	journal *disk.File
	size    int64  // of the journal
	base    int64  // size of the copy
	index   uint64 // of the last entry in the copy or the journal
	broken  error  // why the journal takes no more; nil if it does
	due     bool   // the copy must be written although the journal is short
	fork    error  // the last fork of the catalog that was dealt with
}

const (
	journalMagic  = "weftjrn1"
	journalHeader = 24
	maxRecord     = MaxCommand + 1<<10
)

func openCopy(dir string, c *catalog.Catalog, log *slog.Logger, pause time.Duration, minimum int64) (*localCopy, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("consensus: %w", err)
	}
	l := &localCopy{
		dir: dir, catalog: c, log: log, pause: pause, minimum: minimum,
		kick: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if err := l.load(); err != nil {
		return nil, fmt.Errorf("consensus: local copy: %w", err)
	}
	if err := l.tidy(); err != nil {
		log.Warn("local copy of the catalog could not be written; trying again", "error", err)
		l.again()
	}
	l.wait.Add(1)
	go l.keep()
	return l, nil
}

func (l *localCopy) path() string { return filepath.Join(l.dir, "copy") }

// load reads the copy and the journals into the catalog, as far as they are good. An error means that the files could
// not be read at all.
func (l *localCopy) load() error {
	f, err := os.Open(l.path())
	switch {
	case errors.Is(err, os.ErrNotExist):
		l.broken = errors.New("there is no copy yet")
	case err != nil:
		return err
	default:
		err = l.catalog.Restore(f)
		if info, statErr := f.Stat(); statErr == nil {
			l.base = info.Size()
		}
		_ = f.Close()
		if errors.Is(err, catalog.ErrSnapshot) {
			l.broken = err
			l.log.Error("local copy of the catalog is damaged; it is set aside and made anew from the log", "file", l.path()+".bad", "error", err)
			err = os.Rename(l.path(), l.path()+".bad")
		}
		if err != nil {
			return err
		}
	}
	journals, err := l.journals()
	if err != nil {
		return err
	}
	for i, name := range journals {
		good, err := l.replay(name)
		if err != nil {
			return err
		}
		if i == len(journals)-1 && l.broken == nil {
			l.broken = l.reopen(name, good)
		}
	}
	l.index = l.catalog.Index()
	if l.journal == nil && l.broken == nil {
		l.broken = errors.New("there is no journal")
	}
	return nil
}

// journals returns the paths of all journals, oldest first.
func (l *localCopy) journals() ([]string, error) {
	names, err := filepath.Glob(filepath.Join(l.dir, "journal-*"))
	slices.Sort(names)
	return names, err
}

// replay applies the entries of a journal that come next, and returns where the good ones end.
func (l *localCopy) replay(path string) (good int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	r := bufio.NewReaderSize(f, 64<<10)
	magic := make([]byte, len(journalMagic))
	if _, err := io.ReadFull(r, magic); err != nil || string(magic) != journalMagic {
		return 0, nil
	}
	good = int64(len(magic))
	for {
		index, previous, entry, err := readRecord(r)
		if errors.Is(err, io.EOF) {
			return good, nil
		}
		if err == nil && index > l.catalog.Index() {
			err = l.applyRecord(index, previous, entry)
		}
		if err != nil {
			l.log.Warn("local copy of the catalog ends early; the log has the rest", "file", path, "offset", good, "index", l.catalog.Index(), "error", err)
			return good, nil
		}
		good += journalHeader + int64(len(entry))
	}
}

func (l *localCopy) applyRecord(index, previous uint64, entry []byte) error {
	if at := l.catalog.Index(); previous != at {
		return fmt.Errorf("entry %d follows %d, but the copy is at %d", index, previous, at)
	}
	cmd, err := decodeEntry(entry)
	if err != nil {
		return err
	}
	l.catalog.Apply(index, cmd)
	return l.catalog.Err()
}

// readRecord returns io.EOF at the end of a journal that ends between two records.
func readRecord(r io.Reader) (index, previous uint64, entry []byte, err error) {
	var header [journalHeader]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return 0, 0, nil, err
	}
	length := binary.LittleEndian.Uint32(header[0:])
	if length < journalHeader-8 || length > maxRecord {
		return 0, 0, nil, fmt.Errorf("a record of %d bytes", length)
	}
	entry = make([]byte, length-(journalHeader-8))
	if _, err := io.ReadFull(r, entry); err != nil {
		return 0, 0, nil, fmt.Errorf("cut off: %v", err) //nolint:errorlint // io.EOF means something else here
	}
	sum := crc32.Update(crc32.Checksum(header[8:], castagnoli), castagnoli, entry)
	if sum != binary.LittleEndian.Uint32(header[4:]) {
		return 0, 0, nil, errors.New("the checksum does not match")
	}
	return binary.LittleEndian.Uint64(header[8:]), binary.LittleEndian.Uint64(header[16:]), entry, nil
}

func appendRecord(b []byte, index, previous uint64, entry []byte) []byte {
	start := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(journalHeader-8+len(entry)))
	b = append(b, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, index)
	b = binary.LittleEndian.AppendUint64(b, previous)
	b = append(b, entry...)
	binary.LittleEndian.PutUint32(b[start+4:], crc32.Checksum(b[start+8:], castagnoli))
	return b
}

// reopen goes on writing a journal after its last good record.
func (l *localCopy) reopen(path string, good int64) error {
	if good == 0 {
		return errors.New("the journal has no beginning")
	}
	f, err := disk.OpenFile(path, os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := f.Truncate(good); err != nil {
		return errors.Join(err, f.Close())
	}
	if _, err := f.Seek(good, io.SeekStart); err != nil {
		return errors.Join(err, f.Close())
	}
	l.journal, l.size = f, good
	return nil
}

// append writes the commands among the entries that the copy does not have yet. The caller holds mu until the catalog
// has them too.
func (l *localCopy) append(entries []*raft.Log) {
	if l.broken != nil {
		return
	}
	var b []byte
	index := l.index
	for _, entry := range entries {
		if entry.Type == raft.LogCommand && entry.Index > index {
			b = appendRecord(b, entry.Index, index, entry.Data)
			index = entry.Index
		}
	}
	if len(b) == 0 {
		return
	}
	n, err := l.journal.Write(b)
	l.size += int64(n)
	if err != nil {
		l.broken = err
		return
	}
	l.index = index
}

// follow notes that the catalog has moved. The caller holds mu.
func (l *localCopy) follow() {
	if fork := l.catalog.Fork(); fork != nil && !errors.Is(fork, l.fork) {
		l.log.Error("local copy of the catalog differs from the log; it is made anew", "error", fork)
		l.fork, l.broken = fork, fork
	}
	if at := l.catalog.Index(); at > l.index && l.broken == nil {
		l.broken = fmt.Errorf("the catalog went from %d to %d without it", l.index, at)
	}
	l.again()
}

func (l *localCopy) again() {
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

// keep syncs the journal, or begins a new one, a while after something was written.
func (l *localCopy) keep() {
	defer l.wait.Done()
	for {
		select {
		case <-l.kick:
		case <-l.done:
			return
		}
		select {
		case <-time.After(l.pause):
		case <-l.done:
			return
		}
		if err := l.tidy(); err != nil {
			l.log.Warn("local copy of the catalog could not be written; trying again", "error", err)
			l.again()
		}
	}
}

func (l *localCopy) tidy() error {
	l.mu.Lock()
	full := l.size > max(l.minimum, l.base)
	if (l.broken != nil || l.due || full) && l.catalog.Index() >= l.index {
		image, err := l.rotate()
		l.mu.Unlock()
		if err != nil {
			return err
		}
		return l.compact(image)
	}
	journal := l.journal
	l.mu.Unlock()
	if journal == nil {
		return nil
	}
	return journal.Sync() // only keep closes or changes the journal
}

// rotate begins a new journal after an image of the catalog. The caller holds mu.
func (l *localCopy) rotate() (*catalog.Image, error) {
	image := l.catalog.Image()
	path := filepath.Join(l.dir, fmt.Sprintf("journal-%020d", image.Index()))
	f, err := disk.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	if _, err := f.WriteString(journalMagic); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(path))
	}
	if l.journal != nil {
		_ = l.journal.Close()
	}
	l.journal, l.size, l.index, l.broken = f, int64(len(journalMagic)), image.Index(), nil
	return image, nil
}

// compact writes the image in place of the copy and removes the journals before it. Until it has, the old copy and
// all journals are there.
func (l *localCopy) compact(image *catalog.Image) error {
	var size counter
	err := writeFile(l.path(), func(w io.Writer) error { return image.Write(io.MultiWriter(w, &size)) })
	if err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.due = true
		return err
	}
	l.mu.Lock()
	l.base, l.due = int64(size), false
	l.mu.Unlock()
	journals, err := l.journals()
	if err != nil {
		return err
	}
	own := filepath.Join(l.dir, fmt.Sprintf("journal-%020d", image.Index()))
	for _, path := range journals {
		if path < own {
			err = errors.Join(err, os.Remove(path))
		}
	}
	return err
}

// close syncs the journal and lets go of it.
func (l *localCopy) close() error {
	close(l.done)
	l.wait.Wait()
	l.mu.Lock()
	broken := l.broken != nil
	l.mu.Unlock()
	if broken {
		if err := l.tidy(); err != nil {
			l.log.Warn("local copy of the catalog could not be written", "error", err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.journal == nil {
		return nil
	}
	err := errors.Join(l.journal.Sync(), l.journal.Close())
	l.journal, l.broken = nil, ErrClosed
	return err
}

// counter counts the bytes written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
