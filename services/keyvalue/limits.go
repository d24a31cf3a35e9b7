package keyvalue

import (
	"math"
	"regexp"
	"strconv"
	"time"
	"unicode/utf8"
)

// The bounds of what a function may ask for; they are the same for all backends.
const (
	// DefaultQuota is what a function may store, in bytes as [Cost] counts them, unless the server says otherwise.
	DefaultQuota = 64 << 20
	// MaxKey is the length of a key in bytes.
	MaxKey = 512
	// MaxValue is the size of a value in bytes. A message with it fits in NATS's default limit of 1 MiB.
	MaxValue = 1_000_000
	// MaxBucketName is the length of a bucket's name in bytes.
	MaxBucketName = 64
	// MaxBatch is how many keys a batch has, and MaxBatchBytes how large its values are together.
	MaxBatch      = 1000
	MaxBatchBytes = 2 << 20
	// PageSize is how many keys a page of a listing has at most.
	PageSize = 1000
	// OperationTime is how long an operation takes at most; then it is an *UnavailableError.
	OperationTime = 5 * time.Second
)

// PairOverhead is what each pair counts besides its bytes, so that a function can not fill the storage with empty ones.
const PairOverhead = 64

// Cost is what a pair counts against the quota, in bytes: its key, its value, the name of its bucket, and what it takes to
// keep it. The NATS backend counts its own way, and more than the key and the value too.
func Cost(b Bucket, key string, value int) int64 {
	return int64(PairOverhead + len(b.Name) + len(key) + value)
}

var bucketName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// ParseBucket reads the name of a bucket as guests write it: an empty one is "default". The error is *NoSuchBucketError.
func ParseBucket(name string) (string, error) {
	if name == "" {
		return "default", nil
	}
	if len(name) > MaxBucketName || !bucketName.MatchString(name) {
		return "", &NoSuchBucketError{Name: name}
	}
	return name, nil
}

func checkKey(key string) error {
	switch {
	case key == "":
		return Refused("a key is empty")
	case len(key) > MaxKey:
		return Refused("a key has %d bytes; it may have %d", len(key), MaxKey)
	case !utf8.ValidString(key):
		return Refused("a key is not UTF-8")
	}
	return nil
}

func checkValue(key string, size int) error {
	if size > MaxValue {
		return Refused("the value of %.40q has %d bytes; it may have %d", key, size, MaxValue)
	}
	return nil
}

// Add gives the value of a key after an increment. It is what a backend does that can not count itself: a number is kept as
// the shortest decimal digits.
func Add(key string, e Entry, delta int64) (int64, error) {
	if !e.Exists() {
		return delta, nil
	}
	n, err := strconv.ParseInt(string(e.Value), 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != string(e.Value) {
		return 0, NotNumber(key)
	}
	if delta > 0 && n > math.MaxInt64-delta || delta < 0 && n < math.MinInt64-delta {
		return 0, Overflow(key)
	}
	return n + delta, nil
}

// NotNumber refuses to increment what is no number.
func NotNumber(key string) error {
	return Refused("the value of %.40q is no number in decimal digits, so it can not be incremented", key)
}

// Overflow refuses to increment beyond 64 bits.
func Overflow(key string) error {
	return Refused("the number of %.40q would leave the range of 64 bits", key)
}

// TooMuch refuses to give values of so many bytes at once.
func TooMuch(limit int) error {
	return Refused("the values have over %d bytes together, which is more than one answer may have: ask for fewer keys at once", limit)
}
