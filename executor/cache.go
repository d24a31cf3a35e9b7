package executor

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// cache keeps compiled code on disk, in a directory per engine:
//
//	DIR/FINGERPRINT/DIGEST-CHECKSUM.cwasm
//
// DIGEST is the SHA-256 of the component and CHECKSUM that of the file's own content. As the name carries the
// checksum, one rename publishes both, and a file that is not what its name says is not used. The engine executes
// what is here, so nobody but the user may write to DIR.
type cache struct {
	dir  string // DIR
	home string // DIR/FINGERPRINT
}

const codeSuffix = ".cwasm"

// newCache makes the directory and removes what a crash has left in it.
func newCache(dir, fingerprint string) (*cache, error) {
	c := &cache{dir: dir, home: filepath.Join(dir, fingerprint)}
	for _, d := range []string{c.dir, c.home} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("executor: the cache of compiled code: %w", err)
		}
		if err := private(d); err != nil {
			return nil, err
		}
	}
	left, err := filepath.Glob(filepath.Join(c.home, "*"+temporary))
	if err != nil {
		return nil, err
	}
	for _, path := range left {
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("executor: the cache of compiled code: %w", err)
		}
	}
	return c, nil
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

// find gives the compiled code of a component and its size, with its checksum verified; path is empty if there is none. A
// file that is corrupt is removed.
func (c *cache) find(digest [32]byte) (path string, size int64, err error) {
	found, err := filepath.Glob(filepath.Join(c.home, hex.EncodeToString(digest[:])+"-*"+codeSuffix))
	if err != nil {
		return "", 0, err
	}
	for _, path := range found {
		sum, size, err := hashFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", 0, fmt.Errorf("executor: the cache of compiled code: %w", err)
		}
		if path == c.path(digest, sum) {
			return path, size, nil
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", 0, fmt.Errorf("executor: the cache of compiled code: %w", err)
		}
	}
	return "", 0, nil
}

func (c *cache) path(digest, sum [32]byte) string {
	return filepath.Join(c.home, hex.EncodeToString(digest[:])+"-"+hex.EncodeToString(sum[:])+codeSuffix)
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
	if err := os.Rename(c.scratch(digest), c.path(digest, sum)); err != nil {
		return err
	}
	return syncDir(c.home)
}

// lookup gives the compiled code of a component, with the checksum that its name carries. Nobody has verified it.
func (c *cache) lookup(digest [32]byte) (path string, size int64, sum [32]byte, ok bool) {
	prefix := hex.EncodeToString(digest[:]) + "-"
	found, err := filepath.Glob(filepath.Join(c.home, prefix+"*"+codeSuffix))
	if err != nil {
		return "", 0, sum, false
	}
	for _, path := range found {
		digits := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), prefix), codeSuffix)
		checksum, err := hex.DecodeString(digits)
		if err != nil || len(checksum) != len(sum) {
			continue
		}
		if info, err := os.Stat(path); err == nil {
			return path, info.Size(), [32]byte(checksum), true
		}
	}
	return "", 0, sum, false
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
	files, err := os.ReadDir(c.home)
	if err != nil {
		return errors.Join(failed, err)
	}
	for _, file := range files {
		name, _, _ := strings.Cut(file.Name(), "-")
		var digest [32]byte
		if n, err := hex.Decode(digest[:], []byte(name)[:min(len(name), 2*len(digest))]); err != nil || n != len(digest) {
			continue
		}
		if strings.HasSuffix(file.Name(), codeSuffix) && !keep(digest) {
			failed = errors.Join(failed, os.Remove(filepath.Join(c.home, file.Name())))
		}
	}
	return failed
}

func hashFile(path string) (sum [32]byte, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, 0, err
	}
	h := sha256.New()
	size, err = io.CopyBuffer(struct{ io.Writer }{h}, f, make([]byte, 1<<20))
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
