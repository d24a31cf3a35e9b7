package load

import (
	"math/bits"
	"time"
)

// histogram counts durations in buckets that are at most 1/32 wide, so a quantile is off by 3% at most.
type histogram struct {
	counts [64 * fraction]uint64
	total  uint64
}

const (
	fractionBits = 5
	fraction     = 1 << fractionBits
)

func (h *histogram) add(d time.Duration) {
	h.counts[bucket(uint64(max(d, 0)))]++
	h.total++
}

func (h *histogram) merge(other *histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.total += other.total
}

// quantile is the upper end of the bucket that holds the q-th duration, 0 if there is none.
func (h *histogram) quantile(q float64) time.Duration {
	if h.total == 0 {
		return 0
	}
	rank := min(uint64(q*float64(h.total)), h.total-1)
	for i, n := range h.counts {
		if rank < n {
			return time.Duration(upper(i))
		}
		rank -= n
	}
	return 0
}

// bucket gives small numbers a bucket each, and larger ones one for each of the 32 parts of their power of two.
func bucket(n uint64) int {
	if n < fraction {
		return int(n)
	}
	shift := bits.Len64(n) - 1 - fractionBits
	return (shift+1)<<fractionBits + int(n>>shift) - fraction
}

// upper is the largest number of a bucket.
func upper(bucket int) uint64 {
	if bucket < fraction {
		return uint64(bucket)
	}
	shift := bucket>>fractionBits - 1
	return (uint64(bucket&(fraction-1))+fraction+1)<<shift - 1
}
