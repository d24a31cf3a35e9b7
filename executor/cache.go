package executor

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// cache keeps compiled code on disk, in a directory per engine:
//
//	DIR/FINGERPRINT/DIGEST-CHECKSUM.cwasm
//	DIR/FINGERPRINT/DIGEST-CHECKSUM-WITHIN.cwasm
//
// DIGEST is the SHA-256 of the component and CHECKSUM that of the file's own content. As the name carries the
// checksum, one rename publishes both, and a file that is not what its name says is not used. WITHIN is the digest of the
// deployed component that DIGEST was made of, with a transcoder around it: who wants that wants this. The engine executes
// what is here, so nobody but the user may write to DIR.
//
// What is there is listed once, and kept in step by whoever adds or removes a file: a directory of ten thousand takes milliseconds
// to read, which is more than it takes to load code.
type cache struct {
	dir  string // DIR
	home string // DIR/FINGERPRINT
	// unusable is told of each file that is taken out because it can't be used, and why.
	unusable func(path string, why error)

	mu    sync.Mutex
	files map[[32]byte]cached // guarded by mu: by the digest of the component
}

// cached is one file of the cache.
type cached struct {
	sum     [32]byte // that its name carries
	within  [32]byte // what it was made of; zero for a component that was deployed
	earlier bool     // an earlier process has left it
	// checked is the file when this process has read all of it and it had its checksum; zero if it has not yet.
	checked identity
}

// identity tells a file from what may take its name later, and from itself after a change: stat(2).
type identity struct {
	inode, size, modified, changed int64
}

const codeSuffix = ".cwasm"

// newCache makes the directory and removes what a crash has left in it.
func newCache(dir, fingerprint string, unusable func(path string, why error)) (*cache, error) {
	c := &cache{dir: dir, home: filepath.Join(dir, fingerprint), unusable: unusable, files: make(map[[32]byte]cached)}
	for _, d := range []string{c.dir, c.home} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("executor: the cache of compiled code: %w", err)
		}
		if err := private(d); err != nil {
			return nil, err
		}
	}
	if err := c.list(); err != nil {
		return nil, fmt.Errorf("executor: the cache of compiled code: %w", err)
	}
	return c, nil
}

