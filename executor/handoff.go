package executor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
)

// MaxCode is the most compiled code of one component that is taken from elsewhere, in bytes.
const MaxCode = 2 << 30

// ErrChecksum says that compiled code is not what was announced.
var ErrChecksum = errors.New("executor: the compiled code does not have its checksum")

// Code gives the file with the compiled code of a component for this engine, its size in bytes and its SHA-256; ok is
// false if the cache has none. The file is not read, so whoever takes the code must verify it. It may be removed at any
// time; whoever has it open keeps it.
func (x *Executor) Code(digest [32]byte) (path string, size int64, checksum [32]byte, ok bool) {
	return x.cache.lookup(digest)
}

// TakeCode puts the compiled code of a component into the cache, as another executor with the same Fingerprint gave it by
// Code. The code is executed: r must come from somebody who is trusted as much as this executor. Errors are those of r,
// ErrChecksum, and *Error with Reason DiskFull or Internal; then nothing is kept.
func (x *Executor) TakeCode(digest [32]byte, r io.Reader, size int64, checksum [32]byte) (err error) {
	if size > MaxCode {
		return fmt.Errorf("%w: it has %s; at most %s", ErrChecksum, sizeText(uint64(size)), sizeText(MaxCode))
	}
	f, err := os.CreateTemp(x.cache.home, hex.EncodeToString(digest[:])+"-*"+temporary)
	if err != nil {
		return fileError(err)
	}
	defer func() {
		if err != nil { // what can't be removed goes when the next executor is made
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	sum := sha256.New()
	source := &source{r: io.LimitReader(r, size+1)}
	n, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(f, sum)}, source, make([]byte, 1<<20))
	switch {
	case source.err != nil:
		return source.err
	case err != nil:
		return fileError(err)
	case n != size || [32]byte(sum.Sum(nil)) != checksum:
		return fmt.Errorf("%w: %d bytes came of the %d that were announced", ErrChecksum, n, size)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fileError(err)
	}
	if err := x.cache.put(f.Name(), digest, checksum); err != nil {
		return fileError(err)
	}
	x.metrics.codeTaken.Inc()
	return nil
}

// source tells errors of a reader from those of whoever writes what it gives.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// refusedCode says that the engine does not take compiled code, which is in a file.
type refusedCode struct {
	path string
	error
}

func (e *refusedCode) Unwrap() error { return e.error }

// recompiled compiles a component whose code in the cache the engine has refused.
func (x *Executor) recompiled(ctx context.Context, digest [32]byte, path string, refused *refusedCode) (code string, size int64, err error) {
	x.cache.refuse(digest, refused.path, refused)
	return x.compiled(ctx, digest, path)
}
