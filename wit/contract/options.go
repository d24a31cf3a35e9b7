package contract

import (
	"regexp"
	"strings"

	"google.golang.org/protobuf/types/descriptorpb"
)

// fileName returns the file of an interface. protoc-gen-go turns x.proto into x.pb.go, and the go command builds
// x_linux.pb.go on Linux only: such names get a suffix.
func fileName(pkg, iface string) string {
	base := snake(iface)
	if i := strings.LastIndexByte(base, '_'); i >= 0 && goPlatforms[base[i+1:]] {
		base += "_interface"
	}
	return strings.ReplaceAll(pkg, ".", "/") + "/" + base + ".proto"
}

// fileOptions returns what generators for Go and Java need to know about a file.
//
// The Go package is an import path that nobody can own: `protoc --go_out=gen --go_opt=module=weft.internal` puts
// the stubs of all packages below gen, which is to be the Go module weft.internal (`go work`, or a replace directive).
// Generators can be told another one with M options or buf's managed mode.
func fileOptions(pkg, outerClass string) *descriptorpb.FileOptions {
	segments := strings.Split(pkg, ".")
	goPath, javaPath := make([]string, len(segments)), make([]string, len(segments))
	for i, s := range segments {
		goPath[i], javaPath[i] = s, s
		if goReserved[s] {
			goPath[i] += "_"
		}
		if javaReserved[s] || (i == 0 && (s == "java" || s == "javax")) {
			javaPath[i] += "_"
		}
	}
	name := segments[len(segments)-1]
	if len(segments) > 1 && versionSegment.MatchString(name) {
		name = segments[len(segments)-2] + name
	} else {
		name += "pb"
	}
	return &descriptorpb.FileOptions{
		GoPackage:          new("weft.internal/" + strings.Join(goPath, "/") + ";" + strings.ReplaceAll(name, "_", "")),
		JavaPackage:        new(strings.Join(javaPath, ".")),
		JavaMultipleFiles:  new(true),
		JavaOuterClassname: new(outerClass),
	}
}

var versionSegment = regexp.MustCompile(`^v[0-9]+(_[0-9a-z_]+)?$`)

func set(words string) map[string]bool {
	m := make(map[string]bool)
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

var (
	// goReserved are the directories that the go command treats specially.
	goReserved = set("internal vendor testdata")

	// goPlatforms are the suffixes of file names by which the go command chooses what to build: all that go/build
	// knows, past and future.
	goPlatforms = set(`aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9
		solaris wasip1 windows zos 386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le mips64p32
		mips64p32le ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm`)

	// javaReserved are the words of the Java Language Specification, section 3.9, that can't name a package.
	javaReserved = set(`abstract assert boolean break byte case catch char class const continue default do double else
		enum extends final finally float for goto if implements import instanceof int interface long native new package
		private protected public return short static strictfp super switch synchronized this throw throws transient try
		void volatile while true false null`)
)

// javaNested are the classes that generated Java may have within the class of a message; Java allows no class the name
// of one around it.
var javaNested = set("Builder ResultCase")

// derivedNames returns the names that generators make from the name of a message, enum, service or file, beside it
// in the same scope.
func derivedNames(kind nameKind, name string) []string {
	switch kind {
	case messageName:
		return []string{name + "OrBuilder"} // Java
	case serviceName:
		return []string{
			name + "Grpc",                                                                                   // Java
			name + "Client", name + "Server", "Unimplemented" + name + "Server", "Unsafe" + name + "Server", // Go
			"New" + name + "Client", "Register" + name + "Server",
		}
	default:
		return nil
	}
}

// nameKind is what a name of a package's scope names.
type nameKind uint8

const (
	messageName nameKind = iota + 1
	enumName
	serviceName
)