// list takes in what is there, one file for each component, and removes the rest.
func (c *cache) list() error {
	all, err := os.ReadDir(c.home)
	if err != nil {
		return err
	}
	for _, file := range all {
		name := file.Name()
		digest, found, ok := parseName(name)
		if ok {
			if _, twice := c.files[digest]; !twice {
				found.earlier = true
				c.files[digest] = found
				continue
			}
		}
		if ok || strings.HasSuffix(name, temporary) {
			if err := os.RemoveAll(filepath.Join(c.home, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// parseName reads the name of a file of the cache.
func parseName(name string) (digest [32]byte, file cached, ok bool) {
	name, isCode := strings.CutSuffix(name, codeSuffix)
	parts := strings.Split(name, "-")
	if !isCode || len(parts) < 2 || len(parts) > 3 {
		return digest, file, false
	}
	for i, to := range []*[32]byte{&digest, &file.sum, &file.within}[:len(parts)] {
		if len(parts[i]) != hex.EncodedLen(len(to)) {
			return digest, file, false
		}
		if _, err := hex.Decode(to[:], []byte(parts[i])); err != nil {
			return digest, file, false
		}
	}
	return digest, file, true
}

// path names a file of the cache.
func (c *cache) path(digest [32]byte, file cached) string {
	name := hex.EncodeToString(digest[:]) + "-" + hex.EncodeToString(file.sum[:])
	if file.within != ([32]byte{}) {
		name += "-" + hex.EncodeToString(file.within[:])
	}
	return filepath.Join(c.home, name+codeSuffix)
}

// temporary ends the names of files that are being written.
const temporary = ".tmp"

// private makes a directory the user's alone.
func private(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("executor: the cache of compiled code: %w", err)
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Geteuid() {
		return fmt.Errorf("executor: %s belongs to user %d; compiled code is executed, so the directory must be the user's own",
			dir, owner.Uid)
	}
	if info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	if err := os.Chmod(dir, 0o700); err != nil { //nolint:gosec // a directory needs x
		return fmt.Errorf("executor: the cache of compiled code: %w", err)
	}
	return nil
}

// find gives the compiled code of a component and its size; path is empty if there is none. The first time in the life of the
// process it reads all of the file; one that can't be read, or is not what its name says, is discarded. The error says that the
// process lacks what it takes to read a file.
func (c *cache) find(digest [32]byte) (path string, size int64, err error) {
	c.mu.Lock()
	found, ok := c.files[digest]
	c.mu.Unlock()
	if !ok {
		return "", 0, nil
	}
	path = c.path(digest, found)
	now, err := identify(path)
	if err == nil && now == found.checked {
		return path, now.size, nil
	}
	if err == nil {
		err = verify(path, found.sum, now.size)
	}
	switch {
	case err == nil:
		checked := found
		checked.checked = now
		c.note(digest, checked)
		return path, now.size, nil
	case scarce(err):
		return "", 0, fmt.Errorf("executor: the cache of compiled code: %w", err)
	}
	c.discard(digest, found, err)
	return "", 0, nil
}

func identify(path string) (identity, error) {
	var stat syscall.Stat_t
	if err := syscall.Stat(path, &stat); err != nil {
		return identity{}, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if stat.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return identity{}, errors.New("it is no regular file")
	}
	return identity{int64(stat.Ino), stat.Size, stat.Mtim.Nano(), stat.Ctim.Nano()}, nil
}

// verify reads a file and tells what is wrong with it.
func verify(path string, want [32]byte, size int64) error {
	sum, n, err := hashFile(path)
	if err == nil && (sum != want || n != size) {
		err = fmt.Errorf("its %d bytes do not have the checksum in its name", n)
	}
	return err
}

// scarce tells whether an error is no fault of the file, but of a process or a machine that has reached a limit.
func scarce(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)
}

// discard takes a file that can't be used out of the cache, and tells why, unless it is gone or somebody else has done so. One that can't be
// removed is left to whoever writes new code.
func (c *cache) discard(digest [32]byte, file cached, why error) {
	c.mu.Lock()
	mine := c.files[digest] == file
	var err error
	if mine {
		delete(c.files, digest)
		err = os.RemoveAll(c.path(digest, file)) // a directory, it may be
	}
	c.mu.Unlock()
	if err != nil {
		why = fmt.Errorf("%w; and it can not be removed: %w", why, err)
	}
	if mine && !errors.Is(why, fs.ErrNotExist) {
		c.unusable(c.path(digest, file), why)
	}
}

// note notes what was found out about a file, unless another one has taken its place.
func (c *cache) note(digest [32]byte, file cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now, ok := c.files[digest]; ok && now.sum == file.sum {
		c.files[digest] = file
	}
}

// remove removes a file, if it is there.
func (c *cache) remove(digest [32]byte, file cached) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.files[digest].sum == file.sum {
		delete(c.files, digest)
	}
	return os.RemoveAll(c.path(digest, file))
}

// refuse discards the code of a component in a file that the engine does not take, unless other code has taken its place.
func (c *cache) refuse(digest [32]byte, path string, why error) {
	c.mu.Lock()
	found, ok := c.files[digest]
	c.mu.Unlock()
	if ok && c.path(digest, found) == path {
		c.discard(digest, found, why)
	}
}

// put gives a file that is on disk its name, in place of other code of that component.
func (c *cache) put(file string, digest, sum [32]byte) error {
	return c.rename(file, digest, cached{sum: sum})
}

// made notes of which component the code of another one was made. Path is its file, as find gave it; the result is where it is from
// now on.
func (c *cache) made(path string, digest, within [32]byte) (string, error) {
	c.mu.Lock()
	file, ok := c.files[digest]
	c.mu.Unlock()
	if !ok || file.within == within {
		return path, nil
	}
	file = cached{sum: file.sum, within: within}
	return c.path(digest, file), c.rename(path, digest, file)
}

func (c *cache) rename(from string, digest [32]byte, file cached) error {
	if err := c.replace(from, digest, file); err != nil {
		return err
	}
	return syncDir(c.home)
}

func (c *cache) replace(from string, digest [32]byte, file cached) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := os.Rename(from, c.path(digest, file)); err != nil {
		return err
	}
	before, replaces := c.files[digest]
	c.files[digest] = file
	if !replaces || before.sum == file.sum && before.within == file.within {
		return nil
	}
	return os.RemoveAll(c.path(digest, before))
}

// scratch names the file that a compile of this component writes to.
func (c *cache) scratch(digest [32]byte) string {
	return filepath.Join(c.home, hex.EncodeToString(digest[:])+temporary)
}

// publish takes what a compile wrote to scratch, which is on disk already, into the cache.
func (c *cache) publish(digest [32]byte) error {
	sum, _, err := hashFile(c.scratch(digest))
	if err != nil {
		return err
	}
	return c.put(c.scratch(digest), digest, sum)
}

// inherited tells whether an earlier process has left compiled code of a component, and gives its size.
func (c *cache) inherited(digest [32]byte) (size int64, ok bool) {
	c.mu.Lock()
	earlier := c.files[digest].earlier
	c.mu.Unlock()
	if !earlier {
		return 0, false
	}
	_, size, _, ok = c.lookup(digest)
	return size, ok
}

// lookup gives the compiled code of a component, with the checksum that its name carries. Nobody has verified it.
func (c *cache) lookup(digest [32]byte) (path string, size int64, sum [32]byte, ok bool) {
	c.mu.Lock()
	found, ok := c.files[digest]
	c.mu.Unlock()
	if !ok {
		return "", 0, sum, false
	}
	path = c.path(digest, found)
	info, err := os.Stat(path)
	if err != nil {
		return "", 0, sum, false
	}
	return path, info.Size(), found.sum, true
}

// sweep removes the code of components that keep does not want, and that of other engines.
func (c *cache) sweep(keep func(digest [32]byte) bool) error {
	homes, err := os.ReadDir(c.dir)
	if err != nil {
		return err
	}
	var failed error
	for _, home := range homes {
		path := filepath.Join(c.dir, home.Name())
		if path == c.home || !home.IsDir() || len(home.Name()) != 2*sha256.Size {
			continue
		}
		failed = errors.Join(failed, os.RemoveAll(path))
	}
	c.mu.Lock()
	files := maps.Clone(c.files)
	c.mu.Unlock()
	for digest, file := range files {
		if !keep(digest) && (file.within == [32]byte{} || !keep(file.within)) {
			failed = errors.Join(failed, c.remove(digest, file))
		}
	}
	return failed
}

// buffers are what files are read with.
var buffers = sync.Pool{New: func() any { return new([256 << 10]byte) }}

func hashFile(path string) (sum [32]byte, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, 0, err
	}
	h := sha256.New()
	buffer := buffers.Get().(*[256 << 10]byte) //nolint:forcetypeassert // nothing else is put in
	defer buffers.Put(buffer)
	size, err = io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{f}, buffer[:])
	if err = errors.Join(err, f.Close()); err != nil {
		return sum, 0, err
	}
	return [32]byte(h.Sum(nil)), size, nil
}

// syncDir makes a rename last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
