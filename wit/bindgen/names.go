package bindgen

import (
	"go/token"
	"strconv"
	"strings"
	"unicode"
)

// initialisms are words that Go writes in capitals.
var initialisms = words(`acl api ascii cpu css dns eof guid html http https id io ip json os qps ram rpc sla smtp sql ssh tcp tls ttl
	udp ui uid url uri utf8 uuid vm wasi xml`)

// predeclared are names that mean something everywhere in Go.
var predeclared = words(`any bool byte comparable complex64 complex128 error float32 float64 int int8 int16 int32 int64 rune string
	uint uint8 uint16 uint32 uint64 uintptr true false iota nil append cap clear close complex copy delete imag len
	make max min new panic print println real recover init main`)

func words(s string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(s) {
		set[word] = true
	}
	return set
}

// exported makes an exported Go name of a kebab-case one: get-url gives GetURL.
func exported(kebab string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(kebab, "-") {
		word = strings.ToLower(word)
		if initialisms[word] {
			b.WriteString(strings.ToUpper(word))
			continue
		}
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// parameter makes a name of a parameter: get-url gives getURL, type gives type_.
func parameter(kebab string) string {
	first, rest, more := strings.Cut(kebab, "-")
	name := strings.ToLower(first)
	if more {
		name += exported(rest)
	}
	if token.IsKeyword(name) || predeclared[name] {
		name += "_"
	}
	return name
}

// PackageName makes the name of a Go package, and of its directory, of a kebab-case one: wall-clock gives wallclock, and main gives main_.
func PackageName(kebab string) string {
	name := strings.ToLower(strings.ReplaceAll(kebab, "-", ""))
	if token.IsKeyword(name) || predeclared[name] || name == "internal" || name == "vendor" || name == "testdata" ||
		strings.HasSuffix(name, "_test") {
		name += "_"
	}
	return name
}

// names hands out names, each once.
type names map[string]bool

// claim returns a name that is not taken yet: that which is wanted, or it with the lowest number from 2 that is free.
func (n names) claim(wanted string) string {
	name := wanted
	for i := 2; n[name]; i++ {
		name = wanted
		if unicode.IsDigit(rune(name[len(name)-1])) {
			name += "_"
		}
		name += strconv.Itoa(i)
	}
	n[name] = true
	return name
}
