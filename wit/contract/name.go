package contract

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"github.com/weft-run/weft/wit"
)

// kebab is a WIT name. The binary format allows upper-case words ("URL"); WIT gives no meaning to them.
var kebab = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9]*(-[a-zA-Z0-9]+)*$`)

// snake turns a WIT name into the name of a field, a file or a segment of a package.
func snake(name string) string {
	return strings.ToLower(strings.ReplaceAll(name, "-", "_"))
}

// pascal turns a WIT name or the name of a field into the name of a message, service or method. Upper-case words stay.
func pascal(name string) string {
	var b strings.Builder
	for word := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '-' || r == '_' }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// valuePrefix returns what the values of an enum begin with, as buf's rule ENUM_VALUE_PREFIX wants it: the name in
// UPPER_SNAKE_CASE where a run of capitals is one word, and a digit never begins one.
func valuePrefix(enum string) string {
	upper := func(i int) bool { return enum[i] >= 'A' && enum[i] <= 'Z' }
	digit := func(i int) bool { return enum[i] >= '0' && enum[i] <= '9' }
	var b strings.Builder
	for i := range len(enum) {
		if i > 0 && upper(i) {
			beforeWord := i+1 < len(enum) && !upper(i+1) && !digit(i+1)
			afterLower := !upper(i-1) && !digit(i-1)
			if beforeWord || afterLower {
				b.WriteByte('_')
			}
		}
		b.WriteByte(enum[i])
	}
	return strings.ToUpper(b.String()) + "_"
}

// javaCamel is how generated Java spells a field in its accessors: capitals after underscores and digits.
func javaCamel(field string) string {
	var b strings.Builder
	up := true
	for i := range len(field) {
		switch c := field[i]; {
		case c == '_':
			up = true
		case up && c >= 'a' && c <= 'z':
			b.WriteByte(c - 'a' + 'A')
			up = false
		default:
			b.WriteByte(c)
			up = c >= '0' && c <= '9'
		}
	}
	return b.String()
}

// squeezed is what protoc compares the names of fields by: two that are equal would clash in JSON.
func squeezed(field string) string {
	return strings.ToLower(strings.ReplaceAll(field, "_", ""))
}

// valueCamel is what protoc compares the values of an enum by, without their prefix.
func valueCamel(value string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(value, "_") {
		if word != "" {
			b.WriteString(word[:1] + strings.ToLower(word[1:]))
		}
	}
	return b.String()
}

// A version is the version of a WIT package. The zero value is no version.
type version struct {
	parts [3]uint64
	n     int // how many parts were written
	pre   string
}

// parseVersion reads a semantic version. One or two parts are allowed, as canonical interface names have them.
func parseVersion(s string) (v version, ok bool) {
	if s == "" {
		return v, true
	}
	s, _, _ = strings.Cut(s, "+")
	s, v.pre, _ = strings.Cut(s, "-")
	for part := range strings.SplitSeq(s, ".") {
		n, err := strconv.ParseUint(part, 10, 32)
		if err != nil || v.n == len(v.parts) {
			return v, false
		}
		v.parts[v.n] = n
		v.n++
	}
	return v, v.pre == "" || prerelease.MatchString(v.pre)
}

var prerelease = regexp.MustCompile(`^[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*$`)

// suffix returns what a version adds to the proto package: all that semantic versioning allows to be incompatible.
func (v version) suffix() string {
	if v.n == 0 {
		return ""
	}
	n := 1
	switch {
	case v.pre != "":
		n = v.n
	case v.parts[0] == 0 && v.n > 1:
		n = 2
		if v.parts[1] == 0 && v.n > 2 {
			n = 3
		}
	}
	var b strings.Builder
	for i := range n {
		b.WriteString([]string{".v", "_", "_"}[i] + strconv.FormatUint(v.parts[i], 10))
	}
	if v.pre != "" {
		b.WriteString("_" + strings.ToLower(strings.NewReplacer("-", "_", ".", "_").Replace(v.pre)))
	}
	return b.String()
}

// older tells whether v comes before w, both of one proto package.
func (v version) older(w version) bool {
	for i := range v.parts {
		if c := cmp.Compare(v.parts[i], w.parts[i]); c != 0 {
			return c < 0
		}
	}
	return false
}

// protoPackage returns the proto package of an interface; nil is the world.
func protoPackage(function string, i *wit.Interface, at *place) (string, error) {
	if i == nil || i.Package == "" {
		if !functionName.MatchString(function) {
			return "", at.refuse("the function's name %q is no proto package: allowed is [a-z][a-z0-9-]*", function)
		}
		return checkPackage(strings.ReplaceAll(function, "-", "_"), at)
	}
	v, ok := parseVersion(i.Version)
	if !ok {
		return "", at.refuse("%q is no semantic version", i.Version)
	}
	for segment := range strings.SplitSeq(i.Namespace+":"+i.Package, ":") {
		if !kebab.MatchString(segment) {
			return "", at.refuse("%q is no WIT name", segment)
		}
	}
	return checkPackage(strings.ReplaceAll(snake(i.Namespace)+"."+snake(i.Package), ":", ".")+v.suffix(), at)
}

var functionName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

func checkPackage(name string, at *place) (string, error) {
	switch first, _, _ := strings.Cut(name, "."); first {
	case "google", "grpc", "weft":
		return "", at.refuse("proto package %s begins with %q, which is reserved; rename the package", name, first)
	}
	if len(name) > maxName {
		return "", at.refuse("proto package %s… is longer than %d characters", name[:40], maxName)
	}
	return name, nil
}
