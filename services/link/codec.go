package link

import "encoding/binary"

// cursor reads what the append functions of this file wrote. It never reads beyond its bytes, and never allocates by what
// they claim. After the first misfit it is bad and gives zero values.
type cursor[T string | []byte] struct {
	rest T
	bad  bool
}

func (c *cursor[T]) fail() {
	c.bad = true
	c.rest = c.rest[:0]
}

func (c *cursor[T]) byte() byte {
	if len(c.rest) == 0 {
		c.fail()
		return 0
	}
	b := c.rest[0]
	c.rest = c.rest[1:]
	return b
}

func (c *cursor[T]) uvarint() uint64 {
	var v uint64
	for i := range min(len(c.rest), binary.MaxVarintLen64) {
		b := c.rest[i]
		if i == binary.MaxVarintLen64-1 && b > 1 {
			break
		}
		v |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			c.rest = c.rest[i+1:]
			return v
		}
	}
	c.fail()
	return 0
}

// take gives the next n bytes.
func (c *cursor[T]) take(n uint64) T {
	if n > uint64(len(c.rest)) {
		c.fail()
		return c.rest
	}
	b := c.rest[:n]
	c.rest = c.rest[n:]
	return b
}

func (c *cursor[T]) string() string { return string(c.take(c.uvarint())) }

// maxStrings bounds a list of strings other than metadata; a backtrace is the longest there is.
const maxStrings = 1024

// count reads how many elements follow, each of which takes size bytes at least.
func (c *cursor[T]) count(size int) int {
	n := c.uvarint()
	if n > uint64(len(c.rest)/size) {
		c.fail()
		return 0
	}
	return int(n)
}

// strings reads a list of strings.
func (c *cursor[T]) strings() []string {
	n := c.count(1)
	if n > maxStrings {
		c.fail()
		return nil
	}
	var list []string
	for range n {
		list = append(list, c.string())
	}
	return list
}

// lists reads metadata or trailers. Where T is string, the values point into it.
func (c *cursor[T]) lists() map[string][]string {
	n := c.count(2)
	if n == 0 {
		return nil
	}
	m := make(map[string][]string, min(n, 64))
	all := make([]string, 0, min(n, 64)) // room for one value each, which is what most have
	for range n {
		key := c.string()
		values := c.count(1)
		if c.bad {
			return nil
		}
		if values > cap(all)-len(all) {
			all = make([]string, 0, values)
		}
		first := len(all)
		for range values {
			all = append(all, c.string())
		}
		m[key] = all[first:len(all):len(all)]
	}
	return m
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func appendStrings(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = appendString(b, s)
	}
	return b
}

func appendLists(b []byte, m map[string][]string) []byte {
	b = binary.AppendUvarint(b, uint64(len(m)))
	for key, values := range m {
		b = appendStrings(appendString(b, key), values)
	}
	return b
}

// A message, request or response, is a head and a body: the length of the head (4, big endian), the head, the body. A
// receiver ignores what a head has beyond what it knows.
const headPrefix = 4

// maxHead bounds a head; it holds metadata or trailers.
const maxHead = 1 << 20

// beginHead makes room for the prefix of a head; endHead fills it in. The head begins where b did.
func beginHead(b []byte) []byte { return append(b, 0, 0, 0, 0) }

func endHead(b []byte) []byte {
	binary.BigEndian.PutUint32(b, uint32(len(b)-headPrefix))
	return b
}

// reusable gives a buffer for the next use, unless it is large.
func reusable(b []byte) []byte {
	if cap(b) > 2*maxPayload {
		return nil
	}
	return b[:0]
}

// split gives the head and the body of a message.
func split(message []byte) (head, body []byte, err error) {
	if len(message) < headPrefix {
		return nil, nil, violationf("a message of %d bytes", len(message))
	}
	n, rest := binary.BigEndian.Uint32(message), message[headPrefix:]
	if uint64(n) > uint64(min(len(rest), maxHead)) {
		return nil, nil, violationf("a head of %d bytes in a message of %d", n, len(message))
	}
	return rest[:n:n], rest[n:], nil
}
