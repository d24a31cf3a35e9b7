package executor

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	insecure "math/rand/v2"
)

// maxRandom is how many random bytes a guest may ask for at once: each is 32 in the engine's form of a list.
const maxRandom = 1 << 20

func secureRandom() map[string]HostFunc {
	return map[string]HostFunc{
		"get-random-bytes": randomBytes(secureRead),
		"get-random-u64": func(c *HostCall) error {
			var b [8]byte
			secureRead(b[:])
			c.Result().U64(binary.NativeEndian.Uint64(b[:]))
			return nil
		},
	}
}

// secureRead fills b. crypto/rand ends the process where the system has no randomness.
func secureRead(b []byte) { _, _ = rand.Read(b) }

func insecureRandom() map[string]HostFunc {
	return map[string]HostFunc{
		"get-insecure-random-bytes": randomBytes(insecureRead),
		"get-insecure-random-u64": func(c *HostCall) error {
			c.Result().U64(insecureNumber())
			return nil
		},
	}
}

// insecureNumber is what wasi:random/insecure asks for.
func insecureNumber() uint64 { return insecure.Uint64() } //nolint:gosec // it is to be fast, not hard to guess

func insecureRead(b []byte) {
	for len(b) > 0 {
		b = b[copy(b, binary.NativeEndian.AppendUint64(nil, insecureNumber())):]
	}
}

func insecureSeed() map[string]HostFunc {
	return map[string]HostFunc{"insecure-seed": func(c *HostCall) error {
		seed := c.Result().Tuple()
		seed.At(0).U64(insecureNumber())
		seed.At(1).U64(insecureNumber())
		return nil
	}}
}

func randomBytes(read func([]byte)) HostFunc {
	return func(c *HostCall) error {
		n := c.Arg(0).U64()
		if n > maxRandom {
			return fmt.Errorf("%d random bytes are asked for; the most at once is %d", n, maxRandom)
		}
		b := make([]byte, n)
		read(b)
		c.Result().Bytes(b)
		return nil
	}
}
